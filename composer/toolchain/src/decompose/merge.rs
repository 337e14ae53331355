//! The core instances of a component as one module: indices are remapped and sections concatenated, in the order of instantiation.

use super::bulk;
use super::constant::Constant;
use super::names::Names;
use super::segments::Step;
use super::space::{Entity, Space};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeSet;
use wasm_encoder as encoder;
use wasm_encoder::reencode::Reencode;
use wasmparser::{ExternalKind, KnownCustom, Parser, Payload, TypeRef};

/// What one core instance is made of.
pub struct Instance<'a> {
    pub wasm: &'a [u8],
    /// One for each import, in their order.
    pub arguments: Vec<Entity>,
    pub adapter: bool,
}

/// Where a core instance's functions are, and what its module calls itself.
pub struct Place {
    pub name: Option<String>,
    pub first: u32,
    pub count: u32,
}

#[derive(Default)]
pub struct Merger {
    pub(super) types: encoder::TypeSection,
    imports: encoder::ImportSection,
    pub(super) functions: encoder::FunctionSection,
    tables: encoder::TableSection,
    memories: encoder::MemorySection,
    tags: encoder::TagSection,
    globals: encoder::GlobalSection,
    exports: encoder::ExportSection,
    pub(super) elements: encoder::ElementSection,
    pub(super) code: encoder::CodeSection,
    pub(super) data: encoder::DataSection,
    pub(super) type_count: u32,
    pub(super) function_count: u32,
    /// Of each table and memory: how many elements or bytes it has at least.
    pub(super) table_sizes: Vec<u64>,
    pub(super) memory_sizes: Vec<u64>,
    /// Of each immutable global: its value, where that is known before instantiation.
    constants: Vec<Option<Constant>>,
    spaces: Vec<Space>,
    references: BTreeSet<u32>,
    pub(super) steps: Vec<Step>,
    pub(super) names: Names,
}

impl Merger {
    /// A trampoline: a function import, before anything else is added.
    pub fn trampoline(&mut self, parameters: &[encoder::ValType], results: &[encoder::ValType]) {
        self.types
            .ty()
            .function(parameters.iter().copied(), results.iter().copied());
        let name = self.function_count.to_string();
        self.imports
            .import("t", &name, encoder::EntityType::Function(self.type_count));
        self.type_count += 1;
        self.function_count += 1;
    }

    /// A function between the core instances, of the type that this trampoline has.
    pub fn function_like(
        &mut self,
        trampoline: u32,
        name: &str,
        body: &encoder::Function,
    ) -> Entity {
        // The types of the trampolines come first, in their order.
        self.functions.function(trampoline);
        self.code.function(body);
        self.names.insert(self.function_count, name);
        self.function_count += 1;
        Entity {
            kind: ExternalKind::Func,
            index: self.function_count - 1,
        }
    }

    /// The flag of a component instance that adapters look at: a global, initially 1.
    pub fn flag(&mut self) -> Entity {
        let ty = encoder::GlobalType {
            val_type: encoder::ValType::I32,
            mutable: true,
            shared: false,
        };
        self.globals.global(ty, &encoder::ConstExpr::i32_const(1));
        self.constants.push(None);
        Entity {
            kind: ExternalKind::Global,
            index: self.constants.len() as u32 - 1,
        }
    }

    /// What a core instance that was added has at this index of its own.
    pub fn entity(&self, instance: usize, kind: ExternalKind, index: u32) -> Result<Entity> {
        self.spaces
            .get(instance)
            .context("no such core instance")?
            .entity(kind, index)
    }

    pub fn export(&mut self, name: &str, entity: Entity) -> Result<()> {
        let kind = match entity.kind {
            ExternalKind::Func => encoder::ExportKind::Func,
            ExternalKind::Memory => encoder::ExportKind::Memory,
            ExternalKind::Global => encoder::ExportKind::Global,
            kind => bail!("no use for an export of kind {kind:?}"),
        };
        self.exports.export(name, kind, entity.index);
        Ok(())
    }

