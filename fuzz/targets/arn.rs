//! See `claviger::fuzzing::arn`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::arn(bytes));
