//! `skep-sim`: run by `cargo xtask sim`.

fn main() {}
