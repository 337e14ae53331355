//! `wasi-wit`: the WIT packages of WASI, as the locked `wasip2` crate carries them. `adapter`: WASI preview 1 on top of them.

use crate::input;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/wasi_files.rs"));
}

/// Writes the adapter for libraries, which are called and have no `main`.
pub fn adapter(out: &str) -> Result<Value> {
    input::write(out, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?;
    Ok(json!({ "file": out, "size": WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER.len() }))
}

/// Writes the files into the folder `out` and names them and where they come from.
pub fn write(out: &str) -> Result<Value> {
    input::create_folder(out)?;
    for (name, text) in embedded::FILES {
        input::write(Path::new(out).join(name), text)?;
    }
    let names: Vec<_> = embedded::FILES.iter().map(|(name, _)| name).collect();
    Ok(json!({ "source": embedded::SOURCE, "files": names }))
}
