//! Where calls are performed: in front of an owner, or of the files of a data directory that has none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_model::actor::Actor;
use skep_model::ids::LocalId;
use skep_node::service::Reading;
use skep_node::{Node, Summary};
use tokio::sync::watch;
use tokio::time::Instant;

use super::convert::failure_of;
use super::person::{Asker, Caller};
use crate::wire::{Call, Class, Failure};

/// The longest that an answer is kept back. Below the idle limits that anything between two processes may have.
pub const WAIT_MS_MAX: u64 = 25_000;
/// Heartbeats of others that a call lets pass one by one; then it looks up this often at most, however busy the owner
/// is: 50 times per second is more than an eye can tell, and costs nothing that would be noticed.
const HEARTBEATS_OF_OTHERS: u32 = 100;
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// What calls are performed with.
pub enum Desk {
    /// The owner of the data directory, in this process, and who asks it.
    Owner(Arc<Node>, Asker),
    /// Only the files; nothing can be changed.
    Reader(Mutex<Reading>),
}

impl Desk {
    /// A desk that only reads the data directory.
    pub fn reader(reading: Reading) -> Self {
        Self::Reader(Mutex::new(reading))
    }

    /// The same for somebody else.
    pub fn asked_by(self: &Arc<Self>, asker: Asker) -> Arc<Self> {
        match &**self {
            Self::Owner(node, _) => Arc::new(Self::Owner(Arc::clone(node), asker)),
            Self::Reader(_) => Arc::clone(self),
        }
    }

    /// Who asks.
    pub fn person(&self) -> Actor {
        match self {
            Self::Owner(_, asker) => asker.actor(),
            Self::Reader(_) => Caller::own().actor(),
        }
    }

    /// What reads.
    pub fn reading(&self) -> MutexGuard<'_, Reading> {
        match self {
            Self::Owner(node, _) => node.reading(),
            Self::Reader(reading) => reading.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The owner.
    ///
    /// # Errors
    /// A [`Failure`] if this desk only reads.
    pub fn node(&self) -> Result<&Node, Failure> {
        match self {
            Self::Owner(node, _) => Ok(node),
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
            Self::Owner(node, _) => Some(node.watcher().beats()),
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

    /// What it waits for, if the owner can tell that without a look at the store.
    fn awaits(&self, _desk: &Desk) -> Option<Awaited> {
        None
    }
}

/// A turn of an execution, or a change of how that stands.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    /// The execution.
    pub local: LocalId,
    /// The turn.
    pub seq: u64,
}

impl Awaited {
    /// Something that changes when there may be news.
    fn mark(self, desk: &Desk) -> Option<(Summary, bool)> {
        let Desk::Owner(node, _) = desk else { return None };
        node.watcher().progress(self.local).map(|progress| (progress.summary, progress.seq >= self.seq))
    }
}

/// Performs `call`, and again when there may be news until its answer is news, its wait is over, or `closing` turns
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
    let (call, waits) = (Arc::new(call), deadline > Instant::now());
    let awaited = if waits { blocking(desk, &call, |call, desk| Ok(call.awaits(desk))).await? } else { None };
    let mut beats = desk.beats();
    loop {
        if let Some(beats) = &mut beats {
            beats.mark_unchanged();
        }
        let looked_at = Instant::now();
        let mark = awaited.and_then(|awaited| awaited.mark(desk));
        let answer = blocking(desk, &call, C::perform).await?;
        let Some(beats) = &mut beats else { return Ok(answer) };
        if call.is_news(&answer) || *closing.borrow() || Instant::now() >= deadline {
            return Ok(answer);
        }
        let may_be_news = async {
            match awaited {
                Some(awaited) => change(beats, || awaited.mark(desk) != mark).await,
                None => {
                    change(beats, || true).await;
                    tokio::time::sleep_until(looked_at + LOOK_INTERVAL).await;
                }
            }
        };
        tokio::select! {
            () = may_be_news => {}
            _ = closing.changed() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
    }
}

/// Waits for a heartbeat after which `happened`; ends with the owner.
async fn change(beats: &mut watch::Receiver<u64>, happened: impl Fn() -> bool) {
    for passed in 0_u32.. {
        if beats.changed().await.is_err() || happened() {
            return;
        }
        if passed >= HEARTBEATS_OF_OTHERS {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

async fn blocking<C: Perform, T: Send + 'static>(
    desk: &Arc<Desk>,
    call: &Arc<C>,
    work: impl FnOnce(&C, &Desk) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (desk, call) = (Arc::clone(desk), Arc::clone(call));
    let performed = tokio::task::spawn_blocking(move || work(&call, &desk)).await;
    performed.unwrap_or_else(|_| Err(failure_of(&skep_node::Error::Ending)))
}
