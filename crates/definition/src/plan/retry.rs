//! `retry`: what the step says, else what `defaults` say, else the numbers of this page.

use skep_model::limits::RETRY_DELAY_MS_MAX;
use skep_model::plan;

use crate::workflow;

/// Attempts of a `retry` that names none: two more after the first, as most engines have it.
const ATTEMPTS_DEFAULT: u32 = 3;
/// Before the second attempt, in milliseconds.
const DELAY_MS_DEFAULT: u64 = 1_000;

/// Fills `own` up with `defaults`, key by key.
pub(crate) fn lower(own: &workflow::Retry, defaults: &workflow::Retry) -> plan::Retry {
    let delay_ms = own.delay_ms.or(defaults.delay_ms).unwrap_or(DELAY_MS_DEFAULT);
    let max_delay_ms = own.max_delay_ms.or(defaults.max_delay_ms).unwrap_or(RETRY_DELAY_MS_MAX);
    plan::Retry {
        max_attempts: own.max_attempts.or(defaults.max_attempts).unwrap_or(ATTEMPTS_DEFAULT).max(1),
        delay_ms,
        // A bound under the first pause would shorten what was asked for.
        max_delay_ms: max_delay_ms.max(delay_ms),
        backoff: own.backoff.or(defaults.backoff).unwrap_or_default(),
        jitter: own.jitter.or(defaults.jitter).unwrap_or(true),
        on: if own.on.is_empty() { defaults.on.clone() } else { own.on.clone() },
    }
}
