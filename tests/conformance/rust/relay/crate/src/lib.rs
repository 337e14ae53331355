//! Asks another node, and gives back what that says.

mod passing;

use exports::test::types::echoes::*;
use test::types::echoes as other;

wit_bindgen::generate!({
    path: ["../../../wit", "../wit"],
    world: "test:types-relay/relay",
    generate_all,
});

struct Component;

/// What is given away, where the bindings take it so, and what is only shown.
macro_rules! give {
    ($($name:ident: $type:ty,)*) => { $(fn $name(x: $type) -> $type { other::$name(x) })* };
}
macro_rules! show {
    ($($name:ident: $type:ty,)*) => { $(fn $name(x: $type) -> $type { other::$name(&x) })* };
}

impl Guest for Component {
    give! {
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

        echo_tuple_of_one: (u8,),
        echo_deep_tuple: ((((char,),),), bool),

        echo_point: Point,
        echo_gaps: Gaps,

        echo_one: One,
        echo_direction: Direction,
        echo_many: Many,

        echo_solo: Solo,
        echo_eight: Eight,
        echo_nine: Nine,
        echo_seventeen: Seventeen,
        echo_thirty_two: ThirtyTwo,

        echo_option: Option<u32>,
        echo_option_option: Option<Option<u8>>,
        echo_option_tuple: (Option<u64>, Option<bool>),
        echo_result_empty: Result<(), ()>,
        echo_result_same: Result<u8, u8>,

        type_: u8,
        class: u8,
        match_: u8,
        return_: u8,
        int: u8,
        lambda: u8,
    }

    show! {
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

        echo_words: Words,
        echo_line: Line,
        echo_drawing: Drawing,
        echo_payload: Payload,
        echo_single: Single,
        echo_crowd: Crowd,
        echo_wordy: Wordy,
    }

    fn echo_tuple(x: (u8, u64, String, f32)) -> (u8, u64, String, f32) {
        other::echo_tuple((x.0, x.1, &x.2, x.3))
    }

    fn echo_wide_tuple(
        x: (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char, String, u8, u16, u32, u64, String, Vec<u8>, Point),
    ) -> (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char, String, u8, u16, u32, u64, String, Vec<u8>, Point) {
        other::echo_wide_tuple((
            x.0, x.1, x.2, x.3, x.4, x.5, x.6, x.7, x.8, x.9, x.10, x.11, &x.12, x.13, x.14, x.15, x.16, &x.17, &x.18, &x.19,
        ))
    }

    fn echo_option_string(x: Option<String>) -> Option<String> {
        other::echo_option_string(x.as_deref())
    }

    fn echo_option_list(x: Option<Vec<u16>>) -> Option<Vec<u16>> {
        other::echo_option_list(x.as_deref())
    }

    fn echo_option_record(x: Option<Line>) -> Option<Line> {
        other::echo_option_record(x.as_ref())
    }

    fn echo_deep_option(x: Option<Option<Option<Option<String>>>>) -> Option<Option<Option<Option<String>>>> {
        other::echo_deep_option(x.as_ref().map(|x| x.as_ref().map(|x| x.as_ref().map(Option::as_deref))))
    }

    fn echo_result(x: Result<u32, String>) -> Result<u32, String> {
        other::echo_result(x.as_ref().map(|x| *x).map_err(String::as_str))
    }

    fn echo_result_ok_only(x: Result<String, ()>) -> Result<String, ()> {
        other::echo_result_ok_only(x.as_deref().map_err(|_| ()))
    }

    fn echo_result_err_only(x: Result<(), Payload>) -> Result<(), Payload> {
        other::echo_result_err_only(x.as_ref().map(|_| ()))
    }

    fn echo_result_enum(x: Result<Line, Direction>) -> Result<Line, Direction> {
        other::echo_result_enum(x.as_ref())
    }

