//! The rules, pure: no input or output, no clock, no randomness, no async. Uses nothing else of ours.

pub mod place;
