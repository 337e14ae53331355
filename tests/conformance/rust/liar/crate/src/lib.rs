//! Answers that no value of their type is. Only `unsafe` makes them in Rust, as a library's mistake would.

use exports::test::lies::lies::{Direction, Guest, Many, Nine, Payload};

wit_bindgen::generate!({
    path: ["../../../wit", "../../../lies", "../wit"],
    world: "test:lies-liar/liar",
    generate_all,
});

struct Component;

fn text(bytes: &[u8]) -> String {
    unsafe { String::from_utf8_unchecked(bytes.to_vec()) }
}

/// These bits as a value of another type. The compiler may not know them, or it would do as it likes with what it takes for impossible.
fn forced<From, To>(bits: From) -> To {
    let bits = std::hint::black_box(bits);
    unsafe { std::mem::transmute_copy(&bits) }
}

impl Guest for Component {
    fn truth() -> String {
        "true".into()
    }

    fn half_a_character() -> String {
        text(b"a\xed\xa0\x80")
    }

    fn no_text() -> String {
        text(b"\xff\xfe")
    }

    fn half_inside() -> Vec<Option<String>> {
        vec![None, Some("good".into()), Some(text(b"\xed\xbf\xbf"))]
    }

    fn surrogate() -> char {
        forced(0xd800u32)
    }

    fn beyond_unicode() -> char {
        forced(0x110000u32)
    }

    fn no_label() -> Direction {
        forced(4u8)
    }

    fn no_label_of_many() -> Many {
        forced(300u16)
    }

    fn no_case() -> Payload {
        forced([0xffu8; 128])
    }

    fn more_flags() -> Nine {
        Nine::from_bits_retain(0xffff)
    }

    fn too_large() -> u8 {
        std::hint::black_box(300u32) as u8
    }

    fn too_small() -> i8 {
        std::hint::black_box(-300i32) as i8
    }

    fn strange_bool() -> bool {
        forced(2u8)
    }

    fn long_list() -> Vec<u64> {
        unsafe { Vec::from_raw_parts(8 as *mut u64, 0x1fffffff, 0x1fffffff) }
    }

    fn much(bytes: u32) -> Vec<u8> {
        vec![7; bytes as usize]
    }

    fn many_lists(count: u32) -> Vec<Vec<u8>> {
        (0..count).map(|place| vec![7; place as usize % 3]).collect()
    }

    fn length(x: Vec<Vec<u8>>) -> u32 {
        x.iter().map(|one| one.len() as u32).sum()
    }

    fn deep(times: u32) -> u32 {
        let here = std::hint::black_box([1u8; 64]);
        if times == 0 { 0 } else { Self::deep(times - 1) + u32::from(here[times as usize % 64]) }
    }
}

export!(Component);
