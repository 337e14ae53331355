//! The component's export: `ringfence:pricing/calculator`, answered by `order`.

mod discount;
mod order;

use exports::ringfence::pricing::calculator::{Discount, Guest, Line, OrderTotal, PricingError};

wit_bindgen::generate!({
    path: ["../../../wit/pricing", "../wit"],
    world: "ringfence:pricing-component/pricing",
});

struct Component;

impl Guest for Component {
    fn total(lines: Vec<Line>, discounts: Vec<Discount>) -> Result<OrderTotal, PricingError> {
        order::total(&lines, &discounts)
    }
}

export!(Component);
