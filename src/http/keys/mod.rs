//! AWS keys, and all that is done to them.

pub mod view;
