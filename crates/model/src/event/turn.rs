//! A row of the journal.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::time::Timestamp;

/// The events of one message, as the journal has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// From 1, gap-free per execution.
    pub seq: u64,
    /// When it was decided; never decreases within a shard.
    pub at: Timestamp,
    /// In order.
    pub events: Vec<Event>,
}
