//! See `claviger::fuzzing::cron`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::cron(bytes));
