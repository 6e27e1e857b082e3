//! The clocks of the simulated machine.

use skep_model::time::Timestamp;

/// Where the wall clock begins: 2026-01-01T00:00:00Z, in seconds since the epoch.
pub const BASE_SECONDS: i64 = 1_767_225_600;
const SECOND_US: i64 = 1_000_000;

/// Time that passes only when the world says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Time {
    /// The monotonic clock, in microseconds.
    pub elapsed_us: i64,
    /// By how much somebody has set the wall clock.
    pub set_us: i64,
}

impl Time {
    /// The wall clock.
    pub fn wall(self) -> Timestamp {
        Timestamp(BASE_SECONDS * SECOND_US + self.elapsed_us + self.set_us)
    }

    /// Lets time pass.
    pub fn pass(&mut self, microseconds: i64) {
        self.elapsed_us += microseconds.max(0);
    }
}
