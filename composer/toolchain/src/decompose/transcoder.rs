//! UTF-8 from one memory to another, in wasm: what a call between two instances has in place of a call of the host.

use std::collections::BTreeMap;
use wasm_encoder::BlockType::Empty;
use wasm_encoder::{Function, InstructionSink, MemArg, ValType};
use wasmtime_environ::component::{
    ComponentTranslation, RuntimeMemoryIndex, Trampoline, TrampolineIndex,
};

/// The memories from which and to which a transcoder copies, by its trampoline.
pub type Between = BTreeMap<TrampolineIndex, (RuntimeMemoryIndex, RuntimeMemoryIndex)>;

/// What the plan calls the transcoder that is written here.
pub const OPERATION: &str = "utf8-to-utf8";
/// How the function is named, for backtraces.
pub const NAME: &str = "[transcoder] utf8-to-utf8";

const SOURCE: u32 = 0;
const LENGTH: u32 = 1;
const TARGET: u32 = 2;
const AT: u32 = 3;
const LEFT: u32 = 4;
const LEAD: u32 = 5;
const MORE: u32 = 6;
const LOWEST: u32 = 7;
const HIGHEST: u32 = 8;

/// How far out the blocks are from inside the loop.
const NEXT: u32 = 0;
const VALID: u32 = 1;
const INVALID: u32 = 2;

/// The transcoders that are written in wasm, with the memories from which and to which they copy.
pub fn between(translation: &ComponentTranslation) -> Between {
    let trampolines = translation.trampolines.iter();
    trampolines
        .filter_map(|(index, trampoline)| match trampoline {
            Trampoline::Transcoder {
                op,
                from,
                from64: false,
                to,
                to64: false,
            } if op.desc() == OPERATION => Some((index, (*from, *to))),
            _ => None,
        })
        .collect()
}

/// A function of the transcoder's signature that copies, if the source is UTF-8 (*Unicode*, table 3-7). What is not is the host's to
/// judge, by its own transcoder: `host`. A range that is not in its memory traps.
pub fn body(from: u32, to: u32, host: u32) -> Function {
    let mut function = Function::new([(6, ValType::I32)]);
    let mut code = function.instructions();
    code.local_get(SOURCE).local_set(AT);
    code.local_get(LENGTH).local_set(LEFT);
    code.block(Empty);
    code.block(Empty);
    code.loop_(Empty);
    ascii(&mut code, from);
    twos(&mut code, from);
    threes(&mut code, from);
    code.local_get(LEFT).i32_eqz().br_if(VALID);
    byte(&mut code, from, 0);
    code.local_tee(LEAD).i32_const(0x80).i32_lt_u().if_(Empty);
    code.i32_const(0).local_set(MORE);
    code.else_();
    lead(&mut code);
    rest(&mut code, from);
    code.end();
    advance(&mut code);
    code.br(NEXT);
    code.end();
    code.end(); // valid
    code.local_get(TARGET)
        .local_get(SOURCE)
        .local_get(LENGTH)
        .memory_copy(to, from)
        .return_();
    code.end(); // invalid
    code.local_get(SOURCE)
        .local_get(LENGTH)
        .local_get(TARGET)
        .call(host);
    code.end();
    function
}

/// Pass over eight bytes at a time, as long as all are ASCII.
fn ascii(code: &mut InstructionSink, from: u32) {
    let high = i64::from_ne_bytes([0x80; 8]);
    code.block(Empty);
    code.loop_(Empty);
    code.local_get(LEFT).i32_const(8).i32_lt_u().br_if(1);
    code.local_get(AT).i64_load(at(from, 0));
    code.i64_const(high)
        .i64_and()
        .i64_const(0)
        .i64_ne()
        .br_if(1);
    step(code, 8);
    code.br(0).end().end();
}

/// Pass over two characters of two bytes at a time, as long as there are such: the forms of all four bytes, and that none is overlong.
fn twos(code: &mut InstructionSink, from: u32) {
    code.block(Empty).loop_(Empty);
    word(code, from);
    masked(code, 0xc0e0_c0e0).i32_const(0x80c0_80c0_u32.cast_signed());
    code.i32_ne().br_if(1);
    masked(code, 0x1e).i32_eqz().br_if(1);
    masked(code, 0x1e_0000).i32_eqz().br_if(1);
    step(code, 4);
    code.br(0).end().end();
}

