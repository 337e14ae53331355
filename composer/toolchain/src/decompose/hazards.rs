//! What the core lane can't carry. Each reason has a stable name and a sentence; all that are found are told.
//!
//! Found before translation, since the translator is not made to meet them: anything asynchronous, threads, GC values in
//! the Canonical ABI, component start functions, imported components and core modules. Found in its result: the rest.

use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentDefinedType, ComponentType,
    ComponentTypeDeclaration, ComponentTypeRef, ComponentValType, InstanceTypeDeclaration, Parser,
    Payload, PrimitiveValType, Validator, WasmFeatures,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hazard {
    /// Async functions, streams, futures, error contexts, tasks and their context.
    Async,
    /// Threads, or memories that threads share.
    Threads,
    /// Core modules that the component imports or exports.
    CoreModules,
    /// A 64-bit memory through which values cross the border.
    Memory64,
    /// Values of the GC proposal in the Canonical ABI.
    Gc,
    /// Imports or exports that WIT can't express, such as instances in instances.
    World,
    /// Something that the translator does not know, or knows but can't do.
    Translator,
    /// Something in its code that the core engine has switched off.
    Features,
    /// The merged module would be, or is, beyond a limit of engines.
    Limits,
}

impl Hazard {
    fn name(self) -> &'static str {
        match self {
            Hazard::Async => "async",
            Hazard::Threads => "threads",
            Hazard::CoreModules => "core-modules",
            Hazard::Memory64 => "memory64",
            Hazard::Gc => "gc",
            Hazard::World => "world",
            Hazard::Translator => "translator",
            Hazard::Features => "features",
            Hazard::Limits => "limits",
        }
    }
}

/// What was found, each once, in a fixed order.
#[derive(Default)]
pub struct Hazards(BTreeSet<(Hazard, String)>);

impl Hazards {
    pub fn add(&mut self, hazard: Hazard, sentence: impl Into<String>) {
        self.0.insert((hazard, sentence.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn json(&self) -> Value {
        let reasons = self.0.iter();
        reasons
            .map(|(hazard, sentence)| json!({ "reason": hazard.name(), "message": sentence }))
            .collect()
    }
}

/// Look through a component, and check that it is valid but for the bodies of its functions.
pub fn scan(component: &[u8], features: WasmFeatures) -> Result<Hazards> {
    let mut found = Hazards::default();
    let mut validator = Validator::new_with_features(features);
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        validator.payload(&payload)?;
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import?;
                    import_type(import.name.name, import.ty, &mut found);
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    component_type(&ty?, &mut found);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    canonical(&function?, &mut found);
                }
            }
            Payload::ComponentStartSection { .. } => {
                found.add(Hazard::Translator, "it has a component start function");
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    if memory?.shared {
                        found.add(Hazard::Threads, "a module in it has a shared memory");
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn import_type(name: &str, ty: ComponentTypeRef, found: &mut Hazards) {
    match ty {
        ComponentTypeRef::Module(_) => found.add(
            Hazard::CoreModules,
            format!("it imports the core module {name:?}"),
        ),
        ComponentTypeRef::Component(_) => {
            found.add(Hazard::World, format!("it imports the component {name:?}"))
        }
        _ => {}
    }
}

fn component_type(ty: &ComponentType, found: &mut Hazards) {
    match ty {
        ComponentType::Func(function) => {
            if function.async_ {
                found.add(Hazard::Async, "it has functions of an async type");
            }
            let types = function
                .params
                .iter()
                .map(|(_, ty)| ty)
                .chain(&function.result);
            types.for_each(|ty| value_type(ty, found));
        }
        ComponentType::Defined(ty) => defined_type(ty, found),
        ComponentType::Instance(declarations) => {
            for declaration in declarations {
                if let InstanceTypeDeclaration::Type(ty) = declaration {
                    component_type(ty, found);
                }
            }
        }
        ComponentType::Component(declarations) => {
            for declaration in declarations {
                if let ComponentTypeDeclaration::Type(ty) = declaration {
                    component_type(ty, found);
                }
            }
        }
        ComponentType::Resource { .. } => {}
    }
}

fn defined_type(ty: &ComponentDefinedType, found: &mut Hazards) {
    match ty {
        ComponentDefinedType::Future(_) => found.add(Hazard::Async, "it has `future` types"),
        ComponentDefinedType::Stream(_) => found.add(Hazard::Async, "it has `stream` types"),
        ComponentDefinedType::Primitive(PrimitiveValType::ErrorContext) => error_context(found),
        ComponentDefinedType::Record(fields) => {
            fields.iter().for_each(|(_, ty)| value_type(ty, found))
        }
        ComponentDefinedType::Variant(cases) => cases
            .iter()
            .filter_map(|case| case.ty.as_ref())
            .for_each(|ty| value_type(ty, found)),
        ComponentDefinedType::Tuple(types) => types.iter().for_each(|ty| value_type(ty, found)),
        ComponentDefinedType::List(ty) | ComponentDefinedType::Option(ty) => value_type(ty, found),
        ComponentDefinedType::Result { ok, err } => {
            ok.iter().chain(err).for_each(|ty| value_type(ty, found))
        }
        _ => {}
    }
}

fn value_type(ty: &ComponentValType, found: &mut Hazards) {
    if matches!(
        ty,
        ComponentValType::Primitive(PrimitiveValType::ErrorContext)
    ) {
        error_context(found);
    }
}

fn error_context(found: &mut Hazards) {
    found.add(Hazard::Async, "it has `error-context` types");
}

fn canonical(function: &CanonicalFunction, found: &mut Hazards) {
    match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            options
                .iter()
                .for_each(|option| canonical_option(option, found));
        }
        CanonicalFunction::ResourceNew { .. }
        | CanonicalFunction::ResourceDrop { .. }
        | CanonicalFunction::ResourceRep { .. } => {}
        other => {
            let name = built_in(other);
            let hazard = if name.starts_with("thread") {
                Hazard::Threads
            } else {
                Hazard::Async
            };
            found.add(hazard, format!("it uses the built-in `{name}`"));
        }
    }
}

fn canonical_option(option: &CanonicalOption, found: &mut Hazards) {
    match option {
        CanonicalOption::Async | CanonicalOption::Callback(_) => {
            found.add(Hazard::Async, "it lifts or lowers functions asynchronously");
        }
        CanonicalOption::Gc | CanonicalOption::CoreType(_) => {
            found.add(Hazard::Gc, "it lifts or lowers functions with GC values");
        }
        _ => {}
    }
}

/// `StreamCancelRead { .. }` as `stream.cancel-read`: the library has the names in this spelling only.
fn built_in(function: &CanonicalFunction) -> String {
    let debug = format!("{function:?}");
    let mut name = String::new();
    for letter in debug.chars().take_while(char::is_ascii_alphanumeric) {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    for subject in [
        "task",
        "stream",
        "future",
        "thread",
        "context",
        "backpressure",
        "subtask",
        "error-context",
        "waitable-set",
        "waitable",
    ] {
        if let Some(verb) = name
            .strip_prefix(subject)
            .and_then(|rest| rest.strip_prefix('-'))
        {
            return format!("{subject}.{verb}");
        }
    }
    name
}
