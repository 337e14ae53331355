//! The plan: how the Canonical ABI sits on the merged module. `docs/core-plan.md` is its contract.

use super::core_module::CoreModule;
use super::hazards::{Hazard, Hazards};
use super::types::Types;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wasmtime_environ::Trap;
use wasmtime_environ::component::{
    CanonicalOptions, CanonicalOptionsDataModel, Component, ComponentTranslation, Export,
    ExportIndex, GlobalInitializer, LoweredIndex, OptionsIndex, RuntimeImportIndex, StringEncoding,
    Trampoline, TypeDef, TypeResourceTableIndex,
};

/// What the plan's parts are made from, and what they find on the way.
pub struct Planner<'a> {
    pub translation: &'a ComponentTranslation,
    pub types: Types<'a>,
    /// How many resource tables there are.
    pub tables: u32,
    pub found: Hazards,
}

/// The functions, resources and types under one name.
#[derive(Default)]
struct Item {
    functions: Vec<Value>,
    resources: Vec<Value>,
    types: Vec<Value>,
}

impl Item {
    fn json(self, interface: &str) -> Value {
        json!({ "interface": interface, "functions": self.functions, "resources": self.resources, "types": self.types })
    }

    fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.resources.is_empty() && self.types.is_empty()
    }
}

impl<'a> Planner<'a> {
    fn component(&self) -> &'a Component {
        &self.translation.component
    }

    /// Everything but the digests. What can't be planned is among `found` then.
    pub fn plan(mut self, core: &mut CoreModule) -> Result<(Value, Hazards)> {
        let imports = self.imports();
        if !self.found.is_empty() {
            return Ok((Value::Null, self.found));
        }
        let trampolines = self.trampolines()?;
        let exports = self.exports(core)?;
        let resources = self.resources(core)?;
        let tables =
            (0..self.tables).map(|index| self.types.table(TypeResourceTableIndex::from_u32(index)));
        let tables: Value = tables.collect();
        let traps = self.traps();
        let found = std::mem::take(&mut self.found);
        let (types, functions) = self.types.finish();
        let plan = json!({
            "instances": core.instances(),
            "memories": core.memories(),
            "types": types,
            "functions": functions,
            "resources": resources,
            "tables": tables,
            "imports": imports,
            "exports": exports,
            "trampolines": trampolines,
            "traps": traps,
        });
        Ok((plan, found))
    }

    fn imports(&mut self) -> Value {
        let mut items = Vec::new();
        let mut root = Item::default();
        for (_, (name, import)) in self.component().import_types.iter() {
            if let TypeDef::ComponentInstance(index) = import.ty {
                let mut item = Item::default();
                for (inner, export) in &self.types.source()[index].exports {
                    self.import(inner, export.ty, name, &mut item);
                }
                items.push(item.json(name));
            } else {
                self.import(name, import.ty, "", &mut root);
            }
        }
        if !root.is_empty() {
            items.push(root.json(""));
        }
        Value::Array(items)
    }

    fn import(&mut self, name: &str, ty: TypeDef, interface: &str, item: &mut Item) {
        match ty {
            TypeDef::ComponentFunc(ty) => {
                let ty = self.types.function(ty, &mut self.found);
                item.functions.push(json!({ "name": name, "type": ty }));
            }
            ty => self.type_item(name, ty, interface, "imports", item),
        }
    }

    /// What imports and exports have in common; `verb` is which.
    fn type_item(&mut self, name: &str, ty: TypeDef, interface: &str, verb: &str, item: &mut Item) {
        match ty {
            TypeDef::Resource(table) => {
                let known = !self.types.table(table).is_null();
                item.resources
                    .push(json!({ "name": name, "table": known.then_some(table.as_u32()) }));
            }
            TypeDef::Interface(ty) => {
                let ty = self.types.value(&ty, &mut self.found);
                item.types.push(json!({ "name": name, "type": ty }));
            }
            TypeDef::Module(_) | TypeDef::CoreFunc(_) => {
                self.found.add(
                    Hazard::CoreModules,
                    format!("it {verb} the core module {}", place(interface, name)),
                );
            }
            TypeDef::ComponentInstance(_) | TypeDef::Component(_) | TypeDef::ComponentFunc(_) => {
                self.found.add(
                    Hazard::World,
                    format!("it {verb} the {} {}", ty.desc(), place(interface, name)),
                );
            }
        }
    }

    fn exports(&mut self, core: &mut CoreModule) -> Result<Value> {
        let component = self.component();
        let mut items = Vec::new();
        let mut root = Item::default();
        for (name, (index, _)) in component.exports.raw_iter() {
            if let Export::Instance { exports, .. } = &component.export_items[*index] {
                let mut item = Item::default();
                for (inner, (index, _)) in exports.raw_iter() {
                    self.export(inner, *index, name, &mut item, core)?;
                }
                items.push(item.json(name));
            } else {
                self.export(name, *index, "", &mut root, core)?;
            }
        }
        if !root.is_empty() {
            items.push(root.json(""));
        }
        Ok(Value::Array(items))
    }

    fn export(
        &mut self,
        name: &str,
        index: ExportIndex,
        interface: &str,
        item: &mut Item,
        core: &mut CoreModule,
    ) -> Result<()> {
        match &self.component().export_items[index] {
            Export::LiftedFunction { ty, func, options } => {
                let ty = self.types.function(*ty, &mut self.found);
                let (signature, options) = (self.signature(*options), self.options(*options));
                let function = core.function("lift", func)?;
                item.functions.push(json!({ "name": name, "type": ty, "core": function, "options": options, "signature": signature }));
            }
            Export::Type(ty) => self.type_item(name, *ty, interface, "exports", item),
            Export::Instance { .. } => {
                self.found.add(
                    Hazard::World,
                    format!("it exports the instance {}", place(interface, name)),
                );
            }
            Export::ModuleStatic { .. } | Export::ModuleImport { .. } => {
                self.found.add(
                    Hazard::CoreModules,
                    format!("it exports the core module {}", place(interface, name)),
                );
            }
        }
        Ok(())
    }

    fn signature(&self, options: OptionsIndex) -> Value {
        self.types
            .signature(self.component().options[options].core_type)
    }

    fn options(&mut self, index: OptionsIndex) -> Value {
        let CanonicalOptions {
            instance,
            string_encoding,
            callback,
            post_return,
            async_,
            data_model,
            ..
        } = &self.component().options[index];
        if *async_ || callback.is_some() {
            self.found
                .add(Hazard::Async, "it lifts or lowers functions asynchronously");
        }
        let (memory, realloc) = match data_model {
            CanonicalOptionsDataModel::LinearMemory(linear) => (linear.memory, linear.realloc),
            CanonicalOptionsDataModel::Gc {} => {
                self.found
                    .add(Hazard::Gc, "it lifts or lowers functions with GC values");
                (None, None)
            }
        };
        json!({
            "instance": instance.as_u32(),
            "encoding": match string_encoding {
                StringEncoding::Utf8 => "utf8",
                StringEncoding::Utf16 => "utf16",
                StringEncoding::CompactUtf16 => "latin1+utf16",
            },
            "memory": memory.map(|index| format!("memory:{}", index.as_u32())),
            "realloc": realloc.map(|index| format!("realloc:{}", index.as_u32())),
            "post_return": post_return.map(|index| format!("post-return:{}", index.as_u32())),
        })
    }

    /// Imported resources first, as the translator numbers them.
    fn resources(&self, core: &mut CoreModule) -> Result<Value> {
        let component = self.component();
        let mut resources = Vec::new();
        for (_, import) in component.imported_resources.iter() {
            let (interface, name) = self.imported(*import)?;
            resources.push(json!({ "interface": interface, "name": name }));
        }
        for initializer in &component.initializers {
            if let GlobalInitializer::Resource(resource) = initializer {
                let dtor = resource
                    .dtor
                    .as_ref()
                    .map(|dtor| core.function("dtor", dtor))
                    .transpose()?;
                resources.push(json!({ "instance": resource.instance.as_u32(), "dtor": dtor }));
            }
        }
        Ok(Value::Array(resources))
    }

    /// The interface (or an empty name) and the name in it.
    fn imported(&self, index: RuntimeImportIndex) -> Result<(&'a str, &'a str)> {
        let component = self.component();
        let (import, path) = &component.imports[index];
        let outer = component.import_types[*import].0.as_str();
        match path.as_slice() {
            [] => Ok(("", outer)),
            [name] => Ok((outer, name)),
            _ => anyhow::bail!("the import {outer:?} has instances in it"),
        }
    }

    fn trampolines(&mut self) -> Result<Value> {
        let component = self.component();
        let lowered: BTreeMap<LoweredIndex, RuntimeImportIndex> = component
            .initializers
            .iter()
            .filter_map(|initializer| match initializer {
                GlobalInitializer::LowerImport { index, import } => Some((*index, *import)),
                _ => None,
            })
            .collect();
        let mut trampolines = Vec::new();
        for (index, trampoline) in self.translation.trampolines.iter() {
            let mut described = self.trampoline(trampoline, &lowered)?;
            described["signature"] = self.types.signature(component.trampolines[index]);
            trampolines.push(described);
        }
        Ok(Value::Array(trampolines))
    }

    fn trampoline(
        &mut self,
        trampoline: &Trampoline,
        lowered: &BTreeMap<LoweredIndex, RuntimeImportIndex>,
    ) -> Result<Value> {
        Ok(match trampoline {
            Trampoline::LowerImport {
                index,
                lower_ty,
                options,
            } => {
                let (interface, function) = self.imported(
                    *lowered
                        .get(index)
                        .context("a lowered import without an import")?,
                )?;
                let ty = self.types.function(*lower_ty, &mut self.found);
                json!({ "kind": "lower", "interface": interface, "function": function, "type": ty, "options": self.options(*options) })
            }
            Trampoline::Transcoder {
                op,
                from,
                from64,
                to,
                to64,
            } => {
                if *from64 || *to64 {
                    self.found.add(
                        Hazard::Memory64,
                        "strings cross between instances through a 64-bit memory",
                    );
                }
                let (from, to) = (
                    format!("memory:{}", from.as_u32()),
                    format!("memory:{}", to.as_u32()),
                );
                json!({ "kind": "transcode", "operation": op.desc(), "from": from, "to": to })
            }
            Trampoline::ResourceNew { instance, ty } => {
                resource("resource-new", instance.as_u32(), ty.as_u32())
            }
            Trampoline::ResourceRep { instance, ty } => {
                resource("resource-rep", instance.as_u32(), ty.as_u32())
            }
            Trampoline::ResourceDrop { instance, ty } => {
                resource("resource-drop", instance.as_u32(), ty.as_u32())
            }
            Trampoline::ResourceTransferOwn => json!({ "kind": "resource-transfer-own" }),
            Trampoline::ResourceTransferBorrow => json!({ "kind": "resource-transfer-borrow" }),
            Trampoline::EnterSyncCall => json!({ "kind": "enter-sync-call" }),
            Trampoline::ExitSyncCall => json!({ "kind": "exit-sync-call" }),
            Trampoline::Trap => json!({ "kind": "trap" }),
            other => {
                self.found
                    .add(Hazard::Async, format!("it needs `{}`", other.symbol_name()));
                json!({ "kind": "unknown" })
            }
        })
    }

    /// What adapters may hand to the trampoline `trap`.
    fn traps(&self) -> Value {
        let mut traps = serde_json::Map::new();
        if self
            .translation
            .trampolines
            .values()
            .any(|trampoline| matches!(trampoline, Trampoline::Trap))
        {
            for (code, trap) in (0..=u8::MAX).map_while(|code| Some((code, Trap::from_u8(code)?))) {
                let message = trap.to_string();
                traps.insert(
                    code.to_string(),
                    json!(message.trim_start_matches("wasm trap: ")),
                );
            }
        }
        Value::Object(traps)
    }
}

fn resource(kind: &str, instance: u32, table: u32) -> Value {
    json!({ "kind": kind, "instance": instance, "table": table })
}

fn place(interface: &str, name: &str) -> String {
    if interface.is_empty() {
        format!("{name:?}")
    } else {
        format!("{name:?} of {interface:?}")
    }
}
