//! From the translator's core definitions to one module, and to the names of what it exports.

use super::hazards::{Hazard, Hazards};
use super::merge::{Instance, Merger};
use super::parts::Parts;
use super::space::Entity;
use super::transcoder;
use super::types::Types;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::ValType;
use wasmparser::{ExternalKind, Operator, Parser, Payload};
use wasmtime_environ::component::{
    ComponentTranslation, CoreDef, CoreExport, ExportItem, GlobalInitializer, InstantiateModule,
    RuntimeMemoryIndex, StaticModuleIndex, TrampolineIndex,
};
use wasmtime_environ::{EntityIndex, IndexType, ModuleTranslation, PrimaryMap, Trap, WasmValType};

/// The most bytes of modules that are merged, each counted as often as it is instantiated.
const MOST: usize = 512 << 20;

pub type Modules<'a> = PrimaryMap<StaticModuleIndex, ModuleTranslation<'a>>;

pub struct CoreModule {
    merger: Merger,
    flags: BTreeMap<u32, Entity>,
    instances: u32,
    memories: Vec<String>,
    places: Vec<Value>,
    /// Of exported functions, by prefix and index.
    names: BTreeMap<(&'static str, u32), String>,
    /// The memories between which strings pass that are UTF-8 on both sides, by trampoline.
    transcoders: transcoder::Between,
    /// The functions that were written for those.
    transcoding: BTreeMap<TrampolineIndex, Entity>,
    extracted: BTreeMap<RuntimeMemoryIndex, CoreExport<EntityIndex>>,
}

impl CoreModule {
    /// Merge the core instances. Where something is `found`, there is no result. `parts` are those of the component that was translated.
    pub fn merge(
        parts: &Parts,
        translation: &ComponentTranslation,
        modules: &Modules,
        types: &Types,
        found: &mut Hazards,
    ) -> Result<Option<CoreModule>> {
        let instances = survey(translation, modules, found)?;
        if !found.is_empty() {
            return Ok(None);
        }
        let translated = &translation.component;
        let mut core = CoreModule {
            merger: Merger::default(),
            flags: BTreeMap::new(),
            instances: translated.num_runtime_component_instances,
            memories: Vec::new(),
            places: Vec::new(),
            names: BTreeMap::new(),
            transcoders: transcoder::between(translation),
            transcoding: BTreeMap::new(),
            extracted: extracted(translation),
        };
        for (_, ty) in translated.trampolines.iter() {
            let (parameters, results) = types.core(*ty);
            core.merger
                .trampoline(&value_types(parameters)?, &value_types(results)?);
        }
        for flag in flags(&instances) {
            let entity = core.merger.flag();
            core.flags.insert(flag, entity);
            core.merger.export(&format!("flags:{flag}"), entity)?;
        }
        for instance in &instances {
            let module = &modules[instance.module];
            let part = parts.of(module.wasm);
            core.instantiate(module, instance, part)?;
        }
        core.extract(translation, modules, &instances, found)?;
        Ok(found.is_empty().then_some(core))
    }

    fn instantiate(
        &mut self,
        module: &ModuleTranslation,
        instance: &Static,
        part: Option<usize>,
    ) -> Result<()> {
        let arguments = instance
            .arguments
            .iter()
            .map(|argument| self.definition(argument))
            .collect::<Result<_>>()?;
        let adapter = instance.component.is_none();
        let place = self.merger.instance(&Instance {
            wasm: module.wasm,
            arguments,
            adapter,
        })?;
        let mut described = json!({
            "module": place.name,
            "kind": if adapter { "adapter" } else { "guest" },
            "instance": instance.component,
            "functions": [place.first, place.count],
        });
        if let Some(part) = part {
            described["part"] = json!(part);
        }
        self.places.push(described);
        Ok(())
    }

    /// The function that stands for a trampoline: where strings need no more than a copy, one in wasm that calls it if they are broken.
    fn trampoline(&mut self, index: TrampolineIndex) -> Result<Entity> {
        let host = Entity {
            kind: ExternalKind::Func,
            index: index.as_u32(),
        };
        let Some((from, to)) = self.transcoders.get(&index).copied() else {
            return Ok(host);
        };
        if let Some(entity) = self.transcoding.get(&index) {
            return Ok(*entity);
        }
        let (from, to) = (self.memory(from)?, self.memory(to)?);
        let body = transcoder::body(from.index, to.index, host.index);
        let entity = self
            .merger
            .function_like(host.index, transcoder::NAME, &body);
        self.transcoding.insert(index, entity);
        Ok(entity)
    }

