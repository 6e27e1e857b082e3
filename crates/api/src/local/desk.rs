//! Where calls are performed: in front of an owner, or of the files of a data directory that has none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_node::Node;
use skep_node::service::Reading;
use tokio::sync::watch;
use tokio::time::Instant;

use super::convert::failure_of;
use crate::wire::{Call, Class, Failure};

/// The longest that an answer is kept back. Below the idle limits that anything between two processes may have.
pub const WAIT_MS_MAX: u64 = 25_000;
/// A call that waits looks again at once so often: in an owner that does little else, the first heartbeats are about
/// what it waits for.
const QUICK_LOOKS: u32 = 3;
/// Then this often at most, however busy the owner is: 50 looks per second are more than an eye can tell, and cost
/// nothing that would be noticed.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What calls are performed with.
pub enum Desk {
    /// The owner of the data directory, in this process.
    Owner(Arc<Node>),
    /// Only the files; nothing can be changed.
    Reader(Mutex<Reading>),
}

impl Desk {
    /// A desk that only reads the data directory.
    pub fn reader(reading: Reading) -> Self {
        Self::Reader(Mutex::new(reading))
    }

    /// What reads.
    pub fn reading(&self) -> MutexGuard<'_, Reading> {
        match self {
            Self::Owner(node) => node.reading(),
            Self::Reader(reading) => reading.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The owner.
    ///
    /// # Errors
    /// A [`Failure`] if this desk only reads.
    pub fn node(&self) -> Result<&Node, Failure> {
        match self {
            Self::Owner(node) => Ok(node),
            Self::Reader(_) => Err(Failure::new(
                "SKEP-N009",
                Class::Transient,
                "nobody owns the data directory, so nothing can be changed in it",
                "start an owner with `skep serve`",
            )),
        }
    }

    fn beats(&self) -> Option<watch::Receiver<u64>> {
        match self {
            Self::Owner(node) => Some(node.watcher().beats()),
            Self::Reader(_) => None,
        }
    }
}

/// A call that a desk can perform. May block: it is called on a thread for that.
pub trait Perform: Call {
    /// Does it.
    ///
    /// # Errors
    /// What the node says, as a [`Failure`].
    fn perform(&self, desk: &Desk) -> Result<Self::Answer, Failure>;
}

/// Performs `call`, and again after each heartbeat until its answer is news, its wait is over, or `closing` turns
/// true. Without an owner nothing can change, so the first answer is given.
///
/// # Errors
/// What the call says.
pub async fn attend<C: Perform>(
    desk: &Arc<Desk>,
    call: C,
    mut closing: watch::Receiver<bool>,
) -> Result<C::Answer, Failure> {
    let deadline = Instant::now() + Duration::from_millis(call.wait_ms().min(WAIT_MS_MAX));
    let call = Arc::new(call);
    let mut beats = desk.beats();
    for looks in 0_u32.. {
        if let Some(beats) = &mut beats {
            beats.mark_unchanged();
        }
        let looked_at = Instant::now();
        let answer = perform_blocking(desk, &call).await?;
        let Some(beats) = &mut beats else { return Ok(answer) };
        if call.is_news(&answer) || *closing.borrow() || Instant::now() >= deadline {
            return Ok(answer);
        }
        tokio::select! {
            changed = beats.changed() => {
                if changed.is_err() {
                    return Ok(answer);
                }
            }
            _ = closing.changed() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
        if looks >= QUICK_LOOKS {
            tokio::time::sleep_until(deadline.min(looked_at + LOOK_INTERVAL)).await;
        }
    }
    unreachable!("a call that waits has a deadline")
}

async fn perform_blocking<C: Perform>(desk: &Arc<Desk>, call: &Arc<C>) -> Result<C::Answer, Failure> {
    let (desk, call) = (Arc::clone(desk), Arc::clone(call));
    let performed = tokio::task::spawn_blocking(move || call.perform(&desk)).await;
    performed.unwrap_or_else(|_| Err(failure_of(&skep_node::Error::Ending)))
}
