//! AWS keys, and all that is done to them.

mod aws_param;
pub mod change;
pub mod creation;
pub mod material;
pub mod policy;
pub mod reading;
pub mod rotation;
pub mod view;
