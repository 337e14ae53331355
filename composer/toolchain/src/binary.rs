//! Commands from one binary, or its text, to another: `parse`, `wat`, `embed`, `new`, `validate`.

use crate::input;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use wasmparser::{Parser, Validator, WasmFeatures};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

/// `parse`: text of a component or core module to its binary.
pub fn from_text(path: &str, out: &str) -> Result<Value> {
    let binary = wat::parse_str(input::text(path)?).map_err(|mut error| {
        error.set_path(path);
        error
    })?;
    deliver(out, &binary)
}

/// `wat`: any binary to text.
pub fn to_text(path: &str, out: &str) -> Result<Value> {
    let text = wasmprinter::print_bytes(input::binary(path)?).with_context(|| path.to_owned())?;
    deliver(out, text.as_bytes())
}

/// `embed`: the world in a custom section of a core module, for `new` to find.
pub fn embed(path: &str, world: &str, core: &str, out: &str) -> Result<Value> {
    let source = input::source(path)?;
    let world = source.world(Some(world)).with_context(|| path.to_owned())?;
    let mut module = input::core_module(core)?;
    embed_component_metadata(
        &mut module,
        &source.resolve,
        world,
        StringEncoding::UTF8,
        false,
    )?;
    deliver(out, &module)
}

/// `new`: a core module that carries its world becomes a component; adapters serve the imports of older systems.
pub fn component(core: &str, out: &str, adapters: &[&str]) -> Result<Value> {
    let module = input::core_module(core)?;
    let mut encoder = ComponentEncoder::default();
    encoder
        .validate(true)
        .module(&module)
        .with_context(|| core.to_owned())?;
    for adapter in adapters {
        let (name, path) = adapter
            .split_once('=')
            .with_context(|| format!("{adapter}: expected NAME=ADAPTER"))?;
        encoder
            .adapter(name, &input::core_module(path)?)
            .with_context(|| path.to_owned())?;
    }
    deliver(out, &encoder.encode().with_context(|| core.to_owned())?)
}

/// `validate`: does the binary follow every rule of the format?
pub fn validate(path: &str) -> Result<Value> {
    let bytes = input::binary(path)?;
    Validator::new_with_features(features())
        .validate_all(&bytes)
        .with_context(|| path.to_owned())?;
    let kind = if Parser::is_component(&bytes) {
        "component"
    } else {
        "core-module"
    };
    Ok(json!({ "kind": kind, "size": bytes.len() }))
}

/// What wasmtime has on by default, which is what our hosts run with: the library has these three on as well.
pub fn features() -> WasmFeatures {
    let off = WasmFeatures::CM_IMPLEMENTS | WasmFeatures::CM_MAP | WasmFeatures::COMPACT_IMPORTS;
    WasmFeatures::default().difference(off)
}

/// What the core engine leaves on of that: its configuration switches off what guests do not need.
pub fn core_features() -> WasmFeatures {
    let off = WasmFeatures::THREADS
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::MEMORY64
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::GC;
    features().difference(off)
}

fn deliver(out: &str, bytes: &[u8]) -> Result<Value> {
    input::write(out, bytes)?;
    Ok(json!({ "file": out, "size": bytes.len() }))
}