    /// Append a core instance.
    pub fn instance(&mut self, instance: &Instance) -> Result<Place> {
        let mut space = Space {
            types: self.type_count,
            elements: self.elements.len(),
            data: self.data.len(),
            constants: std::mem::take(&mut self.constants),
            ..Space::default()
        };
        let mut place = Place {
            name: None,
            first: self.function_count,
            count: 0,
        };
        let deferring = self.steps.iter().any(|step| matches!(step, Step::Call(_)));
        let mut start = None;
        for payload in Parser::new(0).parse_all(instance.wasm) {
            match payload? {
                Payload::ImportSection(section) => link(&mut space, section, &instance.arguments)?,
                Payload::StartSection { func, .. } => {
                    start = Some(space.entity(ExternalKind::Func, func)?.index)
                }
                Payload::ElementSection(section) => {
                    self.element_section(&mut space, section, deferring)?
                }
                Payload::DataSection(section) => {
                    self.data_section(&mut space, section, deferring)?
                }
                Payload::CodeSectionEntry(body) if instance.adapter => {
                    self.code.function(&bulk::body(&mut space, body)?);
                }
                Payload::ExportSection(section) if instance.adapter => {
                    self.names.adapters(&space, section)?
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        place.name = self.names.take(&space, names).or(place.name);
                    }
                }
                payload => self.section(&mut space, payload)?,
            }
        }
        self.steps.extend(start.map(Step::Call));
        place.count = self.function_count - place.first;
        self.constants = std::mem::take(&mut space.constants);
        self.references.append(&mut space.references);
        self.spaces.push(space);
        Ok(place)
    }

    /// The sections that need no more than new indices.
    fn section(&mut self, space: &mut Space, payload: Payload) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section.clone() {
                    self.type_count += u32::try_from(group?.types().len())?;
                }
                space
                    .parse_type_section(&mut self.types, section)
                    .map_err(unencodable)?;
            }
            Payload::FunctionSection(section) => {
                let count = section.count();
                space
                    .parse_function_section(&mut self.functions, section)
                    .map_err(unencodable)?;
                space
                    .functions
                    .extend(self.function_count..self.function_count + count);
                self.function_count += count;
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    space.tables.push(self.table_sizes.len() as u32);
                    self.table_sizes.push(table?.ty.initial);
                }
                space
                    .parse_table_section(&mut self.tables, section)
                    .map_err(unencodable)?;
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let memory = memory?;
                    space.memories.push(self.memory_sizes.len() as u32);
                    self.memory_sizes.push(
                        memory
                            .initial
                            .saturating_mul(1 << memory.page_size_log2.unwrap_or(16)),
                    );
                }
                space
                    .parse_memory_section(&mut self.memories, section)
                    .map_err(unencodable)?;
            }
            Payload::TagSection(section) => {
                space
                    .tags
                    .extend(self.tags.len()..self.tags.len() + section.count());
                space
                    .parse_tag_section(&mut self.tags, section)
                    .map_err(unencodable)?;
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    let ty = space.global_type(global.ty).map_err(unencodable)?;
                    let constant = if global.ty.mutable {
                        None
                    } else {
                        space.fold(&global.init_expr)
                    };
                    let value = space.const_expr(global.init_expr).map_err(unencodable)?;
                    self.globals.global(ty, &value);
                    space.globals.push(space.constants.len() as u32);
                    space.constants.push(constant);
                }
            }
            Payload::CodeSectionEntry(body) => {
                space
                    .parse_function_body(&mut self.code, body)
                    .map_err(unencodable)?;
            }
            _ => {}
        }
        Ok(())
    }

    pub fn finish(mut self) -> Vec<u8> {
        // Code may take references of functions that are declared elsewhere in the module; exports of modules, which are none here, declare too.
        if !self.references.is_empty() {
            let functions: Vec<u32> = self.references.iter().copied().collect();
            self.elements
                .declared(encoder::Elements::Functions(functions.into()));
        }
        let mut module = encoder::Module::new();
        module
            .section(&self.types)
            .section(&self.imports)
            .section(&self.functions);
        module.section(&self.tables).section(&self.memories);
        if !self.tags.is_empty() {
            module.section(&self.tags);
        }
        module
            .section(&self.globals)
            .section(&self.exports)
            .section(&self.elements);
        module.section(&encoder::DataCountSection {
            count: self.data.len(),
        });
        module.section(&self.code).section(&self.data);
        module.section(&self.names.section());
        module.finish()
    }
}

/// Its imports are what the arguments say.
fn link(
    space: &mut Space,
    section: wasmparser::ImportSectionReader,
    arguments: &[Entity],
) -> Result<()> {
    let mut arguments = arguments.iter();
    for import in section.into_imports() {
        let import = import?;
        let argument = arguments
            .next()
            .context("a core instance lacks an argument")?;
        match (import.ty, argument.kind) {
            (TypeRef::Func(_) | TypeRef::FuncExact(_), ExternalKind::Func) => {
                space.functions.push(argument.index)
            }
            (TypeRef::Table(_), ExternalKind::Table) => space.tables.push(argument.index),
            (TypeRef::Memory(_), ExternalKind::Memory) => space.memories.push(argument.index),
            (TypeRef::Global(_), ExternalKind::Global) => space.globals.push(argument.index),
            (TypeRef::Tag(_), ExternalKind::Tag) => space.tags.push(argument.index),
            (wanted, given) => bail!(
                "`{}` `{}` is {wanted:?}, but the argument is {given:?}",
                import.module,
                import.name
            ),
        }
    }
    if arguments.next().is_some() {
        bail!("a core instance has more arguments than imports");
    }
    space.imported_functions = space.functions.len() as u32;
    space.imported_tables = space.tables.len() as u32;
    space.imported_memories = space.memories.len() as u32;
    Ok(())
}

pub fn unencodable(error: encoder::reencode::Error<String>) -> anyhow::Error {
    anyhow!("{error}")
}
