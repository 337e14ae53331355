//! What the indices of a component's types, instances and functions are in the outer component.

use std::convert::Infallible;
use wasm_encoder::ComponentExportKind;
use wasm_encoder::reencode::{Reencode, ReencodeComponent};

/// By index in the component. Inside of a type that has a scope of its own, indices are that scope's.
#[derive(Default)]
pub struct Renumber {
    pub types: Vec<u32>,
    instances: Vec<u32>,
    functions: Vec<u32>,
    depth: u32,
}

impl Renumber {
    pub fn push(&mut self, kind: ComponentExportKind, index: u32) {
        match kind {
            ComponentExportKind::Type => self.types.push(index),
            ComponentExportKind::Instance => self.instances.push(index),
            _ => self.functions.push(index),
        }
    }

    /// An index that is none stays one: validation finds it.
    fn at(&self, space: &[u32], index: u32) -> u32 {
        if self.depth > 0 {
            return index;
        }
        space.get(index as usize).copied().unwrap_or(u32::MAX)
    }
}

impl Reencode for Renumber {
    type Error = Infallible;
}

impl ReencodeComponent for Renumber {
    fn component_type_index(&mut self, index: u32) -> u32 {
        self.at(&self.types, index)
    }

    fn component_instance_index(&mut self, index: u32) -> u32 {
        self.at(&self.instances, index)
    }

    fn component_func_index(&mut self, index: u32) -> u32 {
        self.at(&self.functions, index)
    }

    fn outer_component_type_index(&mut self, count: u32, index: u32) -> u32 {
        if count == self.depth {
            self.types.get(index as usize).copied().unwrap_or(u32::MAX)
        } else {
            index
        }
    }

    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }
}
