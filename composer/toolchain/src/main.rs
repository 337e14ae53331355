//! The official WIT and component libraries as one command: arguments in, JSON on stdout or files out.
//!
//! It runs as a WebAssembly component with one folder and nothing else, so its inputs may be hostile: whatever
//! happens to it, it ends with a message on stderr and exit code 1, or in a trap.

mod binary;
mod bindings;
mod decompose;
mod excerpt;
mod fits;
mod fuse;
mod input;
mod metadata;
mod names;
mod script;
mod subtype;
mod wasi;
mod wit;
mod world;

use anyhow::Result;
use serde_json::Value;
use std::io::Write;
use std::process::exit;

const USAGE: &str = "\
usage: ringfence-toolchain COMMAND ARGUMENTS
  wit PATH                            a WIT folder or file or a component, resolved, as JSON
  world PATH [WORLD]                  imports and exports of a world or a component, as JSON
  fits CONSUMER PROVIDER INTERFACE    do they fit? each a .wasm or FOLDER#WORLD; JSON
  print PATH                          as WIT text
  wat PATH OUT                        a binary as WebAssembly text
  parse PATH OUT                      WebAssembly text as a binary
  decompose PATH MODULE PLAN          a component as one core module and a plan, or the reasons against it; JSON
  fuse SPEC OUT                       components as one, joined as a JSON file says
  wast PATH OUT                       a test script as JSON commands, their binaries into the folder OUT
  c PATH WORLD OUT                    C bindings into the folder OUT
  embed PATH WORLD CORE OUT           a core module with the world in a custom section
  new CORE OUT [NAME=ADAPTER ...]     a component from such a core module
  adapter OUT                         what serves the WASI of C's standard library (preview 1) to such a module
  validate PATH                       with the features wasmtime has on by default
  metadata PATH                       names, producers and annotations, as JSON
  wasi-wit OUT                        the WIT packages of WASI into the folder OUT";

/// What a command has for stdout.
enum Output {
    Json(Value),
    Text(String),
}

impl From<Value> for Output {
    fn from(value: Value) -> Self {
        Output::Json(value)
    }
}

fn main() {
    // A bug of a library on strange input: one line, as for every other error.
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("unknown");
        fail(&format!("internal error: {message} ({})", location(panic)));
    }));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Some(Ok(output)) => deliver(&output),
        Some(Err(error)) => fail(&input::describe(&error)),
        None => fail(USAGE),
    }
}

/// Runs one command; `None` if the arguments are none of those that USAGE lists.
fn run(arguments: &[&str]) -> Option<Result<Output>> {
    let result = match arguments {
        ["wit", path] => wit::json(path).map(Output::Text),
        ["world", path] => world::describe(path, None).map(Output::from),
        ["world", path, world] => world::describe(path, Some(world)).map(Output::from),
        ["fits", consumer, provider, interface] => {
            fits::check(consumer, provider, interface).map(Output::from)
        }
        ["print", path] => wit::text(path).map(Output::Text),
        ["wat", path, out] => binary::to_text(path, out).map(Output::from),
        ["parse", path, out] => binary::from_text(path, out).map(Output::from),
        ["wast", path, out] => script::convert(path, out).map(Output::from),
        ["c", path, world, out] => bindings::c(path, world, out).map(Output::from),
        ["decompose", path, module, plan] => decompose::run(path, module, plan).map(Output::from),
        ["fuse", spec, out] => fuse::run(spec, out).map(Output::from),
        ["embed", path, world, core, out] => {
            binary::embed(path, world, core, out).map(Output::from)
        }
        ["new", core, out, adapters @ ..] => {
            binary::component(core, out, adapters).map(Output::from)
        }
        ["adapter", out] => wasi::adapter(out).map(Output::from),
        ["validate", path] => binary::validate(path).map(Output::from),
        ["metadata", path] => metadata::read(path).map(Output::from),
        ["wasi-wit", out] => wasi::write(out).map(Output::from),
        _ => return None,
    };
    Some(result)
}

fn deliver(output: &Output) {
    let mut stdout = std::io::stdout().lock();
    let written = match output {
        Output::Json(value) => writeln!(stdout, "{value}"),
        Output::Text(text) => writeln!(stdout, "{}", text.trim_end()),
    };
    if let Err(error) = written {
        fail(&format!("stdout: {error}"));
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    exit(1)
}

fn location(panic: &std::panic::PanicHookInfo<'_>) -> String {
    panic
        .location()
        .map_or_else(String::new, ToString::to_string)
}
