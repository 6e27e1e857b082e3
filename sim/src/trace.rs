//! What happens in a world, line by line, for `--trace`.

use std::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(false);

/// Prints from now on.
pub fn switch_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Prints a line, if anybody wants it.
pub fn line(text: impl FnOnce() -> String) {
    if ON.load(Ordering::Relaxed) {
        eprintln!("{}", text());
    }
}
