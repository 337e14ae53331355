//! `fuse`: components as one component, in which their calls to each other need no host.
//!
//! Every component stays as it is, nested in the outer one. What no other of them serves becomes an import of the outer component under
//! the node's own name (`vendor:wasi-io/streams@0.2.9`), so that the host knows who asks, and resource types of two nodes are two types.

mod outline;
mod renumber;

use crate::{binary, input};
use anyhow::{Context, Result, anyhow, bail};
use outline::Outline;
use renumber::Renumber;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use wasm_encoder::reencode::ReencodeComponent;
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentImportSection, ComponentInstanceSection, ComponentSectionId, ComponentTypeSection,
    RawSection,
};
use wasmparser::{ComponentAlias, ComponentTypeRef, Payload, Validator};

/// The interface under which what stands at the root of a node's world is exported.
const ROOT: &str = "root";

/// Writes the outer component. `spec` is a JSON file:
///
/// ```json
/// { "nodes": [{ "name": "json", "file": "a.wasm", "links": { IMPORT: [NODE, EXPORT] }, "entry": true }] }
/// ```
///
/// with providers before consumers; `entry`: all that the node exports is exported. Of other nodes that is what links name: an export's types
/// may be another node's, and must have a name outside then. The answer says whose import and export is which:
/// `{ "imports": { OUTER: [NODE, INNER] }, "exports": … }`, where what stands at the root of a world is exported as the interface "".
pub fn run(spec: &str, out: &str) -> Result<Value> {
    let spec: Value = serde_json::from_str(&input::text(spec)?).with_context(|| spec.to_owned())?;
    let nodes = spec["nodes"].as_array().context("no list of nodes")?;
    let mut outer = Outer::default();
    let linked = linked(nodes)?;
    for node in nodes {
        let name = text(&node["name"])?;
        let path = text(&node["file"])?;
        let bytes = input::component(path)?;
        let entry = node["entry"] == true;
        let out = |export: &str| entry || linked.contains(&(name, export));
        outer
            .add(&bytes, name, &node["links"], out)
            .with_context(|| name.to_owned())?;
    }
    let bytes = outer.component.finish();
    Validator::new_with_features(binary::features())
        .validate_all(&bytes)
        .map_err(|error| anyhow!("what came of it is not valid: {error}"))?;
    input::write(out, &bytes)?;
    Ok(json!({ "size": bytes.len(), "imports": outer.imports, "exports": outer.exports }))
}

/// Every export that one of the nodes takes from another, with that other.
fn linked(nodes: &[Value]) -> Result<HashSet<(&str, &str)>> {
    let links = nodes.iter().filter_map(|node| node["links"].as_object());
    links
        .flat_map(|links| links.values())
        .map(|link| Ok((text(&link[0])?, text(&link[1])?)))
        .collect()
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("text is missing")
}

/// The component that is being written.
#[derive(Default)]
struct Outer {
    component: Component,
    types: u32,
    instances: u32,
    functions: u32,
    components: u32,
    /// Of each node: its instance.
    made: HashMap<String, u32>,
    /// Names that are taken, in lower case: the format tells names apart by no more.
    taken: HashSet<String>,
    imports: Map<String, Value>,
    exports: Map<String, Value>,
}

type Argument = (String, ComponentExportKind, u32);

impl Outer {
    /// Nest a component and make its instance; what `out` says of its exports is exported.
    fn add(
        &mut self,
        bytes: &[u8],
        node: &str,
        links: &Value,
        out: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let outline = Outline::of(bytes)?;
        let arguments = self.arguments(node, outline.head, links)?;
        self.component.section(&RawSection {
            id: ComponentSectionId::Component.into(),
            data: bytes,
        });
        let mut section = ComponentInstanceSection::new();
        section.instantiate(self.components, arguments);
        self.component.section(&section);
        self.components += 1;
        let instance = self.next(ComponentExportKind::Instance)?;
        self.made.insert(node.to_owned(), instance);
        let exports = outline.exports.into_iter();
        let exports: Vec<_> = exports.filter(|(name, _)| out(name)).collect();
        self.give_out(node, instance, &exports)
    }

    /// What the node is instantiated with, in the order of its imports: everything before the last of them is written again, since types
    /// of later imports refer to earlier ones.
    fn arguments(
        &mut self,
        node: &str,
        head: Vec<Payload>,
        links: &Value,
    ) -> Result<Vec<Argument>> {
        let mut renumber = Renumber::default();
        let mut arguments = Vec::new();
        for payload in head {
            match payload {
                Payload::ComponentTypeSection(types) => {
                    let mut section = ComponentTypeSection::new();
                    for ty in types {
                        renumber
                            .parse_component_type(section.ty(), ty?)
                            .map_err(unencodable)?;
                        renumber.types.push(self.next(ComponentExportKind::Type)?);
                    }
                    self.component.section(&section);
                }
                Payload::ComponentAliasSection(aliases) => {
                    for alias in aliases {
                        self.alias(&mut renumber, alias?)?;
                    }
                }
                Payload::ComponentImportSection(imports) => {
                    for import in imports {
                        let import = import?;
                        let argument =
                            self.argument(&mut renumber, node, import.name.name, import.ty, links)?;
                        arguments.push(argument);
                    }
                }
                _ => bail!("it defines things between its imports, which can't be joined"),
            }
        }
        Ok(arguments)
    }

