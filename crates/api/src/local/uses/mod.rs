//! Each wire call as a use of `node::service`: translation and nothing else.

mod access;
mod audit;
mod decisions;
mod keeping;
mod library;
mod reads;
mod recover;
mod rollback;
mod validation;
mod writes;
