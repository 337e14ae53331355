//! What the indices of one core instance are in the merged module.

use super::constant::Constant;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use wasm_encoder as encoder;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasmparser::{ConstExpr, ExternalKind, Operator};

/// An item of the merged module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity {
    pub kind: ExternalKind,
    pub index: u32,
}

/// The index spaces of one core instance; `types`, `elements` and `data` are where its own begin.
#[derive(Default)]
pub struct Space {
    pub types: u32,
    pub elements: u32,
    pub data: u32,
    pub functions: Vec<u32>,
    pub tables: Vec<u32>,
    pub memories: Vec<u32>,
    pub globals: Vec<u32>,
    pub tags: Vec<u32>,
    pub imported_functions: u32,
    pub imported_tables: u32,
    pub imported_memories: u32,
    /// Functions of the merged module that its code takes references of.
    pub references: BTreeSet<u32>,
    /// By global of the merged module.
    pub constants: Vec<Option<Constant>>,
}

impl Space {
    pub fn entity(&self, kind: ExternalKind, index: u32) -> Result<Entity> {
        let space = match kind {
            ExternalKind::Func => &self.functions,
            ExternalKind::Table => &self.tables,
            ExternalKind::Memory => &self.memories,
            ExternalKind::Global => &self.globals,
            ExternalKind::Tag => &self.tags,
            kind => bail!("no items of kind {kind:?}"),
        };
        let index = *space
            .get(index as usize)
            .with_context(|| format!("no {kind:?} {index}"))?;
        Ok(Entity { kind, index })
    }

    /// A function that this instance has of its own, not from another.
    pub fn defined_function(&self, index: u32) -> Option<u32> {
        let own = index >= self.imported_functions;
        own.then(|| self.functions.get(index as usize).copied())?
    }

    /// The value of a constant expression, where it is known before instantiation.
    pub fn fold(&self, expression: &ConstExpr) -> Option<Constant> {
        let mut stack: Vec<Constant> = Vec::new();
        let mut reader = expression.get_operators_reader();
        while !reader.is_end_then_eof() {
            let value = match reader.read().ok()? {
                Operator::I32Const { value } => Constant::I32(value),
                Operator::I64Const { value } => Constant::I64(value),
                Operator::RefFunc { function_index } => {
                    Constant::Function(*self.functions.get(function_index as usize)?)
                }
                Operator::GlobalGet { global_index } => {
                    let global = *self.globals.get(global_index as usize)?;
                    self.constants.get(global as usize)?.clone()?
                }
                operator => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    left.combine(&operator, &right)?
                }
            };
            stack.push(value);
        }
        let value = stack.pop()?;
        stack.is_empty().then_some(value)
    }
}

type Encoded<T> = Result<T, Error<String>>;

fn at(space: &[u32], index: u32) -> Encoded<u32> {
    let found = space.get(index as usize).copied();
    found.ok_or_else(|| Error::UserError(format!("no item {index}")))
}

impl Reencode for Space {
    type Error = String;

    fn type_index(&mut self, index: u32) -> Encoded<u32> {
        Ok(self.types + index)
    }
    fn function_index(&mut self, index: u32) -> Encoded<u32> {
        at(&self.functions, index)
    }
    fn table_index(&mut self, index: u32) -> Encoded<u32> {
        at(&self.tables, index)
    }
    fn memory_index(&mut self, index: u32) -> Encoded<u32> {
        at(&self.memories, index)
    }
    fn global_index(&mut self, index: u32) -> Encoded<u32> {
        at(&self.globals, index)
    }
    fn tag_index(&mut self, index: u32) -> Encoded<u32> {
        at(&self.tags, index)
    }
    fn element_index(&mut self, index: u32) -> Encoded<u32> {
        Ok(self.elements + index)
    }
    fn data_index(&mut self, index: u32) -> Encoded<u32> {
        Ok(self.data + index)
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Encoded<encoder::Instruction<'a>> {
        if let Operator::RefFunc { function_index } = operator {
            self.references.insert(at(&self.functions, function_index)?);
        }
        utils::instruction(self, operator)
    }

    /// A value that is known stands for itself: what was an imported global is one that the merged module defines, which not every
    /// constant expression may read; and engines lay out a memory ahead of time where the offsets are plain numbers.
    fn const_expr(&mut self, expression: ConstExpr) -> Encoded<encoder::ConstExpr> {
        match self.fold(&expression) {
            Some(constant) => Ok(constant.encode()),
            None => utils::const_expr(self, expression),
        }
    }
}
