//! One discount: what it takes off.

use crate::exports::ringfence::pricing::calculator::{Discount, Line, Rounding, Traits};

const ALL: u32 = 10_000;

/// What the discount takes off the amount `left`: from 0 to all of it. `None` where the discount makes no sense.
pub fn taken(discount: &Discount, lines: &[&Line], left: i64) -> Option<i64> {
    let most = i128::from(left.max(0));
    let wanted = match discount {
        Discount::Pieces(free) if free.every == 0 => return None,
        Discount::Pieces(free) => of_pieces(lines, free.every),
        Discount::Share(share) if share.basis_points > ALL => return None,
        Discount::Share(share) => of_share(most, share.basis_points, share.rounding),
        Discount::Voucher(amount) if *amount < 0 => return None,
        Discount::Voucher(amount) => i128::from(*amount),
    };
    i64::try_from(wanted.clamp(0, most)).ok()
}

/// What the free pieces would have cost. A line that is a credit, or a gift already, has none.
fn of_pieces(lines: &[&Line], every: u32) -> i128 {
    let paid = |line: &&&Line| line.unit_price > 0 && !line.traits.contains(Traits::GIFT);
    let amount = |line: &&Line| i128::from(line.quantity / every) * i128::from(line.unit_price); // below 2^95
    lines.iter().filter(paid).map(amount).sum()
}

/// The share of an amount below 2^63 that is not negative; at most the amount.
fn of_share(amount: i128, basis_points: u32, rounding: Rounding) -> i128 {
    let product = amount * i128::from(basis_points);
    let (whole, rest) = (product / i128::from(ALL), product % i128::from(ALL));
    let half = i128::from(ALL / 2);
    let up = match rounding {
        Rounding::Down => false,
        Rounding::HalfUp => rest >= half,
        Rounding::HalfEven => rest > half || (rest == half && whole % 2 == 1),
    };
    whole + i128::from(up)
}