    /// An item taken out of an instance that came before.
    fn alias(&mut self, renumber: &mut Renumber, alias: ComponentAlias) -> Result<()> {
        let ComponentAlias::InstanceExport { kind, .. } = alias else {
            bail!("it takes things from outside itself between its imports");
        };
        let mut section = ComponentAliasSection::new();
        section.alias(renumber.component_alias(alias).map_err(unencodable)?);
        self.component.section(&section);
        let kind = ComponentExportKind::from(kind);
        let index = self.next(kind)?;
        renumber.push(kind, index);
        Ok(())
    }

    /// What an import is satisfied by: another node's export, or an import of the outer component.
    fn argument(
        &mut self,
        renumber: &mut Renumber,
        node: &str,
        name: &str,
        ty: ComponentTypeRef,
        links: &Value,
    ) -> Result<Argument> {
        let kind = match ty {
            ComponentTypeRef::Instance(_) => ComponentExportKind::Instance,
            ComponentTypeRef::Type(_) => ComponentExportKind::Type,
            ComponentTypeRef::Func(_) => ComponentExportKind::Func,
            _ => bail!("its import `{name}` is of a kind that can't be joined"),
        };
        if let Some(link) = links.get(name) {
            let provider = text(&link[0])?;
            let instance = *self
                .made
                .get(provider)
                .with_context(|| format!("`{provider}` comes after `{node}`"))?;
            self.take(instance, kind, text(&link[1])?);
        } else {
            let outer = self.name(node, name);
            let ty = renumber.component_type_ref(ty).map_err(unencodable)?;
            let mut section = ComponentImportSection::new();
            section.import(outer.as_str(), ty);
            self.component.section(&section);
            self.imports.insert(outer, json!([node, name]));
        }
        let index = self.next(kind)?;
        renumber.push(kind, index);
        Ok((name.to_owned(), kind, index))
    }

    /// Export what the node exports, under its name.
    fn give_out(
        &mut self,
        node: &str,
        instance: u32,
        exports: &[(String, ComponentExportKind)],
    ) -> Result<()> {
        let mut root = Vec::new();
        for (name, kind) in exports {
            self.take(instance, *kind, name);
            let index = self.next(*kind)?;
            if *kind == ComponentExportKind::Instance {
                let outer = self.name(node, name);
                self.export(&outer, index)?;
                self.exports.insert(outer, json!([node, name]));
            } else {
                root.push((name.as_str(), *kind, index));
            }
        }
        if !root.is_empty() {
            let mut section = ComponentInstanceSection::new();
            section.export_items(root);
            self.component.section(&section);
            let index = self.next(ComponentExportKind::Instance)?;
            let outer = self.name(node, &format!("world/{ROOT}"));
            self.export(&outer, index)?;
            self.exports.insert(outer, json!([node, ""]));
        }
        Ok(())
    }

    fn export(&mut self, name: &str, instance: u32) -> Result<()> {
        let mut section = ComponentExportSection::new();
        section.export(name, ComponentExportKind::Instance, instance, None);
        self.component.section(&section);
        self.next(ComponentExportKind::Instance)?; // an export is an item of its own
        Ok(())
    }

    /// Take an export out of an instance.
    fn take(&mut self, instance: u32, kind: ComponentExportKind, name: &str) {
        let mut section = ComponentAliasSection::new();
        section.alias(Alias::InstanceExport {
            instance,
            kind,
            name,
        });
        self.component.section(&section);
    }

    /// The index of the item that was just added.
    fn next(&mut self, kind: ComponentExportKind) -> Result<u32> {
        let count = match kind {
            ComponentExportKind::Type => &mut self.types,
            ComponentExportKind::Instance => &mut self.instances,
            ComponentExportKind::Func => &mut self.functions,
            kind => bail!("it has an item of the kind {kind:?}, which can't be joined"),
        };
        *count += 1;
        Ok(*count - 1)
    }

    /// The outer name of what a node calls `name`: `wasi:io/streams@0.2.9` is `node:wasi-io/streams@0.2.9`, a plain name `node-name`.
    fn name(&mut self, node: &str, name: &str) -> String {
        let mut package = match name.split_once('/') {
            Some((package, _)) => package.replace(':', "-"),
            None => name.to_owned(),
        };
        loop {
            let outer = match name.split_once('/') {
                Some((_, interface)) => format!("{node}:{package}/{interface}"),
                None => format!("{node}-{package}"),
            };
            if self.taken.insert(outer.to_ascii_lowercase()) {
                return outer;
            }
            package.push_str("-x");
        }
    }
}

fn unencodable(error: wasm_encoder::reencode::Error) -> anyhow::Error {
    anyhow!("{error}")
}
