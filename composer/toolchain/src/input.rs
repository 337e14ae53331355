//! Reading the files named on the command line, with errors that say which file and what is wrong with it.

use crate::names;
use anyhow::{Context, Error, Result, anyhow, bail};
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use wasmparser::{Parser, Payload};
use wit_component::DecodedWasm;
use wit_parser::{PackageId, Resolve, WorldId, WorldItem, WorldKey};

/// WIT from either kind of source: text, or the types of a component.
pub struct Source {
    pub resolve: Resolve,
    pub package: PackageId,
    /// Of a component: its world and its bytes. A WIT package may have several worlds, or none.
    pub component: Option<(WorldId, Vec<u8>)>,
}

impl Source {
    /// The world called `name`, or the only one there is.
    pub fn world(&self, name: Option<&str>) -> Result<WorldId> {
        match (&self.component, name) {
            (Some((world, _)), None) => Ok(*world),
            (Some(_), Some(name)) => {
                bail!("a component has one world, so `{name}` can't be chosen")
            }
            (None, _) => self
                .resolve
                .select_world(&[self.package], name)
                .map_err(|error| {
                    let known: Vec<_> = self.resolve.packages[self.package]
                        .worlds
                        .keys()
                        .map(String::as_str)
                        .collect();
                    anyhow!("{error} (worlds there: {})", names::listed(&known))
                }),
        }
    }
}

/// Reads a WIT folder, a `.wit` file, an encoded WIT package or a component.
pub fn source(path: &str) -> Result<Source> {
    if Path::new(path).is_dir() || path.ends_with(".wit") {
        return wit(path);
    }
    let bytes = component(path)?;
    match wit_component::decode(&bytes).with_context(|| path.to_owned())? {
        DecodedWasm::WitPackage(resolve, package) => Ok(Source {
            resolve,
            package,
            component: None,
        }),
        DecodedWasm::Component(resolve, world) => {
            complete(&bytes, &resolve, world).with_context(|| path.to_owned())?;
            let package = resolve.worlds[world]
                .package
                .context("a world without a package")?;
            Ok(Source {
                resolve,
                package,
                component: Some((world, bytes)),
            })
        }
    }
}

/// Reads `FOLDER#WORLD`, `FOLDER` (with one world) or a component, and chooses the world.
pub fn world(argument: &str) -> Result<(Source, WorldId)> {
    let (path, name) = match argument.split_once('#') {
        Some((path, name)) => (path, Some(name)),
        None => (argument, None),
    };
    let source = source(path)?;
    let world = source.world(name).with_context(|| path.to_owned())?;
    Ok((source, world))
}

fn wit(path: &str) -> Result<Source> {
    let mut resolve = Resolve::default();
    if !Path::new(path).exists() {
        bail!("{path}: no such file or folder");
    }
    match resolve.push_path(path) {
        Ok((package, _)) => Ok(Source {
            resolve,
            package,
            component: None,
        }),
        Err(error) => bail!("{}", located(&error, &resolve, path)),
    }
}

/// The library's message as `FILE:LINE:COLUMN: MESSAGE` with the lines it shows, without what it was doing meanwhile.
fn located(error: &Error, resolve: &Resolve, path: &str) -> String {
    let rendered = resolve.render_error(error);
    let cause = error.root_cause().to_string();
    let start = rendered.find(&cause).unwrap_or(0);
    let place = rendered
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> "));
    match place {
        Some(place) => format!("{place}: {}", &rendered[start..]),
        None => format!("{path}: {}", &rendered[start..]),
    }
}

/// Decoding leaves out whatever WIT can't express, such as an imported core module. A plan made from the rest would
/// not be total, so such a component is refused.
fn complete(bytes: &[u8], resolve: &Resolve, world: WorldId) -> Result<()> {
    let world = &resolve.worlds[world];
    let known = |items: Vec<(&WorldKey, &WorldItem)>| -> HashSet<String> {
        items
            .iter()
            .map(|(key, _)| resolve.name_world_key(key))
            .collect()
    };
    let imports = known(world.imports.iter().collect());
    let exports = known(world.exports.iter().collect());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let name = import?.name.name;
                    if !imports.contains(name) {
                        bail!("its import `{name}` is nothing that WIT can express");
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let name = export?.name.name;
                    // A world-level type is exported under the name it was imported by.
                    if !exports.contains(name) && !imports.contains(name) {
                        bail!("its export `{name}` is nothing that WIT can express");
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The bytes of a file that is a component in binary form.
pub fn component(path: &str) -> Result<Vec<u8>> {
    let bytes = binary(path)?;
    if !Parser::is_component(&bytes) {
        bail!("{path}: a core module, where a component is expected");
    }
    Ok(bytes)
}

/// The bytes of a file that is a core module in binary form.
pub fn core_module(path: &str) -> Result<Vec<u8>> {
    let bytes = binary(path)?;
    if !Parser::is_core_wasm(&bytes) {
        bail!("{path}: a component, where a core module is expected");
    }
    Ok(bytes)
}

/// The bytes of a file that starts as WebAssembly in binary form does.
pub fn binary(path: &str) -> Result<Vec<u8>> {
    let bytes = file(path)?;
    if !Parser::is_component(&bytes) && !Parser::is_core_wasm(&bytes) {
        bail!("{path}: not a WebAssembly binary");
    }
    Ok(bytes)
}

/// The text of a file that is no WebAssembly in binary form.
pub fn text(path: &str) -> Result<String> {
    let bytes = file(path)?;
    if Parser::is_component(&bytes) || Parser::is_core_wasm(&bytes) {
        bail!("{path}: a WebAssembly binary, where text is expected");
    }
    String::from_utf8(bytes).map_err(|error| anyhow!("{path}: {}", error.utf8_error()))
}

/// The bytes of a file that is not empty.
pub fn file(path: &str) -> Result<Vec<u8>> {
    if Path::new(path).is_dir() {
        bail!("{path}: a folder, where a file is expected");
    }
    let bytes = fs::read(path).with_context(|| path.to_owned())?;
    if bytes.is_empty() {
        bail!("{path}: the file is empty");
    }
    Ok(bytes)
}

pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<()> {
    fs::write(&path, bytes).with_context(|| path.as_ref().display().to_string())
}

pub fn create_folder(path: &str) -> Result<()> {
    fs::create_dir_all(path).with_context(|| path.to_owned())
}

/// The message with its causes, outermost first, none said twice.
pub fn describe(error: &Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if message.contains(&text) {
            continue;
        }
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(text.trim());
    }
    message
}
