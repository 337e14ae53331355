//! One item of an interface or world as WIT text, for an error that shows two definitions side by side.

use anyhow::Result;
use std::collections::HashMap;
use wit_component::WitPrinter;
use wit_parser::{Function, Interface, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// The definition of a type; of an alias, that of what it stands for.
pub fn of_type(resolve: &Resolve, id: TypeId) -> Result<String> {
    let mut id = id;
    while let TypeDefKind::Type(Type::Id(target)) = resolve.types[id].kind {
        id = target;
    }
    print_type(resolve, id, None)
}

/// The signature of a function; a method is shown within its resource.
pub fn of_function(resolve: &Resolve, function: &Function) -> Result<String> {
    if let Some(resource) = function.kind.resource() {
        return print_type(resolve, resource, Some(function));
    }
    // The printer takes whole interfaces, which belong to a package; so the function gets one for itself.
    let mut resolve = resolve.clone();
    let alone = Interface {
        name: None,
        types: Default::default(),
        functions: [(function.name.clone(), function.clone())]
            .into_iter()
            .collect(),
        docs: Default::default(),
        stability: Default::default(),
        package: resolve.packages.iter().next().map(|(id, _)| id),
        span: function.span,
        clone_of: None,
    };
    let id = resolve.interfaces.alloc(alone);
    let mut printer = plain_printer();
    printer.print_interface(&resolve, id)?;
    Ok(printer.output.to_string().trim().to_owned())
}

fn print_type(resolve: &Resolve, id: TypeId, method: Option<&Function>) -> Result<String> {
    let definition = &resolve.types[id];
    let Some(name) = definition.name.as_deref() else {
        let mut printer = plain_printer();
        printer.print_type_name(resolve, &Type::Id(id))?;
        return Ok(printer.output.to_string());
    };
    let functions: HashMap<_, _> = method
        .map(|method| (id, vec![method]))
        .into_iter()
        .collect();
    let mut printer = plain_printer();
    let owner: TypeOwner = definition.owner;
    printer.print_types(resolve, owner, [(name, id)].into_iter(), &functions)?;
    Ok(printer.output.to_string().trim().to_owned())
}

fn plain_printer() -> WitPrinter {
    let mut printer = WitPrinter::default();
    printer.emit_docs(false);
    printer
}
