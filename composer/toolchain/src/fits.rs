//! `fits`: can what one world exports serve what another imports?

use crate::subtype::{Misfit, Worlds};
use crate::{excerpt, input, names};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wit_parser::{LiveTypes, Resolve, TypeDefKind, TypeOwner, WorldItem, WorldKey};

/// One end of an edge: an item that a world imports or exports.
struct End<'a> {
    resolve: &'a Resolve,
    name: String,
    item: &'a WorldItem,
}

/// Compares the import and the export that `interface` means, version compatibility included.
pub fn check(consumer: &str, provider: &str, interface: &str) -> Result<Value> {
    let (wanting, wanting_world) = input::world(consumer)?;
    let (giving, giving_world) = input::world(provider)?;
    let imports = wanting.resolve.worlds[wanting_world].imports.iter();
    let exports = giving.resolve.worlds[giving_world].exports.iter();
    let import = End::find(
        &wanting.resolve,
        imports,
        interface,
        &format!("{consumer} imports"),
    )?;
    let export = End::find(
        &giving.resolve,
        exports,
        interface,
        &format!("{provider} exports"),
    )?;
    let worlds = Worlds::new((&wanting, wanting_world), (&giving, giving_world))?;
    let misfit = worlds.misfit(&import.name, &export.name)?;
    report(&import, &export, misfit.as_ref())
}

fn report(import: &End<'_>, export: &End<'_>, misfit: Option<&Misfit>) -> Result<Value> {
    let item = misfit.and_then(|misfit| misfit.item.as_deref());
    let excerpt = |end: &End<'_>| match misfit {
        None => Ok(None),
        Some(_) => end.excerpt(item),
    };
    Ok(json!({
        "fits": misfit.is_none(),
        "import": import.name,
        "export": export.name,
        "item": item,
        "reason": misfit.map(|misfit| &misfit.reason),
        "expected": excerpt(import)?,
        "found": excerpt(export)?,
        "shared": import.shared(),
    }))
}

impl<'a> End<'a> {
    fn find(
        resolve: &'a Resolve,
        items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>,
        wanted: &str,
        side: &str,
    ) -> Result<Self> {
        let all: Vec<_> = items
            .map(|(key, item)| (resolve.name_world_key(key), item))
            .collect();
        let mut hits: Vec<_> = all
            .iter()
            .filter(|(name, _)| names::means(wanted, name))
            .collect();
        if hits.len() > 1 {
            // Several versions of one interface: only the exact name tells which.
            hits.retain(|(name, _)| name == wanted);
        }
        match hits.as_slice() {
            [(name, item)] => Ok(End {
                resolve,
                name: name.clone(),
                item,
            }),
            _ => {
                let known: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
                bail!(
                    "{side} no single `{wanted}`; it has: {}",
                    names::listed(&known)
                )
            }
        }
    }

    /// WIT text of one item of the interface, or of the function or type itself; `None` if it has no such item.
    fn excerpt(&self, item: Option<&str>) -> Result<Option<String>> {
        let resolve = self.resolve;
        let text = match (self.item, item) {
            (WorldItem::Function(function), _) => excerpt::of_function(resolve, function)?,
            (WorldItem::Type { id, .. }, _) => excerpt::of_type(resolve, *id)?,
            (WorldItem::Interface { .. }, None) => format!("interface {}", self.name),
            (WorldItem::Interface { id, .. }, Some(item)) => {
                let interface = &resolve.interfaces[*id];
                if let Some(function) = interface.functions.get(item) {
                    excerpt::of_function(resolve, function)?
                } else if let Some(id) = interface.types.get(item) {
                    excerpt::of_type(resolve, *id)?
                } else {
                    return Ok(None);
                }
            }
        };
        Ok(Some(text))
    }

    /// Other interfaces whose resources occur in this one: both sides must get them from the same place.
    fn shared(&self) -> BTreeSet<String> {
        let mut live = LiveTypes::default();
        live.add_world_item(self.resolve, self.item);
        let own = match self.item {
            WorldItem::Interface { id, .. } => Some(*id),
            _ => None,
        };
        live.iter()
            .filter_map(|id| {
                let definition = &self.resolve.types[id];
                match (&definition.kind, definition.owner) {
                    (TypeDefKind::Resource, TypeOwner::Interface(owner)) if Some(owner) != own => {
                        self.resolve.id_of(owner)
                    }
                    _ => None,
                }
            })
            .collect()
    }
}
