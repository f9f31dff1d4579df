#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trim_fuzz::framing::run(data));
