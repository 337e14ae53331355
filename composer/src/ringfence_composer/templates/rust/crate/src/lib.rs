//! What new-thing does: the functions of each interface that its world exports.

use exports::example::new_thing::greetings::Guest;

wit_bindgen::generate!({ path: "../wit", world: "new-thing" });

struct Component;

impl Guest for Component {
    fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }
}

export!(Component);
