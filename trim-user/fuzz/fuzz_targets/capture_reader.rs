#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trim_fuzz::capture_reader::run(data));
