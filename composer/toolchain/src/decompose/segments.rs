//! Segments and start functions, in the order that the component has them.
//!
//! A component instantiates its modules one after the other: segments are written, the start function runs, then the
//! next. One module writes all its active segments before anything runs. So the merged module has no start
//! section: an exported function `start` runs the start functions in their order, and segments that could tell the
//! difference are passive in the merged module and written by it in their turn. Segments are exactly that by
//! definition (Core specification, *Instantiation*, step 15 and on: active segments are `table.init` and `memory.init`).

use super::constant::Constant;
use super::merge::{Merger, unencodable};
use super::space::{Entity, Space};
use anyhow::Result;
use wasm_encoder as encoder;
use wasm_encoder::Encode;
use wasm_encoder::reencode::Reencode;
use wasmparser::{
    DataKind, DataSectionReader, ElementItems, ElementKind, ElementSectionReader, ExternalKind,
};

/// What the exported function `start` does, in order.
pub enum Step {
    Data {
        segment: u32,
        memory: u32,
        offset: Vec<u8>,
        length: u32,
    },
    Elements {
        segment: u32,
        table: u32,
        offset: Vec<u8>,
        length: u32,
    },
    Call(u32),
}

impl Merger {
    pub fn element_section(
        &mut self,
        space: &mut Space,
        section: ElementSectionReader,
        deferring: bool,
    ) -> Result<()> {
        for segment in section {
            let segment = segment?;
            let length = match &segment.items {
                ElementItems::Functions(items) => items.count(),
                ElementItems::Expressions(_, items) => items.count(),
            };
            let ElementKind::Active {
                table_index,
                offset_expr,
            } = &segment.kind
            else {
                space
                    .parse_element(&mut self.elements, segment)
                    .map_err(unencodable)?;
                continue;
            };
            let own = table_index.unwrap_or(0);
            let table = space.entity(ExternalKind::Table, own)?.index;
            let certain = own >= space.imported_tables
                && fits(
                    space.fold(offset_expr),
                    length,
                    self.table_sizes[table as usize],
                );
            if !deferring || certain {
                space
                    .parse_element(&mut self.elements, segment)
                    .map_err(unencodable)?;
                continue;
            }
            let offset = instructions(&space.const_expr(offset_expr.clone()).map_err(unencodable)?);
            self.steps.push(Step::Elements {
                segment: self.elements.len(),
                table,
                offset,
                length,
            });
            let items = space.element_items(segment.items).map_err(unencodable)?;
            self.elements.passive(items);
        }
        Ok(())
    }

    pub fn data_section(
        &mut self,
        space: &mut Space,
        section: DataSectionReader,
        deferring: bool,
    ) -> Result<()> {
        for segment in section {
            let segment = segment?;
            let length = u32::try_from(segment.data.len())?;
            let DataKind::Active {
                memory_index,
                offset_expr,
            } = &segment.kind
            else {
                space
                    .parse_data(&mut self.data, segment)
                    .map_err(unencodable)?;
                continue;
            };
            let memory = space.entity(ExternalKind::Memory, *memory_index)?.index;
            let certain = *memory_index >= space.imported_memories
                && fits(
                    space.fold(offset_expr),
                    length,
                    self.memory_sizes[memory as usize],
                );
            if !deferring || certain {
                space
                    .parse_data(&mut self.data, segment)
                    .map_err(unencodable)?;
                continue;
            }
            let offset = instructions(&space.const_expr(offset_expr.clone()).map_err(unencodable)?);
            self.steps.push(Step::Data {
                segment: self.data.len(),
                memory,
                offset,
                length,
            });
            self.data.passive(segment.data.iter().copied());
        }
        Ok(())
    }

    /// Add the function that runs the start functions, if there is anything to do.
    pub fn start(&mut self) -> Option<Entity> {
        if !self.steps.iter().any(|step| matches!(step, Step::Call(_))) {
            return None;
        }
        let mut body = encoder::Function::new([]);
        for step in self.steps.drain(..) {
            step.encode(&mut body);
        }
        body.instructions().end();
        self.types.ty().function([], []);
        self.functions.function(self.type_count);
        self.code.function(&body);
        self.names.insert(self.function_count, "[start]");
        let index = self.function_count;
        self.type_count += 1;
        self.function_count += 1;
        Some(Entity {
            kind: ExternalKind::Func,
            index,
        })
    }
}

impl Step {
    fn encode(self, body: &mut encoder::Function) {
        match self {
            Step::Call(function) => {
                body.instructions().call(function);
            }
            Step::Data {
                segment,
                memory,
                offset,
                length,
            } => {
                body.raw(offset);
                body.instructions()
                    .i32_const(0)
                    .i32_const(length.cast_signed());
                body.instructions()
                    .memory_init(memory, segment)
                    .data_drop(segment);
            }
            Step::Elements {
                segment,
                table,
                offset,
                length,
            } => {
                body.raw(offset);
                body.instructions()
                    .i32_const(0)
                    .i32_const(length.cast_signed());
                body.instructions()
                    .table_init(table, segment)
                    .elem_drop(segment);
            }
        }
    }
}

/// Whether a segment is certainly within what it initializes.
fn fits(offset: Option<Constant>, length: u32, size: u64) -> bool {
    offset
        .and_then(|offset| offset.address())
        .is_some_and(|offset| offset.saturating_add(length.into()) <= size)
}

/// A constant expression without its `end`.
fn instructions(expression: &encoder::ConstExpr) -> Vec<u8> {
    let mut bytes = Vec::new();
    expression.encode(&mut bytes);
    bytes.pop();
    bytes
}
