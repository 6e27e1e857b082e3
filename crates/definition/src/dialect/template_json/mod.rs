//! JSON templates, the spelling of seed 000, become canonical.
//!
//! | template | canonical |
//! |---|---|
//! | the list of steps | `order: graph` |
//! | `command`, `parameters` | `uses`, `with` |
//! | `timeout_seconds` (300 if not written) | `timeout`, `defaults.timeout` |
//! | `max_retries` (3 if not written): so many **more** attempts, pauses of 1, 2, 4 .. s | `retry`, `defaults.retry` |
//! | `rollback_command`, `rollback_parameters` | `rollback: {uses, with}` |
//! | `rollback_enabled` | `rollback: {enabled}` |
//! | `approval_required: true` | a first step `approve_start` on which every root step depends |
//! | `estimated_duration` (seconds) | the same, as a duration |
//! | `parameters` of the template | `inputs` |
//! | all else | kept under its key |
//!
//! **Parameters.** In this spelling the parameters of an execution overlay those of every step. The
//! canonical form says so with expressions, by one rule per key `k` that a step's `parameters` name:
//!
//! 1. A value that is itself an expression (or cannot be written as one) stays as it is.
//! 2. The template declares `k` with a default, or as required: `${{ inputs.k }}`. A step's own, different
//!    value never applies then: a warning.
//! 3. All steps that name `k` give the same value: that is the default of an input `k`, and the steps have
//!    `${{ inputs.k }}`.
//! 4. Else: an input `k` without a default, and the steps have
//!    `${{ inputs.k if inputs.k != null else OWN_VALUE }}`.
//!
//! A declared parameter that is a mapping of input keywords (`type`, `default`, `required` ..) is the input
//! as written; any other value is the default of one; nothing is an optional one. A parameter that no step
//! names is an input all the same, for expressions.
//!
//! This module must not know which commands exist. Neighbours: `keys` (the key lists), `make`.

mod overlay;
mod step;
mod workflow;

pub(super) use workflow::rewrite;
