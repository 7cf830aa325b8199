//! See `claviger::fuzzing::body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::body(bytes));
