#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = leadcore_fuzz::mapping(data);
});
