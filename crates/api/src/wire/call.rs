//! What every use case has in common.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a call needs behind the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It only reads: an owner, or the files of the data directory without one.
    Reading,
    /// It changes something: an owner.
    Owner,
}

/// One use case: the request as JSON, the route that takes it, the answer.
pub trait Call: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The last part of its route, `/v1/NAME`.
    const NAME: &'static str;
    /// What it needs.
    const NEEDS: Needs;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// How long the answer may be kept back until there is news, in milliseconds; 0 for at once.
    fn wait_ms(&self) -> u64 {
        0
    }

    /// True if `answer` is worth sending before the wait is over.
    fn is_news(&self, _answer: &Self::Answer) -> bool {
        true
    }
}
