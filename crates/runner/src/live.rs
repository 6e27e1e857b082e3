//! The deliveries that this runner performs right now.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_model::ids::Token;
use tokio::sync::oneshot;

use crate::kill::{Main, Surroundings, self_and_ancestors};

/// A registry of running work, and of the main processes that are parked or running.
#[derive(Default)]
pub(crate) struct Live {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    aborts: HashMap<Token, Option<oneshot::Sender<()>>>,
    mains: HashMap<Token, Main>,
    spawner: Option<u32>,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A delivery begins; the receiver hears when it is to be aborted.
    pub fn begin(&self, token: &Token) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.lock().aborts.insert(token.clone(), Some(sender));
        receiver
    }

    /// A delivery has ended.
    pub fn end(&self, token: &Token) {
        self.lock().aborts.remove(token);
        self.ended.notify_all();
    }

    /// Asks a delivery to stop; nothing happens if it has ended or was asked before.
    pub fn abort(&self, token: &Token) {
        let sender = self.lock().aborts.get_mut(token).and_then(Option::take);
        if let Some(sender) = sender {
            // It may end at this very moment: then it was faster.
            let _ = sender.send(());
        }
    }

    /// Asks all to stop.
    pub fn abort_all(&self) {
        let senders: Vec<_> = self.lock().aborts.values_mut().filter_map(Option::take).collect();
        for sender in senders {
            let _ = sender.send(());
        }
    }

    /// Waits until nothing runs, but not longer than `longest`.
    pub fn wait_idle(&self, longest: Duration) {
        let state = self.lock();
        let waited = self.ended.wait_timeout_while(state, longest, |state| !state.aborts.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The pid of the spawner, which no hunt may touch.
    pub fn set_spawner(&self, pid: Option<u32>) {
        self.lock().spawner = pid;
    }

    /// A main process is parked; it counts as live until it is forgotten.
    pub fn add_main(&self, token: &Token, main: Main) {
        self.lock().mains.insert(token.clone(), main);
    }

    /// The delivery of this main process has ended.
    pub fn forget_main(&self, token: &Token) {
        self.lock().mains.remove(token);
    }

    /// What a hunt needs to know.
    pub fn surroundings(&self) -> Surroundings {
        let mut protected = self_and_ancestors();
        let state = self.lock();
        protected.extend(state.spawner);
        let live = state.mains.iter().map(|(token, main)| (token.to_string(), *main)).collect();
        Surroundings { protected, spawner: state.spawner, live }
    }
}
