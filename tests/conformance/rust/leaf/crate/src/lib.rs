//! Every type, given back.

mod things;

use exports::test::types::echoes::*;

wit_bindgen::generate!({
    path: ["../../../wit", "../wit"],
    world: "test:types-leaf/leaf",
    generate_all,
});

struct Component;

macro_rules! echo {
    ($($name:ident: $type:ty,)*) => { $(fn $name(x: $type) -> $type { x })* };
}

/// How often `nothing` was called, and how long was what was swallowed. Calls come one at a time.
static COUNTED: std::sync::Mutex<(u32, u32)> = std::sync::Mutex::new((0, 0));

impl Guest for Component {
    echo! {
        echo_bool: bool,
        echo_s8: i8,
        echo_u8: u8,
        echo_s16: i16,
        echo_u16: u16,
        echo_s32: i32,
        echo_u32: u32,
        echo_s64: i64,
        echo_u64: u64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,

        echo_bools: Vec<bool>,
        echo_s8s: Vec<i8>,
        echo_bytes: Vec<u8>,
        echo_s16s: Vec<i16>,
        echo_u16s: Vec<u16>,
        echo_s32s: Vec<i32>,
        echo_u32s: Vec<u32>,
        echo_s64s: Vec<i64>,
        echo_u64s: Vec<u64>,
        echo_f32s: Vec<f32>,
        echo_f64s: Vec<f64>,
        echo_chars: Vec<char>,
        echo_strings: Vec<String>,
        echo_bytes_list: Vec<Vec<u8>>,
        echo_deep_list: Vec<Vec<Vec<Vec<String>>>>,
        echo_points: Vec<Point>,
        echo_gaps_list: Vec<Gaps>,
        echo_payloads: Vec<Payload>,
        echo_directions: Vec<Direction>,
        echo_many_list: Vec<Many>,
        echo_nines: Vec<Nine>,
        echo_options: Vec<Option<String>>,
        echo_results: Vec<Result<u64, String>>,
        echo_pairs: Vec<(String, u8)>,

        echo_tuple_of_one: (u8,),
        echo_tuple: (u8, u64, String, f32),
        echo_deep_tuple: ((((char,),),), bool),
        echo_wide_tuple: (
            u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char, String, u8, u16, u32, u64, String, Vec<u8>, Point,
        ),

        echo_point: Point,
        echo_gaps: Gaps,
        echo_words: Words,
        echo_line: Line,
        echo_drawing: Drawing,

        echo_payload: Payload,
        echo_single: Single,
        echo_crowd: Crowd,
        echo_wordy: Wordy,

        echo_one: One,
        echo_direction: Direction,
        echo_many: Many,

        echo_solo: Solo,
        echo_eight: Eight,
        echo_nine: Nine,
        echo_seventeen: Seventeen,
        echo_thirty_two: ThirtyTwo,

        echo_option: Option<u32>,
        echo_option_string: Option<String>,
        echo_option_list: Option<Vec<u16>>,
        echo_option_record: Option<Line>,
        echo_option_option: Option<Option<u8>>,
        echo_deep_option: Option<Option<Option<Option<String>>>>,
        echo_option_tuple: (Option<u64>, Option<bool>),

        echo_result: Result<u32, String>,
        echo_result_ok_only: Result<String, ()>,
        echo_result_err_only: Result<(), Payload>,
        echo_result_empty: Result<(), ()>,
        echo_result_same: Result<u8, u8>,
        echo_result_enum: Result<Line, Direction>,
        echo_result_result: Result<Result<u8, String>, Result<(), u64>>,
        echo_inner_results: (Result<u32, String>, Result<u8, ()>, Result<(), u8>, Result<(), ()>),
        echo_deep_result: (Result<Result<Result<String, ()>, u8>, Option<Result<(), ()>>>,),
        echo_option_result: Option<Result<Option<u8>, String>>,

        type_: u8,
        class: u8,
        match_: u8,
        return_: u8,
        int: u8,
        lambda: u8,
    }

    fn echo_17(
        a: u8, b: i16, c: u32, d: i64, e: f32, f: f64, g: bool, h: char, i: u64, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8, q: u8,
    ) -> (u8, i16, u32, i64, f32, f64, bool, char, u64, u8, u8, u8, u8, u8, u8, u8, u8) {
        (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
    }

    fn echo_16(
        a: u8, b: i16, c: u32, d: i64, e: f32, f: f64, g: bool, h: char, i: u64, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8,
    ) -> (u8, i16, u32, i64, f32, f64, bool, char, u64, u8, u8, u8, u8, u8, u8, u8) {
        (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }

    fn echo_mixed(
        a: String,
        b: Vec<String>,
        c: Option<String>,
        d: Payload,
        e: Line,
        f: Result<String, u8>,
        g: (u8, String),
        h: Direction,
        i: Nine,
        j: Vec<u8>,
        k: Gaps,
    ) -> (String, Vec<String>, Option<String>, Payload, Line, Result<String, u8>, (u8, String), Direction, Nine, Vec<u8>, Gaps) {
        (a, b, c, d, e, f, g, h, i, j, k)
    }

    fn echo_named(fn_: u8, type_: u16, class: String, ret: u32, err: u64) -> (u8, u16, String, u32, u64) {
        (fn_, type_, class, ret, err)
    }

    fn nothing() {
        COUNTED.lock().unwrap().0 += 1;
    }

    fn swallow(x: String) {
        COUNTED.lock().unwrap().1 = x.len() as u32;
    }

    fn counted() -> (u32, u32) {
        *COUNTED.lock().unwrap()
    }

    // What a value is here

    fn bits_of_f32(x: f32) -> u32 {
        x.to_bits()
    }

    fn bits_of_f64(x: f64) -> u64 {
        x.to_bits()
    }

    fn code_of(x: char) -> u32 {
        x.into()
    }

    fn bytes_of(x: String) -> Vec<u8> {
        x.into_bytes()
    }

    fn text_of(x: Vec<u8>) -> String {
        String::from_utf8(x).unwrap()
    }

    fn number_of(x: Many) -> u32 {
        x as u32
    }

    fn number_of_case(x: Payload) -> u32 {
        match x {
            Payload::Nothing => 0,
            Payload::ABool(_) => 1,
            Payload::AU8(_) => 2,
            Payload::AU32(_) => 3,
            Payload::AS64(_) => 4,
            Payload::AF32(_) => 5,
            Payload::AF64(_) => 6,
            Payload::AChar(_) => 7,
            Payload::AString(_) => 8,
            Payload::AList(_) => 9,
            Payload::ATuple(_) => 10,
            Payload::ARecord(_) => 11,
            Payload::AnOption(_) => 12,
            Payload::AResult(_) => 13,
            Payload::AnEnum(_) => 14,
            Payload::SomeFlags(_) => 15,
        }
    }

    fn numbers_of_flags(x: ThirtyTwo) -> Vec<u32> {
        (0..32).filter(|bit| x.bits() >> bit & 1 == 1).collect()
    }

    fn depth_of(x: Option<Option<Option<Option<String>>>>) -> u32 {
        match x {
            None => 0,
            Some(None) => 1,
            Some(Some(None)) => 2,
            Some(Some(Some(None))) => 3,
            Some(Some(Some(Some(_)))) => 4,
        }
    }

    fn sum_of(x: Vec<i64>) -> i64 {
        x.into_iter().fold(0, i64::wrapping_add)
    }

    fn distance_of(x: Line) -> i64 {
        i64::from(x.to.x).abs_diff(x.from.x.into()) as i64 + i64::from(x.to.y).abs_diff(x.from.y.into()) as i64
    }
}

export!(Component);
