//! The component model's own subtyping, asked of one import and one export of two worlds.
//!
//! Both worlds are encoded as component types by wit-component and read back by wasmparser's validator, whose
//! subtype check decides. Value types are compared by structure. Resources are compared by identity, so before asking
//! each resource of the provider is replaced by the consumer's that will be the same one when the two are joined:
//! * what the provider exports, the consumer imports from it;
//! * what both import comes to both from the same place (`fits` lists those interfaces as `shared`); unless the provider
//!   exports that interface as well, since then the consumer has the exported one.

use crate::names;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use wasm_encoder::ComponentBuilder;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentItem, ComponentTypeId, Remap, Remapping,
    ResourceId, SubtypeCx,
};
use wasmparser::types::Types;
use wasmparser::{Validator, WasmFeatures};
use wit_parser::{Resolve, WorldId};

/// Two worlds as the validator sees them.
pub struct Worlds {
    types: Types,
    consumer: ComponentTypeId,
    provider: ComponentTypeId,
}

/// Where two types part.
pub struct Misfit {
    /// The type or function within the interface; `None` if they are not both interfaces.
    pub item: Option<String>,
    pub reason: String,
}

/// Resources by (interface without patch version, name).
type Resources = HashMap<(String, String), ResourceId>;

enum Side {
    Imports,
    Exports,
}

impl Worlds {
    pub fn new(consumer: (&Resolve, WorldId), provider: (&Resolve, WorldId)) -> Result<Self> {
        let mut both = ComponentBuilder::default();
        for (resolve, world) in [consumer, provider] {
            let package = resolve.worlds[world]
                .package
                .context("a world without a package")?;
            both.component_raw(None, &wit_component::encode(resolve, package, false)?);
        }
        let types =
            Validator::new_with_features(WasmFeatures::all()).validate_all(&both.finish())?;
        let name = |(resolve, world): (&Resolve, WorldId)| resolve.worlds[world].name.clone();
        let consumer = encoded_world(&types, 0, &name(consumer))?;
        let provider = encoded_world(&types, 1, &name(provider))?;
        Ok(Worlds {
            types,
            consumer,
            provider,
        })
    }

    /// Where the provider's export is no subtype of the consumer's import, if anywhere.
    pub fn misfit(&self, import: &str, export: &str) -> Result<Option<Misfit>> {
        let expected = self.types[self.consumer]
            .imports
            .get(import)
            .context("import not encoded")?
            .ty;
        let mut found = self.types[self.provider]
            .exports
            .get(export)
            .context("export not encoded")?
            .ty;
        let mut context = SubtypeCx::new_with_refs(self.types.as_ref(), self.types.as_ref());
        context
            .a
            .remap_component_entity(&mut found, &mut self.joined());
        let (ComponentEntityType::Instance(expected), ComponentEntityType::Instance(found)) =
            (expected, found)
        else {
            let result = context.component_entity_type(&found, &expected, 0);
            return Ok(result.err().map(|error| Misfit {
                item: None,
                reason: reason(&error),
            }));
        };
        // Item by item, in the order of definition: the first to differ is the innermost.
        let expected = context.b[expected].exports.clone();
        let found = context.a[found].exports.clone();
        for (name, wanted) in &expected {
            let reason = match found.get(name) {
                None => Some("the provider does not have it".to_owned()),
                Some(item) => context
                    .component_entity_type(&item.ty, &wanted.ty, 0)
                    .err()
                    .map(|error| reason(&error)),
            };
            if let Some(reason) = reason {
                return Ok(Some(Misfit {
                    item: Some(name.clone()),
                    reason,
                }));
            }
        }
        Ok(None)
    }

    /// Which resource of the consumer each of the provider's is.
    fn joined(&self) -> Remapping {
        let wanted = self.resources(self.consumer, &Side::Imports);
        let exported: Vec<_> = self.types[self.provider]
            .exports
            .keys()
            .map(|name| names::track(name))
            .collect();
        let mut given = self.resources(self.provider, &Side::Imports);
        given.retain(|(interface, _), _| !exported.contains(interface));
        given.extend(self.resources(self.provider, &Side::Exports));
        let mut joined = Remapping::default();
        for (key, id) in given {
            if let Some(same) = wanted.get(&key) {
                joined.add(id, *same);
            }
        }
        joined
    }

    fn resources(&self, world: ComponentTypeId, side: &Side) -> Resources {
        let world = &self.types[world];
        let (items, resources) = match side {
            Side::Imports => (&world.imports, &world.imported_resources),
            Side::Exports => (&world.exports, &world.defined_resources),
        };
        let mut found = Resources::new();
        for (id, path) in resources {
            let key = match path.as_slice() {
                [item] => items
                    .get_index(*item)
                    .map(|(name, _)| (String::new(), name.clone())),
                [item, inner] => items.get_index(*item).and_then(|(name, item)| {
                    self.name_in(item, *inner)
                        .map(|inner| (names::track(name), inner))
                }),
                _ => None,
            };
            found.extend(key.map(|key| (key, *id)));
        }
        found
    }

    fn name_in(&self, item: &ComponentItem, index: usize) -> Option<String> {
        let ComponentEntityType::Instance(id) = item.ty else {
            return None;
        };
        self.types[id]
            .exports
            .get_index(index)
            .map(|(name, _)| name.clone())
    }
}

/// wit-component encodes a world as an exported type: a component that exports the component type of that world.
fn encoded_world(types: &Types, package: u32, name: &str) -> Result<ComponentTypeId> {
    let package = &types[types.as_ref().component_at(package)];
    let Some(ComponentEntityType::Type {
        referenced: ComponentAnyTypeId::Component(wrapper),
        ..
    }) = package.exports.get(name).map(|item| item.ty)
    else {
        bail!("the world `{name}` was not encoded");
    };
    match types[wrapper]
        .exports
        .iter()
        .next()
        .map(|(_, item)| item.ty)
    {
        Some(ComponentEntityType::Component(world)) => Ok(world),
        _ => bail!("the world `{name}` was not encoded as expected"),
    }
}

/// The validator's message, without its numbers of resources and its offset, which mean nothing here.
fn reason(error: &wasmparser::BinaryReaderError) -> String {
    let message = error.message();
    match message.find("resource types are not the same") {
        Some(at) => format!(
            "{}the resource is defined in different places",
            &message[..at]
        ),
        None => message.to_owned(),
    }
    .replace('\n', ": ")
}