    fn echo_result_result(x: Result<Result<u8, String>, Result<(), u64>>) -> Result<Result<u8, String>, Result<(), u64>> {
        other::echo_result_result(match &x {
            Ok(x) => Ok(x.as_ref().map(|x| *x).map_err(String::as_str)),
            Err(x) => Err(*x),
        })
    }

    fn echo_inner_results(
        x: (Result<u32, String>, Result<u8, ()>, Result<(), u8>, Result<(), ()>),
    ) -> (Result<u32, String>, Result<u8, ()>, Result<(), u8>, Result<(), ()>) {
        other::echo_inner_results((x.0.as_ref().map(|x| *x).map_err(String::as_str), x.1, x.2, x.3))
    }

    fn echo_deep_result(
        x: (Result<Result<Result<String, ()>, u8>, Option<Result<(), ()>>>,),
    ) -> (Result<Result<Result<String, ()>, u8>, Option<Result<(), ()>>>,) {
        other::echo_deep_result((match &x.0 {
            Ok(Ok(x)) => Ok(Ok(x.as_deref().map_err(|_| ()))),
            Ok(Err(x)) => Ok(Err(*x)),
            Err(x) => Err(*x),
        },))
    }

    fn echo_option_result(x: Option<Result<Option<u8>, String>>) -> Option<Result<Option<u8>, String>> {
        other::echo_option_result(x.as_ref().map(|x| x.as_ref().map(|x| *x).map_err(String::as_str)))
    }

    fn echo_17(
        a: u8, b: i16, c: u32, d: i64, e: f32, f: f64, g: bool, h: char, i: u64, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8, q: u8,
    ) -> (u8, i16, u32, i64, f32, f64, bool, char, u64, u8, u8, u8, u8, u8, u8, u8, u8) {
        other::echo_17(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
    }

    fn echo_16(
        a: u8, b: i16, c: u32, d: i64, e: f32, f: f64, g: bool, h: char, i: u64, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8,
    ) -> (u8, i16, u32, i64, f32, f64, bool, char, u64, u8, u8, u8, u8, u8, u8, u8) {
        other::echo_16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
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
        let f = f.as_deref().map_err(|error| *error);
        other::echo_mixed(&a, &b, c.as_deref(), &d, &e, f, (g.0, &g.1), h, i, &j, k)
    }

    fn echo_named(fn_: u8, type_: u16, class: String, ret: u32, err: u64) -> (u8, u16, String, u32, u64) {
        other::echo_named(fn_, type_, &class, ret, err)
    }

    fn nothing() {
        other::nothing();
    }

    fn swallow(x: String) {
        other::swallow(&x);
    }

    fn counted() -> (u32, u32) {
        other::counted()
    }

    // What a value is to the other

    fn bits_of_f32(x: f32) -> u32 {
        other::bits_of_f32(x)
    }

    fn bits_of_f64(x: f64) -> u64 {
        other::bits_of_f64(x)
    }

    fn code_of(x: char) -> u32 {
        other::code_of(x)
    }

    fn bytes_of(x: String) -> Vec<u8> {
        other::bytes_of(&x)
    }

    fn text_of(x: Vec<u8>) -> String {
        other::text_of(&x)
    }

    fn number_of(x: Many) -> u32 {
        other::number_of(x)
    }

    fn number_of_case(x: Payload) -> u32 {
        other::number_of_case(&x)
    }

    fn numbers_of_flags(x: ThirtyTwo) -> Vec<u32> {
        other::numbers_of_flags(x)
    }

    fn depth_of(x: Option<Option<Option<Option<String>>>>) -> u32 {
        other::depth_of(x.as_ref().map(|x| x.as_ref().map(|x| x.as_ref().map(Option::as_deref))))
    }

    fn sum_of(x: Vec<i64>) -> i64 {
        other::sum_of(&x)
    }

    fn distance_of(x: Line) -> i64 {
        other::distance_of(&x)
    }
}

export!(Component);
