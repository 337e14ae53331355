//! Another node's things, passed through.

use crate::Component;
use crate::exports::test::types::passing::Guest;
use crate::test::types::things::{self, Holder, SomeThings, Thing};

impl Guest for Component {
    fn new_thing(text: String) -> Thing {
        Thing::new(&text)
    }

    fn text(x: &Thing) -> String {
        x.text()
    }

    fn rename(x: &Thing, text: String) -> String {
        x.rename(&text)
    }

    fn same_as(x: &Thing, other: &Thing) -> bool {
        x.same_as(other)
    }

    fn make(text: String) -> Thing {
        Thing::make(&text)
    }

    fn join(first: Thing, second: &Thing) -> Thing {
        Thing::join(first, second)
    }

    fn living() -> u32 {
        Thing::living()
    }

    fn briefly(text: String) -> String {
        Thing::new(&text).text()
    }

    fn lend_all(texts: Vec<String>) -> Vec<String> {
        let all: Vec<Thing> = texts.iter().map(|text| Thing::new(text)).collect();
        things::look_at_all(&all.iter().collect::<Vec<_>>())
    }

    fn consume(x: Thing) -> String {
        things::consume(x)
    }

    fn look(x: &Thing) -> String {
        things::look(x)
    }

    fn look_maybe(x: Option<&Thing>) -> Option<String> {
        things::look_maybe(x)
    }

    fn make_many(texts: Vec<String>) -> Vec<Thing> {
        things::make_many(&texts)
    }

    fn echo_thing(x: Thing) -> Thing {
        things::echo_thing(x)
    }

    fn echo_list(x: Vec<Thing>) -> Vec<Thing> {
        things::echo_list(x)
    }

    fn echo_option(x: Option<Thing>) -> Option<Thing> {
        things::echo_option(x)
    }

    fn echo_tuple(x: (u8, Thing, Thing)) -> (u8, Thing, Thing) {
        things::echo_tuple(x)
    }

    fn echo_holder(x: Holder) -> Holder {
        things::echo_holder(x)
    }

    fn echo_things(x: SomeThings) -> SomeThings {
        things::echo_things(x)
    }

    fn echo_result(x: Result<Thing, String>) -> Result<Thing, String> {
        things::echo_result(x)
    }

    fn echo_spilled(
        a: Thing, b: String, c: String, d: String, e: String, f: String, g: String, h: String, i: Thing,
    ) -> (Thing, Thing, String) {
        things::echo_spilled(a, &b, &c, &d, &e, &f, &g, &h, i)
    }
}