    fn memory(&self, index: RuntimeMemoryIndex) -> Result<Entity> {
        let export = self.extracted.get(&index);
        self.exported(export.context("a memory that is never extracted")?)
    }

    /// Export what canonical options name.
    fn extract(
        &mut self,
        translation: &ComponentTranslation,
        modules: &Modules,
        instances: &[Static],
        found: &mut Hazards,
    ) -> Result<()> {
        for initializer in &translation.component.initializers {
            match initializer {
                GlobalInitializer::ExtractMemory(memory) => {
                    let export = memory.export.clone().map_index(EntityIndex::from);
                    let module =
                        &modules[instances[export.instance.as_u32() as usize].module].module;
                    if let ExportItem::Index(index) = &memory.export.item
                        && module.memories[*index].idx_type == IndexType::I64
                    {
                        found.add(
                            Hazard::Memory64,
                            "values cross its border through a 64-bit memory",
                        );
                    }
                    let name = format!("memory:{}", memory.index.as_u32());
                    let entity = self.exported(&export)?;
                    self.merger.export(&name, entity)?;
                    self.memories.push(name);
                }
                GlobalInitializer::ExtractRealloc(realloc) => {
                    let entity = self.definition(&realloc.def)?;
                    self.merger
                        .export(&format!("realloc:{}", realloc.index.as_u32()), entity)?;
                }
                GlobalInitializer::ExtractPostReturn(post_return) => {
                    let entity = self.definition(&post_return.def)?;
                    self.merger.export(
                        &format!("post-return:{}", post_return.index.as_u32()),
                        entity,
                    )?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The name of a function's export, of the form `prefix:number`.
    pub fn function(&mut self, prefix: &'static str, definition: &CoreDef) -> Result<String> {
        let entity = self.definition(definition)?;
        if let Some(name) = self.names.get(&(prefix, entity.index)) {
            return Ok(name.clone());
        }
        let number = self
            .names
            .keys()
            .filter(|(other, _)| *other == prefix)
            .count();
        let name = format!("{prefix}:{number}");
        self.merger.export(&name, entity)?;
        self.names.insert((prefix, entity.index), name.clone());
        Ok(name)
    }

    fn definition(&mut self, definition: &CoreDef) -> Result<Entity> {
        match definition {
            CoreDef::Export(export) => self.exported(export),
            CoreDef::Trampoline(index) => self.trampoline(*index),
            CoreDef::InstanceFlags(index) => self
                .flags
                .get(&index.as_u32())
                .copied()
                .context("a flag that no adapter names"),
            CoreDef::UnsafeIntrinsic(_) | CoreDef::TaskMayBlock => {
                bail!("{definition:?} in a synchronous component")
            }
        }
    }

    fn exported(&self, export: &CoreExport<EntityIndex>) -> Result<Entity> {
        let ExportItem::Index(index) = &export.item else {
            bail!("an export of an unknown module")
        };
        let (kind, index) = match index {
            EntityIndex::Function(index) => (ExternalKind::Func, index.as_u32()),
            EntityIndex::Table(index) => (ExternalKind::Table, index.as_u32()),
            EntityIndex::Memory(index) => (ExternalKind::Memory, index.as_u32()),
            EntityIndex::Global(index) => (ExternalKind::Global, index.as_u32()),
            EntityIndex::Tag(index) => (ExternalKind::Tag, index.as_u32()),
        };
        self.merger
            .entity(export.instance.as_u32() as usize, kind, index)
    }

    pub fn instances(&self) -> Value {
        let flag = |index: u32| {
            self.flags
                .contains_key(&index)
                .then(|| format!("flags:{index}"))
        };
        (0..self.instances)
            .map(|index| json!({ "flags": flag(index) }))
            .collect()
    }

    pub fn memories(&self) -> &[String] {
        &self.memories
    }

    /// The module, with what the plan says of its code and its start.
    pub fn finish(mut self) -> Result<(Vec<u8>, Value, Value)> {
        let start = self
            .merger
            .start()
            .map(|entity| self.merger.export("start", entity))
            .transpose()?;
        Ok((
            self.merger.finish(),
            Value::Array(self.places),
            start.map_or(Value::Null, |()| json!("start")),
        ))
    }
}

fn extracted(
    translation: &ComponentTranslation,
) -> BTreeMap<RuntimeMemoryIndex, CoreExport<EntityIndex>> {
    let initializers = translation.component.initializers.iter();
    initializers
        .filter_map(|initializer| match initializer {
            GlobalInitializer::ExtractMemory(memory) => Some((
                memory.index,
                memory.export.clone().map_index(EntityIndex::from),
            )),
            _ => None,
        })
        .collect()
}

/// A core instance as the translator has it; an adapter belongs to no component instance.
struct Static<'a> {
    module: StaticModuleIndex,
    arguments: &'a [CoreDef],
    component: Option<u32>,
}

/// All core instances, in order, with what the lane can't carry in them.
fn survey<'a>(
    translation: &'a ComponentTranslation,
    modules: &Modules,
    found: &mut Hazards,
) -> Result<Vec<Static<'a>>> {
    let mut instances = Vec::new();
    let mut size = 0_usize;
    for initializer in &translation.component.initializers {
        match initializer {
            GlobalInitializer::InstantiateModule(
                InstantiateModule::Static(module, arguments),
                component,
            ) => {
                size = size.saturating_add(modules[*module].wasm.len());
                if arguments.iter().any(|argument| {
                    matches!(
                        argument,
                        CoreDef::UnsafeIntrinsic(_) | CoreDef::TaskMayBlock
                    )
                }) {
                    found.add(Hazard::Async, "it uses the context of tasks");
                }
                if component.is_none() && forbids_entry(modules[*module].wasm)? {
                    found.add(
                        Hazard::Translator,
                        "it has calls between a component and itself or one inside it, which the translator makes a trap",
                    );
                }
                let component = component.map(|index| index.as_u32());
                instances.push(Static {
                    module: *module,
                    arguments,
                    component,
                });
            }
            GlobalInitializer::InstantiateModule(InstantiateModule::Import(..), _) => {
                found.add(
                    Hazard::CoreModules,
                    "it instantiates a core module that it imports",
                );
            }
            GlobalInitializer::ExtractCallback(_) => {
                found.add(Hazard::Async, "it lifts or lowers functions asynchronously")
            }
            GlobalInitializer::ExtractTable(_) => found.add(Hazard::Threads, "it starts threads"),
            _ => {}
        }
    }
    if size > MOST {
        found.add(
            Hazard::Limits,
            format!(
                "its core instances have more than {} MiB of code and data",
                MOST >> 20
            ),
        );
    }
    Ok(instances)
}

/// Whether one of these adapters is nothing but the trap "cannot enter component instance". So the translator forbids a component to
/// be entered again by way of one inside it; the specification did once, and lets such calls through now.
fn forbids_entry(adapters: &[u8]) -> Result<bool> {
    const CODE: i32 = Trap::CannotEnterComponent as i32;
    for payload in Parser::new(0).parse_all(adapters) {
        if let Payload::CodeSectionEntry(body) = payload? {
            let mut operators = body.get_operators_reader()?;
            if matches!(operators.read()?, Operator::I32Const { value: CODE })
                && matches!(operators.read()?, Operator::Call { .. })
                && matches!(operators.read()?, Operator::Unreachable)
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The component instances whose flag some adapter looks at.
fn flags(instances: &[Static]) -> BTreeSet<u32> {
    let arguments = instances.iter().flat_map(|instance| instance.arguments);
    arguments
        .filter_map(|argument| match argument {
            CoreDef::InstanceFlags(index) => Some(index.as_u32()),
            _ => None,
        })
        .collect()
}

fn value_types(types: &[WasmValType]) -> Result<Vec<ValType>> {
    types
        .iter()
        .map(|ty| match ty {
            WasmValType::I32 => Ok(ValType::I32),
            WasmValType::I64 => Ok(ValType::I64),
            WasmValType::F32 => Ok(ValType::F32),
            WasmValType::F64 => Ok(ValType::F64),
            other => bail!("a trampoline has a parameter or result of the type {other}"),
        })
        .collect()
}
