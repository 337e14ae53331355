//! The resource.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Component;
use crate::exports::test::types::things::{Guest, GuestThing, Holder, SomeThings, Thing, ThingBorrow};

static LIVING: AtomicU32 = AtomicU32::new(0);

pub struct Text(RefCell<String>);

impl Drop for Text {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, Ordering::Relaxed);
    }
}

fn made(text: String) -> Thing {
    Thing::new(Text::new(text))
}

fn seen(thing: &ThingBorrow<'_>) -> String {
    thing.get::<Text>().text()
}

impl GuestThing for Text {
    fn new(text: String) -> Self {
        LIVING.fetch_add(1, Ordering::Relaxed);
        Text(RefCell::new(text))
    }

    fn text(&self) -> String {
        self.0.borrow().clone()
    }

    fn rename(&self, text: String) -> String {
        self.0.replace(text)
    }

    fn same_as(&self, other: ThingBorrow<'_>) -> bool {
        std::ptr::eq(self, other.get::<Text>())
    }

    fn make(text: String) -> Thing {
        made(text)
    }

    fn join(first: Thing, second: ThingBorrow<'_>) -> Thing {
        made(first.get::<Text>().text() + &seen(&second))
    }

    fn living() -> u32 {
        LIVING.load(Ordering::Relaxed)
    }
}

impl Guest for Component {
    type Thing = Text;

    fn consume(x: Thing) -> String {
        x.get::<Text>().text()
    }

    fn look(x: ThingBorrow<'_>) -> String {
        seen(&x)
    }

    fn look_at_all(x: Vec<ThingBorrow<'_>>) -> Vec<String> {
        x.iter().map(seen).collect()
    }

    fn look_maybe(x: Option<ThingBorrow<'_>>) -> Option<String> {
        x.as_ref().map(seen)
    }

    fn make_many(texts: Vec<String>) -> Vec<Thing> {
        texts.into_iter().map(made).collect()
    }

    fn echo_thing(x: Thing) -> Thing {
        x
    }

    fn echo_list(x: Vec<Thing>) -> Vec<Thing> {
        x
    }

    fn echo_option(x: Option<Thing>) -> Option<Thing> {
        x
    }

    fn echo_tuple(x: (u8, Thing, Thing)) -> (u8, Thing, Thing) {
        x
    }

    fn echo_holder(x: Holder) -> Holder {
        x
    }

    fn echo_things(x: SomeThings) -> SomeThings {
        x
    }

    fn echo_result(x: Result<Thing, String>) -> Result<Thing, String> {
        x
    }

    fn echo_spilled(
        a: Thing, b: String, c: String, d: String, e: String, f: String, g: String, h: String, i: Thing,
    ) -> (Thing, Thing, String) {
        (a, i, [b, c, d, e, f, g, h].concat())
    }
}
