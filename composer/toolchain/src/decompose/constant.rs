//! Values that are known before instantiation.

use wasm_encoder::ConstExpr;
use wasmparser::Operator;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    I32(i32),
    I64(i64),
    /// A reference to this function of the merged module.
    Function(u32),
}

impl Constant {
    /// The result of a binary operator that constant expressions may have (*Extended constant expressions*).
    pub fn combine(&self, operator: &Operator, right: &Constant) -> Option<Constant> {
        let value = match (self, right, operator) {
            (Constant::I32(a), Constant::I32(b), Operator::I32Add) => {
                Constant::I32(a.wrapping_add(*b))
            }
            (Constant::I32(a), Constant::I32(b), Operator::I32Sub) => {
                Constant::I32(a.wrapping_sub(*b))
            }
            (Constant::I32(a), Constant::I32(b), Operator::I32Mul) => {
                Constant::I32(a.wrapping_mul(*b))
            }
            (Constant::I64(a), Constant::I64(b), Operator::I64Add) => {
                Constant::I64(a.wrapping_add(*b))
            }
            (Constant::I64(a), Constant::I64(b), Operator::I64Sub) => {
                Constant::I64(a.wrapping_sub(*b))
            }
            (Constant::I64(a), Constant::I64(b), Operator::I64Mul) => {
                Constant::I64(a.wrapping_mul(*b))
            }
            _ => return None,
        };
        Some(value)
    }

    /// As an offset into a memory or table.
    pub fn address(&self) -> Option<u64> {
        match self {
            Constant::I32(value) => Some(value.cast_unsigned().into()),
            Constant::I64(value) => Some(value.cast_unsigned()),
            Constant::Function(_) => None,
        }
    }

    pub fn encode(&self) -> ConstExpr {
        match self {
            Constant::I32(value) => ConstExpr::i32_const(*value),
            Constant::I64(value) => ConstExpr::i64_const(*value),
            Constant::Function(index) => ConstExpr::ref_func(*index),
        }
    }
}
