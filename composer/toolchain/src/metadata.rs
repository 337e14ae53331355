//! `metadata`: what a binary says of itself and of what is nested in it.

use crate::input;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::ops::Range;
use wasm_metadata::Producers;
use wasmparser::{
    ComponentName, CustomSectionReader, Encoding, KnownCustom, Name, Parser, Payload,
};

/// Custom sections that hold plain text, after the annotations of OCI images.
const ANNOTATIONS: &[&str] = &[
    "authors",
    "description",
    "licenses",
    "source",
    "homepage",
    "revision",
    "version",
];

/// One level of nesting while the sections pass by.
struct Level {
    facts: Map<String, Value>,
    children: Vec<Value>,
}

pub fn read(path: &str) -> Result<Value> {
    let bytes = input::binary(path)?;
    walk(&bytes).with_context(|| path.to_owned())
}

fn walk(bytes: &[u8]) -> Result<Value> {
    let mut levels: Vec<Level> = Vec::new();
    let mut next: Range<u64> = 0..bytes.len() as u64;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding, .. } => levels.push(Level::new(encoding, &next)),
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } => next = unchecked_range,
            Payload::CustomSection(section) => {
                if let Some(level) = levels.last_mut() {
                    level.note(&section)?;
                }
            }
            Payload::End(_) => {
                let done = levels.pop().context("more ends than beginnings")?.finish();
                match levels.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            _ => {}
        }
    }
    anyhow::bail!("unexpected end")
}

impl Level {
    fn new(encoding: Encoding, range: &Range<u64>) -> Self {
        let kind = match encoding {
            Encoding::Component => "component",
            Encoding::Module => "core-module",
        };
        let mut facts = Map::new();
        facts.insert("kind".to_owned(), kind.into());
        facts.insert("size".to_owned(), (range.end - range.start).into());
        Level {
            facts,
            children: Vec::new(),
        }
    }

    fn note(&mut self, section: &CustomSectionReader<'_>) -> Result<()> {
        if let Some(key) = ANNOTATIONS.iter().find(|key| **key == section.name()) {
            let text = String::from_utf8_lossy(section.data());
            self.facts.insert((*key).to_owned(), text.into());
            return Ok(());
        }
        match section.as_known() {
            KnownCustom::Producers(_) => {
                let found = Producers::from_bytes(section.data(), section.data_offset())?;
                self.facts.insert("producers".to_owned(), producers(&found));
            }
            // Names serve debugging: what can't be read there is left out, as engines do.
            KnownCustom::ComponentName(mut names) => {
                if let Some(Ok(ComponentName::Component { name, .. })) = names.next() {
                    self.facts.insert("name".to_owned(), name.into());
                }
            }
            KnownCustom::Name(mut names) => {
                if let Some(Ok(Name::Module { name, .. })) = names.next() {
                    self.facts.insert("name".to_owned(), name.into());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Value {
        self.facts.entry("name").or_insert(Value::Null);
        self.facts.entry("version").or_insert(Value::Null);
        self.facts.entry("producers").or_insert_with(|| json!({}));
        self.facts
            .insert("children".to_owned(), self.children.into());
        Value::Object(self.facts)
    }
}

fn producers(found: &Producers) -> Value {
    let mut fields = Map::new();
    for (field, values) in found.iter() {
        let values: Map<_, _> = values
            .iter()
            .map(|(name, version)| (name.clone(), version.clone().into()))
            .collect();
        fields.insert(field.clone(), values.into());
    }
    fields.into()
}
