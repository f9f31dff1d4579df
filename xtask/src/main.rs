//! Tasks: build, test, demo, bench, tidy.
fn main() {}
