//! Executions without a node: what the micro-benchmarks, the instruction counts and the stores that are built without
//! running anything share. It must not measure; the binary beside it does.

pub mod pure;
