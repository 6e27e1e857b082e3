//! A circuit breaker: stops calling what keeps failing, and finds out with one call whether it is back.
//!
//! | state \ what comes | asked | success | failure | nothing (stopped) | time |
//! |---|---|---|---|---|---|
//! | closed | granted | counted; without a window the row of failures ends | counted; enough of them: open | - | outcomes leave the window |
//! | open, before its end | refused until its end | - | - | - | at its end a probe is due |
//! | open, at its end | granted as the probe: half-open | - | - | - | - |
//! | half-open | refused (the probe may be granted again; one whose owner died is given up after `reset_ms`) | of the probe: closed | of the probe: open anew | of the probe: open, probe due at once | - |
//!
//! "-" changes nothing: outcomes of attempts that were let through before it opened come late and say nothing new.
//! Enough failures: `failures` in a row; with `window_ms` so many within it; with `threshold` at least that share of at
//! least `failures` outcomes within it. A probe whose owner died is delivered again by the next one without asking, so
//! it stays the probe; only if nobody delivers it another one is let through, after `reset_ms`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use skep_model::ids::LocalId;
use skep_model::limits::BREAKER_OUTCOMES_MAX;
use skep_model::permit::Verdict;
use skep_model::plan::Breaker as Settings;
use skep_model::time::Timestamp;

use super::Holder;

/// One breaker; also the JSON of its row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    state: State,
}

/// Where a breaker stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Calls go through.
    Closed {
        /// Failures in a row, counted where there is no window.
        #[serde(default)]
        in_a_row: u32,
        /// When what ended how (true: failed), oldest first, where there is a window.
        #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
        outcomes: VecDeque<(Timestamp, bool)>,
    },
    /// No call goes through.
    Open {
        /// When a probe is due.
        until: Timestamp,
    },
    /// One call is out.
    HalfOpen {
        /// Whose.
        probe: Probe,
    },
}

/// The call that a half-open breaker let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The execution.
    pub execution: LocalId,
    /// The step.
    pub path: String,
    /// When it was let through.
    #[serde(default)]
    pub since: Timestamp,
    /// Its owner died.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub orphaned: bool,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { in_a_row: 0, outcomes: VecDeque::new() }
    }
}

/// The answer to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may call.
    Granted {
        /// As the probe.
        probe: bool,
    },
    /// It may not.
    Refused {
        /// The least time until asking again makes sense.
        retry_after_ms: u64,
    },
}

impl Probe {
    fn of(who: &Holder, since: Timestamp) -> Self {
        let path = who.path.as_deref().unwrap_or_default().to_owned();
        Self { execution: who.local, path, since, orphaned: false }
    }

    fn is(&self, who: &Holder) -> bool {
        self.execution == who.local && self.path == who.path.as_deref().unwrap_or_default()
    }

    fn is_given_up(&self, settings: &Settings, now: Timestamp) -> bool {
        self.orphaned && now >= self.since.plus_ms(settings.reset_ms)
    }
}

impl Breaker {
    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// An attempt wants to call.
    pub fn ask(&mut self, settings: &Settings, who: &Holder, now: Timestamp) -> Admission {
        match &self.state {
            State::Closed { .. } => Admission::Granted { probe: false },
            State::Open { until } if now < *until => Admission::Refused { retry_after_ms: left_ms(*until, now) },
            State::Open { .. } => {
                self.state = State::HalfOpen { probe: Probe::of(who, now) };
                Admission::Granted { probe: true }
            }
            State::HalfOpen { probe } if probe.is(who) || probe.is_given_up(settings, now) => {
                self.state = State::HalfOpen { probe: Probe::of(who, now) };
                Admission::Granted { probe: true }
            }
            // If the probe fails it is open for that long; if it succeeds the next attempt finds it closed.
            State::HalfOpen { .. } => Admission::Refused { retry_after_ms: settings.reset_ms },
        }
    }

    /// An attempt that was let through ended.
    pub fn ended(&mut self, settings: &Settings, who: &Holder, verdict: Verdict, now: Timestamp) {
        match (&mut self.state, verdict) {
            (State::Closed { .. }, Verdict::Nothing) | (State::Open { .. }, _) => {}
            (State::Closed { in_a_row, outcomes }, Verdict::Success | Verdict::Failure) => {
                let failed = verdict == Verdict::Failure;
                if count(settings, in_a_row, outcomes, failed, now) {
                    self.open(settings, now);
                }
            }
            (State::HalfOpen { probe }, _) if !probe.is(who) => {}
            (State::HalfOpen { .. }, Verdict::Success) => self.state = State::default(),
            (State::HalfOpen { .. }, Verdict::Failure) => self.open(settings, now),
            (State::HalfOpen { .. }, Verdict::Nothing) => self.state = State::Open { until: now },
        }
    }

    fn open(&mut self, settings: &Settings, now: Timestamp) {
        self.state = State::Open { until: now.plus_ms(settings.reset_ms) };
    }

    /// The owner of the probe that is out died. If its execution is over, the next attempt is the probe.
    pub fn orphan_probe(&mut self, is_open: impl Fn(LocalId) -> bool) {
        match &mut self.state {
            State::HalfOpen { probe } if is_open(probe.execution) => probe.orphaned = true,
            State::HalfOpen { .. } => self.state = State::Open { until: Timestamp(0) },
            State::Closed { .. } | State::Open { .. } => {}
        }
    }
}

fn left_ms(until: Timestamp, now: Timestamp) -> u64 {
    // Rounded up, so that whoever comes back then does not come too early.
    u64::try_from(until.0.saturating_sub(now.0)).unwrap_or(0).div_ceil(1_000)
}

/// Counts an outcome; true if it was one failure too many.
fn count(
    settings: &Settings,
    in_a_row: &mut u32,
    outcomes: &mut VecDeque<(Timestamp, bool)>,
    failed: bool,
    now: Timestamp,
) -> bool {
    let Some(window_ms) = settings.window_ms else {
        *in_a_row = if failed { in_a_row.saturating_add(1) } else { 0 };
        return *in_a_row >= settings.failures.max(1);
    };
    outcomes.push_back((now, failed));
    let is_over = |at: &Timestamp| at.plus_ms(window_ms) < now;
    while outcomes.len() > BREAKER_OUTCOMES_MAX || outcomes.front().is_some_and(|(at, _)| is_over(at)) {
        outcomes.pop_front();
    }
    let failures = outcomes.iter().filter(|(_, failed)| *failed).count();
    let enough = settings.failures.max(1) as usize;
    match settings.threshold {
        None => failures >= enough,
        Some(share) => failed && outcomes.len() >= enough && failures as f64 >= share * outcomes.len() as f64,
    }
}
