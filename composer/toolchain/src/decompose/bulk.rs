//! Adapters' loops that copy lists of numbers one by one, as copies of all at once.

use super::merge::unencodable;
use super::space::Space;
use anyhow::Result;
use wasm_encoder as encoder;
use wasm_encoder::reencode::Reencode;
use wasmparser::{BlockType, FunctionBody, MemArg, Operator};

/// What such a loop does, by local variables and memories: `count` elements of `width` bytes, at least one.
struct Copy {
    to: u32,
    target: u32,
    from: u32,
    source: u32,
    count: u32,
    width: i32,
}

/// How many operators it has.
const LENGTH: usize = 19;

/// An adapter's function in the merged module.
pub fn body(space: &mut Space, body: FunctionBody) -> Result<encoder::Function> {
    let mut function = space
        .new_function_with_parsed_locals(&body)
        .map_err(unencodable)?;
    let operators: Vec<Operator> = body
        .get_operators_reader()?
        .into_iter()
        .collect::<Result<_, _>>()?;
    let mut at = 0;
    while at < operators.len() {
        if let Some(copy) = Copy::of(&operators[at..]) {
            copy.encode(space, &mut function)?;
            at += LENGTH;
        } else {
            let instruction = space
                .instruction(operators[at].clone())
                .map_err(unencodable)?;
            function.instruction(&instruction);
            at += 1;
        }
    }
    Ok(function)
}

impl Copy {
    /// The loop that begins here, if it is one; none of its variables is read after it. The adapter has checked both ranges before.
    fn of(operators: &[Operator]) -> Option<Copy> {
        use Operator::{BrIf, End, I32Add, I32Const, LocalGet, LocalSet, LocalTee, Loop};
        let [
            Loop {
                blockty: BlockType::Empty,
            },
            LocalGet { local_index: to },
            LocalGet { local_index: from },
            load,
            store,
            rest @ ..,
        ] = operators
        else {
            return None;
        };
        let (width, source, target) = element(load, store)?;
        let [
            LocalGet { local_index: from1 },
            I32Const { value: step1 },
            I32Add,
            LocalSet { local_index: from2 },
            LocalGet { local_index: to1 },
            I32Const { value: step2 },
            I32Add,
            LocalSet { local_index: to2 },
            LocalGet {
                local_index: count1,
            },
            I32Const { value: -1 },
            I32Add,
            LocalTee {
                local_index: count2,
            },
            BrIf { relative_depth: 0 },
            End,
            ..,
        ] = rest
        else {
            return None;
        };
        let same = from1 == from && from2 == from && to1 == to && to2 == to && count1 == count2;
        let apart = from != to && from != count1 && to != count1 && source != target;
        (same && apart && *step1 == width && *step2 == width).then_some(Copy {
            to: *to,
            target,
            from: *from,
            source,
            count: *count1,
            width,
        })
    }

    fn encode(&self, space: &mut Space, function: &mut encoder::Function) -> Result<()> {
        let target = space.memory_index(self.target).map_err(unencodable)?;
        let source = space.memory_index(self.source).map_err(unencodable)?;
        let mut code = function.instructions();
        code.local_get(self.to).local_get(self.from);
        code.local_get(self.count).i32_const(self.width).i32_mul();
        code.memory_copy(target, source);
        Ok(())
    }
}

/// The width of an element that is passed on as it is, and the memories from which and to which.
fn element(load: &Operator, store: &Operator) -> Option<(i32, u32, u32)> {
    use Operator as O;
    let (width, from, to) = match (load, store) {
        (O::I32Load8U { memarg } | O::I32Load8S { memarg }, O::I32Store8 { memarg: to }) => {
            (1, memarg, to)
        }
        (O::I32Load16U { memarg } | O::I32Load16S { memarg }, O::I32Store16 { memarg: to }) => {
            (2, memarg, to)
        }
        (O::I32Load { memarg }, O::I32Store { memarg: to }) => (4, memarg, to),
        (O::F32Load { memarg }, O::F32Store { memarg: to }) => (4, memarg, to),
        (O::I64Load { memarg }, O::I64Store { memarg: to }) => (8, memarg, to),
        (O::F64Load { memarg }, O::F64Store { memarg: to }) => (8, memarg, to),
        _ => return None,
    };
    let plain = |argument: &MemArg| argument.offset == 0;
    (plain(from) && plain(to)).then_some((width, from.memory, to.memory))
}
