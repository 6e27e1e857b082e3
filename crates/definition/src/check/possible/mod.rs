//! What an expression can give, worked out without evaluating it.
//!
//! ```text
//! declared inputs, outputs, states --sources--> value (kinds, a short list of values, bounds)
//!                       expression --judge----> what it can give; can this condition hold?
//!                                  --findings-> comparisons that are decided, operands that never fit
//!             steps and conditions --flow-----> what never runs     actions --fitting--> wrong types
//! ```
//! Sound: whatever happens in an execution is among what is said to be possible, so "never" is certain. Where
//! little is known, anything is possible and nothing is said. This module must not guess.

mod findings;
mod fitting;
mod flow;
mod judge;
#[cfg(test)]
mod random;
mod sources;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use flow::check;
