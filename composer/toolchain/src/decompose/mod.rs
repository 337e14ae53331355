//! `decompose`: a component as one core module and a plan of how the Canonical ABI sits on it (`docs/core-plan.md`).
//!
//! The translation is that of `wasmtime-environ`: nested components become a flat list of core instances, calls between them become
//! adapters, which are core modules too. Equal components give equal bytes.

mod bulk;
mod constant;
mod core_module;
mod hazards;
mod merge;
mod names;
mod parts;
mod plan;
mod segments;
mod space;
mod transcoder;
mod types;

use crate::{binary, input};
use anyhow::{Context, Result, anyhow};
use core_module::{CoreModule, Modules};
use hazards::{Hazard, Hazards};
use parts::Parts;
use plan::Planner;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::panic;
use std::process::exit;
use types::Types;
use wasmparser::{Validator, WasmFeatures};
use wasmtime_environ::component::{
    AbstractResourceIndex, ComponentTranslation, ComponentTypes, ComponentTypesBuilder, Translator,
    TypeResourceTable,
};
use wasmtime_environ::wasmparser as environ;
use wasmtime_environ::{ScopeVec, Tunables};

/// The version of the plan's format.
const FORMAT: u32 = 1;

/// Writes the module and the plan, or says why there are none.
pub fn run(path: &str, module: &str, plan: &str) -> Result<Value> {
    let component = input::component(path)?;
    let found = match decompose(&component).with_context(|| path.to_owned())? {
        Ok((bytes, text)) => {
            input::write(module, &bytes)?;
            input::write(plan, &text)?;
            return Ok(json!({ "format": FORMAT, "module": bytes.len(), "plan": text.len() }));
        }
        Err(found) => found,
    };
    Ok(refusal(&found))
}

fn refusal(found: &Hazards) -> Value {
    json!({ "format": FORMAT, "refused": found.json() })
}

/// Module and plan, or the reasons against them.
type Answer = Result<(Vec<u8>, String), Hazards>;

fn decompose(component: &[u8]) -> Result<Answer> {
    let found = hazards::scan(component, binary::features())?;
    let answer = if found.is_empty() {
        translate(component)?
    } else {
        Err(found)
    };
    if answer.is_err() {
        // A refusal is for components that are valid to the last function; others are errors.
        validate(component, binary::features())?;
    }
    Ok(answer)
}

fn validate(binary: &[u8], features: WasmFeatures) -> Result<()> {
    let mut validator = Validator::new_with_features(features);
    validator
        .validate_all(binary)
        .map_err(|error| anyhow!(error))?;
    Ok(())
}

/// Of a component in which nothing was found before translation.
fn translate(component: &[u8]) -> Result<Answer> {
    // Adapters without the bookkeeping of concurrent tasks, which no synchronous component can see.
    let tunables = Tunables {
        concurrency_support: false,
        ..Tunables::default_u64()
    };
    let mut validator = environ::Validator::new_with_features(environ_features());
    let mut builder = ComponentTypesBuilder::new(&validator);
    let scope = ScopeVec::new();
    let translator = Translator::new(&tunables, &mut validator, &mut builder, &scope);
    let (translation, modules) = match guarded(|| translator.translate(component)) {
        Ok(translated) => translated,
        Err(error) => {
            return refuse(
                Hazard::Translator,
                format!("it can't be translated: {error:#}"),
            );
        }
    };
    let (mut types, _) = builder.finish(&translation.component);
    // How many tables there are shows only where one is added.
    let nothing = TypeResourceTable::Abstract(AbstractResourceIndex::from_u32(0));
    let tables = types.push_resource_table(nothing).as_u32();
    assemble(component, &translation, &modules, &types, tables)
}

/// Has the translator work. Where that breaks, a component that is valid has found a bug of its: the command ends with a refusal,
/// for a panic can't be caught here.
fn guarded<T>(work: impl FnOnce() -> T) -> T {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|broken| {
        let message = broken.payload_as_str().unwrap_or("unknown");
        let mut found = Hazards::default();
        found.add(
            Hazard::Translator,
            format!("it breaks the translator: {message}"),
        );
        println!("{}", refusal(&found));
        exit(0);
    }));
    let result = work();
    panic::set_hook(usual);
    result
}

fn assemble(
    component: &[u8],
    translation: &ComponentTranslation,
    modules: &Modules,
    types: &ComponentTypes,
    tables: u32,
) -> Result<Answer> {
    let mut found = Hazards::default();
    let types = Types::new(types);
    let Some(mut core) = CoreModule::merge(
        &Parts::of_component(component)?,
        translation,
        modules,
        &types,
        &mut found,
    )?
    else {
        return Ok(Err(found));
    };
    let planner = Planner {
        translation,
        types,
        tables,
        found,
    };
    let (mut plan, found) = planner.plan(&mut core)?;
    if !found.is_empty() {
        return Ok(Err(found));
    }
    let (module, code, start) = core.finish()?;
    if let Err(error) = validate(&module, binary::core_features()) {
        return match validate(&module, binary::features()) {
            Ok(()) => refuse(
                Hazard::Features,
                format!("its code needs what the core engine has switched off: {error}"),
            ),
            Err(error) => refuse(
                Hazard::Limits,
                format!("its core modules make no valid single one: {error}"),
            ),
        };
    }
    plan["format"] = json!(FORMAT);
    plan["component"] = digest(component);
    plan["module"] = digest(&module);
    plan["code"] = code;
    plan["start"] = start;
    Ok(Ok((module, canonical(&plan))))
}

fn refuse(hazard: Hazard, sentence: String) -> Result<Answer> {
    let mut found = Hazards::default();
    found.add(hazard, sentence);
    Ok(Err(found))
}

/// What `binary::features` has, as far as the translator's own, older parser knows it.
fn environ_features() -> environ::WasmFeatures {
    environ::WasmFeatures::default() | environ::WasmFeatures::WIDE_ARITHMETIC
}

fn digest(bytes: &[u8]) -> Value {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!(format!("sha256:{hex}"))
}

/// Keys sorted, no white space, ASCII, one line.
fn canonical(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut text = String::new();
    for letter in sorted.to_string().chars() {
        if letter.is_ascii() && letter != '\x7f' {
            text.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text.push('\n');
    text
}
