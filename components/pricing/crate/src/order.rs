//! An order's sum, and what is left of it after its discounts.

use crate::discount;
use crate::exports::ringfence::pricing::calculator::{
    Discount, Line, OrderTotal, PricingError, Traits,
};

/// The total of these lines, with the discounts taken one after another; see the WIT for its errors.
pub fn total(lines: &[Line], discounts: &[Discount]) -> Result<OrderTotal, PricingError> {
    let subtotal = sum(lines.iter())?;
    let touchable: Vec<&Line> = lines.iter().filter(|line| !is_fixed(line)).collect();
    let before = sum(touchable.iter().copied())?;
    let mut left = before;
    for (place, discount) in discounts.iter().enumerate() {
        let taken = discount::taken(discount, &touchable, left);
        left -= taken.ok_or(PricingError::BadDiscount(place as u32))?; // never more than is left
    }
    let discounted = before - left;
    let total = subtotal
        .checked_sub(discounted)
        .ok_or(PricingError::Overflow)?;
    Ok(OrderTotal {
        subtotal,
        discounted,
        total,
    })
}

/// The sum of quantity times unit price. Computed in 128 bits, so that only the result must fit: a credit may bring it back.
fn sum<'a>(lines: impl Iterator<Item = &'a Line>) -> Result<i64, PricingError> {
    let mut sum = 0_i128;
    for line in lines.filter(|line| !line.traits.contains(Traits::GIFT)) {
        let amount = i128::from(line.quantity) * i128::from(line.unit_price); // below 2^95
        sum = sum.checked_add(amount).ok_or(PricingError::Overflow)?;
    }
    i64::try_from(sum).map_err(|_| PricingError::Overflow)
}

/// Whether no discount touches this line.
fn is_fixed(line: &Line) -> bool {
    line.traits.contains(Traits::FIXED_PRICE)
}
