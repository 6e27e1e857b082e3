//! The time of a shard: the wall clock, but never before its last turn, also when somebody sets the clock.
//!
//! | the wall clock is | time is |
//! |---|---|
//! | at or after the last tick | the wall clock |
//! | up to a minute before it | that of the last tick: it is caught up with soon |
//! | more than that before it | that of the last tick and what has passed since by the monotonic clock, so that timers of minutes do not wait for hours |
//!
//! A jump is said in the log. Forward, timers by the calendar fire that have become due, none that have not.

use skep_model::time::Timestamp;

/// A difference between the wall clock and the monotonic one that is no drift and no leap second, in microseconds.
const JUMP_US: i64 = 60_000_000;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShardTime {
    now: Timestamp,
    /// The monotonic clock at the last tick; `None` before the first.
    elapsed_us: Option<i64>,
    /// The wall clock at the last tick.
    wall: Timestamp,
}

impl ShardTime {
    /// Begins at the last journalled moment.
    pub fn new(floor: Timestamp) -> Self {
        Self { now: floor, ..Self::default() }
    }

    /// The time now. `elapsed_us` is a monotonic clock that counts the time of a suspended machine too.
    pub fn tick(&mut self, wall: Timestamp, elapsed_us: i64) -> Timestamp {
        let passed = self.elapsed_us.map_or(0, |before| elapsed_us.saturating_sub(before).max(0));
        if self.elapsed_us.is_some() {
            report_jump(wall.0.saturating_sub(self.wall.0).saturating_sub(passed));
        }
        let is_far_behind = self.now.0.saturating_sub(wall.0) > JUMP_US;
        let least = if is_far_behind { Timestamp(self.now.0.saturating_add(passed)) } else { self.now };
        *self = Self { now: wall.max(least), elapsed_us: Some(elapsed_us), wall };
        self.now
    }
}

fn report_jump(by_us: i64) {
    if by_us.abs() > JUMP_US {
        tracing::warn!("the clock was set by {} s; time goes on from the last turn", by_us / 1_000_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn ticks(floor: i64, readings: &[(i64, i64)]) -> Vec<i64> {
        let mut time = ShardTime::new(Timestamp(floor * SECOND));
        let seconds = |(wall, elapsed): &(i64, i64)| time.tick(Timestamp(wall * SECOND), elapsed * SECOND).0 / SECOND;
        readings.iter().map(seconds).collect()
    }

    #[test]
    fn time_follows_the_wall_clock_and_never_goes_back() {
        assert_eq!(ticks(100, &[(90, 0), (99, 9), (101, 11), (200, 110)]), [100, 100, 101, 200]);
    }

    #[test]
    fn a_clock_set_back_by_a_day_does_not_stop_time() {
        let day = 86_400;
        assert_eq!(ticks(0, &[(day, 0), (1, 1), (601, 601), (2 * day, 602)]), [day, day + 1, day + 601, 2 * day]);
    }

    #[test]
    fn a_journal_from_the_future_does_not_stop_time() {
        assert_eq!(ticks(10_000, &[(0, 0), (60, 60), (120, 120)]), [10_000, 10_060, 10_120]);
    }
}
