//! See `claviger::fuzzing::sigv4`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::sigv4(bytes));
