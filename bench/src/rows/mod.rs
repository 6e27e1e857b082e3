//! One file per row of the table.

pub mod sequence;
