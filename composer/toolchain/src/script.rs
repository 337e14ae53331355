//! `wast`: a test script of the WebAssembly projects as JSON commands, and the binaries and texts that these name.

use crate::input;
use anyhow::Result;
use serde_json::Value;
use std::path::Path;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

/// Writes the files that the script's commands name into the folder OUT, and gives the commands.
pub fn convert(path: &str, out: &str) -> Result<Value> {
    let text = input::text(path)?;
    let located = |mut error: wast::Error| {
        error.set_path(Path::new(path));
        error.set_text(&text);
        error
    };
    let mut lexer = Lexer::new(&text);
    lexer.allow_confusing_unicode(true); // names with such letters are among what is tested
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(located)?;
    let script = parser::parse::<wast::Wast>(&buffer).map_err(located)?;
    let script = json_from_wast::Opts::default().convert(path, &text, script)?;
    input::create_folder(out)?;
    for (name, bytes) in &script.wasms {
        input::write(Path::new(out).join(name), bytes)?;
    }
    Ok(serde_json::to_value(&script)?)
}
