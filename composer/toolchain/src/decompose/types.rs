//! The plan's tables of types, functions and resource tables, filled as they are asked for.

use super::hazards::{Hazard, Hazards};
use serde_json::{Value, json};
use std::collections::HashMap;
use wasmtime_environ::component::{
    ComponentTypes, InterfaceType, TypeFuncIndex, TypeResourceTable, TypeResourceTableIndex,
};
use wasmtime_environ::{ModuleInternedTypeIndex, WasmValType};

pub struct Types<'a> {
    source: &'a ComponentTypes,
    types: Table,
    functions: Table,
    known: HashMap<InterfaceType, Value>,
}

/// Values by index, each once.
#[derive(Default)]
struct Table {
    values: Vec<Value>,
    indices: HashMap<String, usize>,
}

impl Table {
    fn index(&mut self, value: Value) -> Value {
        let next = self.values.len();
        let index = *self.indices.entry(value.to_string()).or_insert(next);
        if index == next {
            self.values.push(value);
        }
        json!(index)
    }
}

impl<'a> Types<'a> {
    pub fn new(source: &'a ComponentTypes) -> Self {
        Types {
            source,
            types: Table::default(),
            functions: Table::default(),
            known: HashMap::new(),
        }
    }

    pub fn source(&self) -> &'a ComponentTypes {
        self.source
    }

    /// The tables `types` and `functions`.
    pub fn finish(self) -> (Value, Value) {
        (
            Value::Array(self.types.values),
            Value::Array(self.functions.values),
        )
    }

    /// A primitive's name, or the index of any other type.
    pub fn value(&mut self, ty: &InterfaceType, found: &mut Hazards) -> Value {
        if let Some(name) = primitive(ty) {
            return json!(name);
        }
        if let Some(known) = self.known.get(ty) {
            return known.clone();
        }
        let described = self.describe(ty, found);
        let index = self.types.index(described);
        self.known.insert(*ty, index.clone());
        index
    }

    fn describe(&mut self, ty: &InterfaceType, found: &mut Hazards) -> Value {
        let source = self.source;
        match ty {
            InterfaceType::Record(i) => {
                let fields = source[*i].fields.iter();
                json!([
                    "record",
                    fields
                        .map(|f| json!([f.name, self.value(&f.ty, found)]))
                        .collect::<Value>()
                ])
            }
            InterfaceType::Variant(i) => {
                let cases = source[*i].cases.iter();
                json!([
                    "variant",
                    cases
                        .map(|(name, ty)| json!([name, self.optional(ty, found)]))
                        .collect::<Value>()
                ])
            }
            InterfaceType::Tuple(i) => {
                let types = source[*i].types.iter();
                json!([
                    "tuple",
                    types.map(|ty| self.value(ty, found)).collect::<Value>()
                ])
            }
            InterfaceType::List(i) => json!(["list", self.value(&source[*i].element, found)]),
            InterfaceType::FixedLengthList(i) => {
                json!([
                    "list",
                    self.value(&source[*i].element, found),
                    source[*i].size
                ])
            }
            InterfaceType::Map(i) => {
                json!([
                    "map",
                    self.value(&source[*i].key, found),
                    self.value(&source[*i].value, found)
                ])
            }
            InterfaceType::Enum(i) => json!(["enum", source[*i].names.iter().collect::<Vec<_>>()]),
            InterfaceType::Flags(i) => {
                json!(["flags", source[*i].names.iter().collect::<Vec<_>>()])
            }
            InterfaceType::Option(i) => json!(["option", self.value(&source[*i].ty, found)]),
            InterfaceType::Result(i) => {
                json!([
                    "result",
                    self.optional(&source[*i].ok, found),
                    self.optional(&source[*i].err, found)
                ])
            }
            InterfaceType::Own(table) => json!(["own", table.as_u32()]),
            InterfaceType::Borrow(table) => json!(["borrow", table.as_u32()]),
            other => {
                found.add(
                    Hazard::Async,
                    format!("it has values of the type {other:?}"),
                );
                Value::Null
            }
        }
    }

    fn optional(&mut self, ty: &Option<InterfaceType>, found: &mut Hazards) -> Value {
        ty.as_ref().map_or(Value::Null, |ty| self.value(ty, found))
    }

    /// The index of a function's type.
    pub fn function(&mut self, index: TypeFuncIndex, found: &mut Hazards) -> Value {
        let source = self.source;
        let function = &source[index];
        if function.async_ {
            found.add(Hazard::Async, "it has functions of an async type");
        }
        let types = source[function.params].types.iter();
        let params: Value = function
            .param_names
            .iter()
            .zip(types)
            .map(|(name, ty)| json!([name, self.value(ty, found)]))
            .collect();
        let result = source[function.results].types.first();
        let result = result.map_or(Value::Null, |ty| self.value(ty, found));
        self.functions
            .index(json!({ "params": params, "result": result }))
    }

    /// How a component instance sees a resource; `null` for a table that stands for none at run time.
    pub fn table(&self, index: TypeResourceTableIndex) -> Value {
        match &self.source[index] {
            TypeResourceTable::Concrete { ty, instance } => {
                json!({ "resource": ty.as_u32(), "instance": instance.as_u32() })
            }
            TypeResourceTable::Abstract(_) => Value::Null,
        }
    }

    pub fn core(&self, index: ModuleInternedTypeIndex) -> (&'a [WasmValType], &'a [WasmValType]) {
        let function = self.source[index].unwrap_func();
        (function.params(), function.results())
    }

    pub fn signature(&self, index: ModuleInternedTypeIndex) -> Value {
        let (parameters, results) = self.core(index);
        let names = |types: &[WasmValType]| {
            types
                .iter()
                .map(|ty| json!(ty.to_string()))
                .collect::<Value>()
        };
        json!([names(parameters), names(results)])
    }
}

fn primitive(ty: &InterfaceType) -> Option<&'static str> {
    Some(match ty {
        InterfaceType::Bool => "bool",
        InterfaceType::S8 => "s8",
        InterfaceType::U8 => "u8",
        InterfaceType::S16 => "s16",
        InterfaceType::U16 => "u16",
        InterfaceType::S32 => "s32",
        InterfaceType::U32 => "u32",
        InterfaceType::S64 => "s64",
        InterfaceType::U64 => "u64",
        InterfaceType::Float32 => "f32",
        InterfaceType::Float64 => "f64",
        InterfaceType::Char => "char",
        InterfaceType::String => "string",
        _ => return None,
    })
}
