//! See `claviger::fuzzing::certificate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::certificate(bytes));
