//! Tries what it is told.

use exports::test::bank::tries::Guest;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

wit_bindgen::generate!({
    path: ["../../bank", "../wit"],
    world: "test:trier/trier",
});

static ASKED: AtomicU32 = AtomicU32::new(0);
thread_local! { static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) }; }

struct Component;

impl Guest for Component {
    fn add(one: u32, other: u64) -> u64 {
        other.wrapping_add(one.into())
    }

    fn negate(number: f64) -> f64 {
        -number
    }

    fn twice(text: String) -> String {
        format!("{text}{text}")
    }

    fn reversed(mut data: Vec<u8>) -> Vec<u8> {
        data.reverse();
        data
    }

    fn getenv(name: String) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read_file(path: String) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.kind().to_string())
    }

    fn print(text: String, times: u32) {
        for _ in 0..times {
            println!("{text}");
        }
    }

    fn trap() {
        panic!("told to");
    }

    fn spin() {
        loop {
            std::hint::black_box(());
        }
    }

    fn hoard(bytes: u32) -> u32 {
        KEPT.with_borrow_mut(|kept| {
            kept.push(vec![1; bytes as usize]);
            kept.iter().map(Vec::len).sum::<usize>() as u32
        })
    }

    fn counter() -> u32 {
        ASKED.fetch_add(1, Ordering::Relaxed)
    }
}

export!(Component);
