//! Values to try things with: every value that a field can be compared with, and proptest strategies.

mod activities;
mod operations;
mod strategies;
mod values;

pub use activities::{ActivityOp, activity_fields, activity_op};
pub use operations::{Op, Place, operation, operations};
pub use strategies::{
    amount, contact_fields, custom_field, custom_values, filter, lead_fields, patch, sort, text,
};
pub use values::values_for;
