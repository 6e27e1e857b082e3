//! Library files, the spelling of seed 003, become canonical.
//!
//! | library | canonical |
//! |---|---|
//! | `metadata: {name, ..}` | the same keys at the top |
//! | `ai_config`, `monitoring` | kept under their keys |
//! | `error_handling.retry_strategy` | `defaults.retry` |
//! | `error_handling.fallback_actions` | `fallback_actions` |
//! | step `name` | `id` (as a slug), and `name` where it differs |
//! | `type: action`, `config` | the keys of `config`, which are canonical |
//! | `type: decision` | `switch`; with `condition` alone, a `set` step whose output `decision` the transitions read |
//! | `type: parallel`, `loop` | `parallel`; `foreach`, `while`, `repeat` |
//! | `conditions` | `if` on the steps that transitions lead to, `on_error: {strategy: skip}`; see `flow.rs` |
//! | `inputs`, `outputs`, `env`, `vars`, `timeout` .. at the top | the same: the seed has no words for them |
//!
//! Lists inside `decision`, `parallel` and `loop` and the list `finally` hold library steps too.
//!
//! This module must not check what `config` holds beyond its own keys: `lower` does.
//! Neighbours: `keys` (the key lists), `make`.

mod config;
mod flow;
mod step;
mod workflow;

pub(super) use workflow::rewrite;
