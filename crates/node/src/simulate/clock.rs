//! What is due when: a queue in which ties have a fixed order.

use std::collections::{BTreeMap, HashMap};

use skep_model::ids::Token;
use skep_model::message::Message;
use skep_model::time::Timestamp;

/// Which of the things that are due at one moment comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Outcome,
    Child,
    Permit,
    Person,
    Signal,
}

/// Its place in the queue.
type Key = (Timestamp, Rank, u64);

/// Messages on their way.
#[derive(Default)]
pub(super) struct Queue {
    due: BTreeMap<Key, Message>,
    by_token: HashMap<Token, Key>,
    asked: u64,
}

impl Queue {
    pub fn push(&mut self, at: Timestamp, rank: Rank, message: Message) {
        self.asked += 1;
        let key = (at, rank, self.asked);
        if let Message::Outcome(outcome) = &message {
            self.by_token.insert(outcome.token.clone(), key);
        }
        self.due.insert(key, message);
    }

    /// When the next message is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, ..), _)| *at)
    }

    pub fn pop(&mut self) -> Option<Message> {
        let (_, message) = self.due.pop_first()?;
        if let Message::Outcome(outcome) = &message {
            self.by_token.remove(&outcome.token);
        }
        Some(message)
    }

    /// Takes the outcome of a delivery out; false if none is on its way.
    pub fn forget_outcome(&mut self, token: &Token) -> bool {
        self.by_token.remove(token).is_some_and(|key| self.due.remove(&key).is_some())
    }

    /// Takes out what fits.
    pub fn forget(&mut self, fits: impl Fn(&Message) -> bool) {
        self.due.retain(|_, message| !fits(message));
    }
}