/// Pass over a character of three bytes at a time, as long as there are such, neither overlong nor surrogates.
fn threes(code: &mut InstructionSink, from: u32) {
    code.block(Empty).loop_(Empty);
    word(code, from);
    masked(code, 0x00c0_c0f0).i32_const(0x0080_80e0);
    code.i32_ne().br_if(1);
    masked(code, 0x200f).local_tee(MORE).i32_eqz().br_if(1);
    code.local_get(MORE).i32_const(0x200d).i32_eq().br_if(1);
    step(code, 3);
    code.br(0).end().end();
}

/// The next four bytes into LEAD; out of the loop where there are fewer.
fn word(code: &mut InstructionSink, from: u32) {
    code.local_get(LEFT).i32_const(4).i32_lt_u().br_if(1);
    code.local_get(AT).i32_load(at(from, 0)).local_set(LEAD);
}

fn masked<'a, 'b>(code: &'b mut InstructionSink<'a>, mask: u32) -> &'b mut InstructionSink<'a> {
    code.local_get(LEAD).i32_const(mask.cast_signed()).i32_and()
}

fn step(code: &mut InstructionSink, count: i32) {
    code.local_get(AT).i32_const(count).i32_add().local_set(AT);
    code.local_get(LEFT)
        .i32_const(count)
        .i32_sub()
        .local_set(LEFT);
}

/// From the first byte of a longer sequence: how many follow, and between what the next must lie.
fn lead(code: &mut InstructionSink) {
    // One block further out than in the loop itself.
    code.local_get(LEAD)
        .i32_const(0xc2)
        .i32_lt_u()
        .br_if(INVALID + 1);
    code.local_get(LEAD)
        .i32_const(0xf4)
        .i32_gt_u()
        .br_if(INVALID + 1);
    code.i32_const(1);
    code.local_get(LEAD).i32_const(0xe0).i32_ge_u().i32_add();
    code.local_get(LEAD).i32_const(0xf0).i32_ge_u().i32_add();
    code.local_set(MORE);
    // No overlong form, no surrogate, nothing above the last code point.
    code.i32_const(0xa0).i32_const(0x90).i32_const(0x80);
    equals(code, 0xf0).select();
    equals(code, 0xe0).select().local_set(LOWEST);
    code.i32_const(0x9f).i32_const(0x8f).i32_const(0xbf);
    equals(code, 0xf4).select();
    equals(code, 0xed).select().local_set(HIGHEST);
}

fn equals<'a, 'b>(code: &'b mut InstructionSink<'a>, value: i32) -> &'b mut InstructionSink<'a> {
    code.local_get(LEAD).i32_const(value).i32_eq()
}

/// The bytes after the first.
fn rest(code: &mut InstructionSink, from: u32) {
    code.local_get(LEFT)
        .local_get(MORE)
        .i32_le_u()
        .br_if(INVALID + 1);
    byte(code, from, 1);
    code.local_get(LOWEST).i32_sub();
    code.local_get(HIGHEST).local_get(LOWEST).i32_sub();
    code.i32_gt_u().br_if(INVALID + 1);
    for place in [2, 3] {
        code.local_get(MORE).i32_const(place).i32_ge_u();
        code.if_(Empty);
        byte(code, from, place.unsigned_abs().into());
        code.i32_const(0xc0)
            .i32_and()
            .i32_const(0x80)
            .i32_ne()
            .br_if(INVALID + 2);
        code.end();
    }
}

fn advance(code: &mut InstructionSink) {
    code.local_get(AT)
        .local_get(MORE)
        .i32_add()
        .i32_const(1)
        .i32_add()
        .local_set(AT);
    code.local_get(LEFT)
        .local_get(MORE)
        .i32_sub()
        .i32_const(1)
        .i32_sub()
        .local_set(LEFT);
}

fn byte(code: &mut InstructionSink, from: u32, offset: u64) {
    code.local_get(AT).i32_load8_u(at(from, offset));
}

fn at(memory_index: u32, offset: u64) -> MemArg {
    MemArg {
        offset,
        align: 0,
        memory_index,
    }
}
