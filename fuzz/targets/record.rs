//! See `claviger::fuzzing::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::record(bytes));
