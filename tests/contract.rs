//! The outer contract: what programs that call `skep` rely on.

mod answers;
mod inputs;
mod people;
mod surroundings;
mod validation;
mod verbs;
