//! See `claviger::fuzzing::material`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::material(bytes));
