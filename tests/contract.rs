//! The outer contract: what programs that call `skep` rely on.

mod answers;
mod inputs;
mod orphans;
mod people;
mod surroundings;
mod undoing;
mod validation;
mod verbs;
