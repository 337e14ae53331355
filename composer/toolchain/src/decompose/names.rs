//! The names of functions, for backtraces.

use super::space::Space;
use anyhow::Result;
use std::collections::BTreeMap;
use wasm_encoder as encoder;
use wasmparser::{ExportSectionReader, ExternalKind, Name, NameSectionReader};

/// By index in the merged module.
#[derive(Default)]
pub struct Names(BTreeMap<u32, String>);

impl Names {
    pub fn insert(&mut self, function: u32, name: &str) {
        self.0.insert(function, name.to_owned());
    }

    /// What an adapter module exports is all that it has names for.
    pub fn adapters(&mut self, space: &Space, section: ExportSectionReader) -> Result<()> {
        for export in section {
            let export = export?;
            if export.kind == ExternalKind::Func {
                let function = space.entity(ExternalKind::Func, export.index)?.index;
                self.insert(function, &format!("[adapter] {}", export.name));
            }
        }
        Ok(())
    }

    /// Takes the names of the functions that a module defines, as far as its section can be read, which no engine depends on. The
    /// module's own name.
    pub fn take(&mut self, space: &Space, section: NameSectionReader) -> Option<String> {
        let mut module = None;
        for name in section.into_iter().map_while(Result::ok) {
            match name {
                Name::Module { name, .. } => module = Some(name.to_owned()),
                Name::Function(names) => {
                    for naming in names.into_iter().map_while(Result::ok) {
                        if let Some(function) = space.defined_function(naming.index) {
                            self.insert(function, naming.name);
                        }
                    }
                }
                _ => {}
            }
        }
        module
    }

    pub fn section(&self) -> encoder::NameSection {
        let mut functions = encoder::NameMap::new();
        for (index, name) in &self.0 {
            functions.append(*index, name);
        }
        let mut section = encoder::NameSection::new();
        section.functions(&functions);
        section
    }
}
