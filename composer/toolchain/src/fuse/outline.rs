//! What stands at the top of a component, as far as joining it with others needs.

use anyhow::Result;
use wasm_encoder::ComponentExportKind;
use wasmparser::{Parser, Payload};

pub struct Outline<'a> {
    /// The sections up to the last one with imports, without the modules and components among them: no import's type refers to those.
    pub head: Vec<Payload<'a>>,
    pub exports: Vec<(String, ComponentExportKind)>,
}

impl<'a> Outline<'a> {
    pub fn of(bytes: &'a [u8]) -> Result<Outline<'a>> {
        let mut head = Vec::new();
        let mut imports = 0;
        let mut exports = Vec::new();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                Payload::Version { .. } | Payload::CustomSection(_) => {}
                Payload::ComponentExportSection(section) => {
                    for export in section.clone() {
                        let export = export?;
                        exports.push((export.name.name.to_owned(), export.kind.into()));
                    }
                    head.push(Payload::ComponentExportSection(section));
                }
                payload => {
                    let import = matches!(payload, Payload::ComponentImportSection(_));
                    head.push(payload);
                    if import {
                        imports = head.len();
                    }
                }
            }
        }
        head.truncate(imports);
        Ok(Outline { head, exports })
    }
}
