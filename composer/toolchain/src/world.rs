//! `world`: what a world imports and exports, by full names, in a form of our own.

use crate::input;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use wit_parser::{Docs, Interface, Resolve, TypeDefKind, WorldItem, WorldKey};

pub fn describe(path: &str, name: Option<&str>) -> Result<Value> {
    let source = input::source(path)?;
    let resolve = &source.resolve;
    let world = &resolve.worlds[source.world(name).with_context(|| path.to_owned())?];
    let items = |items: Vec<(&WorldKey, &WorldItem)>| -> Vec<Value> {
        items
            .into_iter()
            .map(|(key, item)| describe_item(resolve, key, item))
            .collect()
    };
    Ok(json!({
        "world": world.name,
        "package": world.package.map(|id| resolve.packages[id].name.to_string()),
        "docs": contents(&world.docs),
        "imports": items(world.imports.iter().collect()),
        "exports": items(world.exports.iter().collect()),
    }))
}

fn describe_item(resolve: &Resolve, key: &WorldKey, item: &WorldItem) -> Value {
    let name = resolve.name_world_key(key);
    match item {
        WorldItem::Interface { id, .. } => {
            let interface = &resolve.interfaces[*id];
            json!({
                "name": name,
                "kind": "interface",
                "functions": interface.functions.keys().collect::<Vec<_>>(),
                "resources": resources(resolve, interface),
                "docs": contents(&interface.docs),
            })
        }
        WorldItem::Function(function) => json!({
            "name": name,
            "kind": "function",
            "functions": [function.name],
            "resources": [],
            "docs": contents(&function.docs),
        }),
        WorldItem::Type { id, .. } => json!({
            "name": name,
            "kind": "type",
            "functions": [],
            "resources": [],
            "docs": contents(&resolve.types[*id].docs),
        }),
    }
}

/// The resources an interface defines; those it uses from others are theirs.
fn resources<'a>(resolve: &Resolve, interface: &'a Interface) -> Vec<&'a String> {
    let defined = |id| matches!(resolve.types[id].kind, TypeDefKind::Resource);
    interface
        .types
        .iter()
        .filter(|(_, id)| defined(**id))
        .map(|(name, _)| name)
        .collect()
}

fn contents(docs: &Docs) -> Option<&str> {
    docs.contents.as_deref()
}
