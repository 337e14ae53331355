//! `wasi-wit`: the WIT packages of WASI, as the locked `wasip2` crate carries them.

use crate::input;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/wasi_files.rs"));
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
