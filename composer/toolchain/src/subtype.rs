//! The component model's own subtyping, asked of one import and one export of two worlds.
//!
//! A component's types are taken from its binary as they are; a world in WIT is encoded as a component type by
//! wit-component. wasmparser's validator reads both, and its subtype check decides. (A component is not decoded to WIT and
//! encoded again: WIT can't express an export that speaks of imported resources beside an export of their interface.)
//!
//! Value types are compared by structure. Resources are compared by identity, so before asking, each resource that the
//! consumer imports is replaced by the provider's that it will be when the two are joined:
//! * what the provider exports, the consumer has from it;
//! * what both import comes to both from the same place: `fits` lists those interfaces as `shared`, for the caller to see
//!   to it.

use crate::input::Source;
use crate::names;
use anyhow::{Context, Result, bail};
use wasm_encoder::ComponentBuilder;
use wasmparser::collections::IndexMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentItem, ComponentTypeId, Remap, Remapping,
    ResourceId, SubtypeCx,
};
use wasmparser::types::Types;
use wasmparser::{Parser, ValidPayload, Validator, WasmFeatures};
use wit_parser::WorldId;

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

/// What a component imports, or exports.
type Items = IndexMap<String, ComponentItem>;

impl Worlds {
    pub fn new(consumer: (&Source, WorldId), provider: (&Source, WorldId)) -> Result<Self> {
        let mut both = ComponentBuilder::default();
        for (source, world) in [consumer, provider] {
            match &source.component {
                Some((_, binary)) => both.component_raw(None, binary),
                None => {
                    let package = source.resolve.worlds[world].package;
                    let package = package.context("a world without a package")?;
                    let encoded = wit_component::encode(&source.resolve, package, false)?;
                    both.component_raw(None, &encoded)
                }
            };
        }
        let types = types(&both.finish())?;
        let consumer = world(&types, 0, consumer)?;
        let provider = world(&types, 1, provider)?;
        Ok(Worlds {
            types,
            consumer,
            provider,
        })
    }

    /// Where the provider's export is no subtype of the consumer's import, if anywhere.
    pub fn misfit(&self, import: &str, export: &str) -> Result<Option<Misfit>> {
        let mut expected = self.types[self.consumer]
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
        let (mut joined, mut merged) = (self.joined(), self.merged());
        context.b.remap_component_entity(&mut expected, &mut joined);
        context.a.remap_component_entity(&mut found, &mut merged);
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

    /// Which resource of the provider each one that the consumer imports is.
    fn joined(&self) -> Remapping {
        let (consumer, provider) = (&self.types[self.consumer], &self.types[self.provider]);
        let mut joined = Remapping::default();
        for (id, path) in &consumer.imported_resources {
            let given = self.place(&consumer.imports, path).and_then(|place| {
                self.resource(&provider.exports, &place)
                    .or_else(|| self.resource(&provider.imports, &place))
            });
            if let Some(given) = given {
                joined.add(*id, given);
            }
        }
        joined
    }

    /// Which resources of the provider are one, though it imports several versions of their interface.
    fn merged(&self) -> Remapping {
        let provider = &self.types[self.provider];
        let mut merged = Remapping::default();
        for (id, path) in &provider.imported_resources {
            let first = self
                .place(&provider.imports, path)
                .and_then(|place| self.resource(&provider.imports, &place));
            if let Some(first) = first.filter(|first| first != id) {
                merged.add(*id, first);
            }
        }
        merged
    }

    /// A path of indices as names: an interface and what it has, or just the name of what belongs to no interface.
    fn place(&self, items: &Items, path: &[usize]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let (name, item) = items.get_index(*first)?;
        let mut place = vec![name.clone()];
        if !rest.is_empty() {
            let ComponentEntityType::Instance(id) = item.ty else {
                return None;
            };
            place.extend(self.place(&self.types[id].exports, rest)?);
        }
        Some(place)
    }

    /// The resource in this place; interfaces are found by compatibility, and the first of several counts.
    fn resource(&self, items: &Items, place: &[String]) -> Option<ResourceId> {
        let (first, rest) = place.split_first()?;
        let wanted = names::track(first);
        let (_, item) = items
            .iter()
            .find(|(name, _)| names::track(name) == wanted)?;
        match item.ty {
            ComponentEntityType::Instance(id) => self.resource(&self.types[id].exports, rest),
            ComponentEntityType::Type {
                referenced: ComponentAnyTypeId::Resource(id),
                ..
            } => Some(id.resource()),
            _ => None,
        }
    }
}

/// The types in a binary. Function bodies are passed over: of 18 MB they are nearly all.
fn types(binary: &[u8]) -> Result<Types> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut outermost = None;
    for payload in Parser::new(0).parse_all(binary) {
        if let ValidPayload::End(types) = validator.payload(&payload?)? {
            outermost = Some(types);
        }
    }
    outermost.context("unexpected end")
}

/// The type of the component with this index, or of the world that the package with this index was encoded with.
///
/// wit-component encodes a world as an exported type: a component that exports the component type of that world.
fn world(types: &Types, index: u32, side: (&Source, WorldId)) -> Result<ComponentTypeId> {
    let (source, world) = side;
    let outer = types.as_ref().component_at(index);
    if source.component.is_some() {
        return Ok(outer);
    }
    let name = &source.resolve.worlds[world].name;
    let Some(ComponentEntityType::Type {
        referenced: ComponentAnyTypeId::Component(wrapper),
        ..
    }) = types[outer].exports.get(name).map(|item| item.ty)
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
