//! `wit` and `print`: a WIT package or a component's types, resolved, as JSON or as text.

use crate::input;
use anyhow::Result;
use wit_component::WitPrinter;

/// The official JSON form: types, functions, docs, resources, worlds of the package and of those it uses.
///
/// Not as a `Value`, which would sort the members: the order of functions and types is that of their definition.
pub fn json(path: &str) -> Result<String> {
    Ok(serde_json::to_string(&input::source(path)?.resolve)?)
}

/// WIT text: the package, then those it uses as `package … { … }`.
pub fn text(path: &str) -> Result<String> {
    let source = input::source(path)?;
    let others: Vec<_> = source
        .resolve
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != source.package)
        .collect();
    let mut printer = WitPrinter::default();
    printer.print(&source.resolve, source.package, &others)?;
    Ok(printer.output.to_string())
}
