//! Waiting for something that can be seen, with a bound.

use std::time::{Duration, Instant};

/// Between two looks. Short beside everything that is waited for, long beside the cost of a look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// A bound for what happens soon on an idle machine: generous, since it only keeps a broken test from hanging.
pub const SOON: Duration = Duration::from_secs(30);

/// Looks until there is something. Panics with `what` after `bound`.
pub fn until<T>(what: &str, bound: Duration, look: impl FnMut() -> Option<T>) -> T {
    try_until(bound, look).unwrap_or_else(|| panic!("waited {bound:?} in vain for {what}"))
}

/// Looks until there is something, `None` after `bound`.
pub fn try_until<T>(bound: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + bound;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
