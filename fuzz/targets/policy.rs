//! See `claviger::fuzzing::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::policy(bytes));
