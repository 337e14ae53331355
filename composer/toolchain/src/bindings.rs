//! `c`: C bindings of a world.

use crate::input;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;
use wit_bindgen_core::Files;

/// Writes header, source and type object into the folder `out` and names them.
pub fn c(path: &str, world: &str, out: &str) -> Result<Value> {
    let mut source = input::source(path)?;
    let world = source.world(Some(world)).with_context(|| path.to_owned())?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default()
        .build()
        .generate(&mut source.resolve, world, &mut files)?;
    input::create_folder(out)?;
    let mut names = Vec::new();
    for (name, bytes) in files.iter() {
        input::write(Path::new(out).join(name), bytes)?;
        names.push(name);
    }
    Ok(json!({ "files": names }))
}
