//! Whether and when a failed attempt is repeated. Pure arithmetic; jitter comes from the execution's seed.

use skep_model::error::{Class, Failure};
use skep_model::ids::Hash;
use skep_model::plan::{Backoff, Retry, RetryOn};

/// The pause before the next attempt in milliseconds, or `None` if the failure is for good.
///
/// `attempt` is the one that failed (from 1); `system_failures` counts earlier failures of class system.
pub(crate) fn pause_ms(
    retry: Option<&Retry>,
    failure: &Failure,
    attempt: u32,
    system_failures: u32,
    seed: u64,
    path: &str,
) -> Option<u64> {
    let retry = retry?;
    if attempt >= retry.max_attempts + u32::from(skep_model::mutant!("one-attempt-more"))
        || !is_repeated(retry, failure, system_failures)
    {
        return None;
    }
    Some(pause_after(retry, failure, attempt, seed, path))
}

/// The pause after the attempt that failed, where it is known that there is another one.
pub(crate) fn pause_after(retry: &Retry, failure: &Failure, attempt: u32, seed: u64, path: &str) -> u64 {
    let pause = grown_ms(retry, attempt);
    let pause = if retry.jitter { jittered_ms(pause, seed, path, attempt) } else { pause };
    pause.max(failure.retry_after_ms.unwrap_or(0))
}

fn is_repeated(retry: &Retry, failure: &Failure, system_failures: u32) -> bool {
    if retry.on.is_empty() {
        return match failure.class {
            Class::Transient => true,
            Class::System => system_failures == 0,
            Class::Permanent | Class::Business => false,
        };
    }
    retry.on.iter().any(|on| match on {
        RetryOn::Class(class) => failure.class == *class || failure.finest_kind().class() == *class,
        RetryOn::Kind(kind) => failure.kind == *kind || failure.finest_kind() == *kind,
        RetryOn::ExitCode(code) => failure.exit_code == Some(*code),
        RetryOn::HttpStatus(status) => failure.http_status == Some(*status),
    })
}

fn grown_ms(retry: &Retry, attempt: u32) -> u64 {
    let factor = match retry.backoff {
        Backoff::Fixed => 1,
        Backoff::Linear => u64::from(attempt),
        Backoff::Exponential => 1_u64.checked_shl(attempt - 1).unwrap_or(u64::MAX),
    };
    retry.delay_ms.saturating_mul(factor).min(retry.max_delay_ms.max(retry.delay_ms))
}

/// Between half and the whole of the pause, so that many failing executions do not come back at one moment.
fn jittered_ms(pause: u64, seed: u64, path: &str, attempt: u32) -> u64 {
    let digest = Hash::of(format!("{seed}/{path}/{attempt}").as_bytes());
    let draw = u64::from_le_bytes(digest.as_bytes()[..8].try_into().expect("a digest has 32 bytes"));
    let half = pause / 2;
    if half == 0 { pause } else { pause - draw % (half + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skep_model::error::Kind;

    fn retry(backoff: Backoff, on: Vec<RetryOn>) -> Retry {
        Retry { max_attempts: 5, delay_ms: 100, max_delay_ms: 1_000, backoff, jitter: false, on }
    }

    fn pauses(backoff: Backoff) -> Vec<Option<u64>> {
        let failure = Failure::new(Kind::Exit, "X", "x");
        (1..=5).map(|attempt| pause_ms(Some(&retry(backoff, vec![])), &failure, attempt, 0, 7, "a")).collect()
    }

    #[test]
    fn pauses_grow_as_written_and_end_with_the_attempts() {
        assert_eq!(pauses(Backoff::Fixed), [Some(100), Some(100), Some(100), Some(100), None]);
        assert_eq!(pauses(Backoff::Linear), [Some(100), Some(200), Some(300), Some(400), None]);
        assert_eq!(pauses(Backoff::Exponential), [Some(100), Some(200), Some(400), Some(800), None]);
    }

    #[test]
    fn what_is_repeated_follows_the_table_and_the_list() {
        let check = |kind: Kind, on: Vec<RetryOn>, system_failures, expected: bool| {
            let mut failure = Failure::new(kind, "X", "x");
            failure.exit_code = Some(75);
            let given = pause_ms(Some(&retry(Backoff::Fixed, on)), &failure, 1, system_failures, 7, "a");
            assert_eq!(given.is_some(), expected, "{kind:?}");
        };
        check(Kind::Network, vec![], 0, true);
        check(Kind::Invalid, vec![], 0, false);
        check(Kind::Rejected, vec![], 0, false);
        check(Kind::Crash, vec![], 0, true);
        check(Kind::Crash, vec![], 1, false);
        check(Kind::Invalid, vec![RetryOn::Class(Class::Permanent)], 0, true);
        check(Kind::Exit, vec![RetryOn::ExitCode(75)], 0, true);
        check(Kind::Exit, vec![RetryOn::ExitCode(1)], 0, false);
    }

    #[test]
    fn jitter_stays_between_half_and_whole_and_is_the_same_for_the_same_seed() {
        for attempt in 1..50 {
            let pause = jittered_ms(1_000, 42, "a", attempt);
            assert!((500..=1_000).contains(&pause));
            assert_eq!(pause, jittered_ms(1_000, 42, "a", attempt));
        }
    }

    #[test]
    fn retry_after_is_the_least_pause() {
        let mut failure = Failure::new(Kind::RateLimit, "X", "x");
        failure.retry_after_ms = Some(60_000);
        assert_eq!(pause_ms(Some(&retry(Backoff::Fixed, vec![])), &failure, 1, 0, 7, "a"), Some(60_000));
    }
}
