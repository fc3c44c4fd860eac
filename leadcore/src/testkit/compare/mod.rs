//! Comparing a store with the reference, and two stores with each other.

mod differential;
mod filters;

pub use differential::differential;
pub use filters::filters_agree;
