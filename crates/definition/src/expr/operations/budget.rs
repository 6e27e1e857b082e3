//! The budget of one evaluation.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::super::codes;
use super::super::error::Trouble;

/// Bytes that one evaluation may read and make. A few times the largest value, so that ordinary work on it fits,
/// and far below what would be felt as memory or time.
const BUDGET_BYTES: u64 = 64 * 1024 * 1024;
/// What one value costs beside its text: a node of a JSON tree with its share of the container.
pub(crate) const NODE_BYTES: u64 = 96;

/// What is left. Shared by all operations of one evaluation.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: AtomicU64::new(BUDGET_BYTES) }
    }
}

impl Budget {
    /// Takes `bytes` from what is left.
    pub(crate) fn charge(&self, bytes: u64) -> Result<(), Trouble> {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).map(drop).map_err(
            |_| {
                Trouble::new(codes::BUDGET, format!("the expression handles more than {BUDGET_BYTES} bytes of data"))
                    .hint("do this work in a step, where memory and time are its own")
            },
        )
    }

    /// Takes what a copy of `value` costs.
    pub(crate) fn charge_copy(&self, value: &Value) -> Result<(), Trouble> {
        self.charge(value.weight())
    }
}

/// What a value costs in memory.
pub(crate) trait Weigh {
    /// About so many bytes.
    fn weight(&self) -> u64;
}

impl Weigh for Value {
    fn weight(&self) -> u64 {
        match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => NODE_BYTES,
            Value::String(text) => NODE_BYTES + text.len() as u64,
            Value::Array(items) => NODE_BYTES + items.iter().map(Weigh::weight).sum::<u64>(),
            Value::Object(map) => {
                NODE_BYTES + map.iter().map(|(key, value)| NODE_BYTES + key.len() as u64 + value.weight()).sum::<u64>()
            }
        }
    }
}
