//! What the end-to-end tests share. Must not assert anything about Skep beyond "it answered in time".

pub mod answer;
pub mod journal;
pub mod place;
pub mod processes;
pub mod random;
pub mod repository;
pub mod wait;
