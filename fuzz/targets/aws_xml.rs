//! See `claviger::fuzzing::aws_xml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger::fuzzing::aws_xml(bytes));
