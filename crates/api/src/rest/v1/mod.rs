//! The endpoints of seed 000, with its shapes. Errors are `{"detail": ..}`.

pub mod analytics;
pub mod execute;
pub mod executions;
pub mod rollback;
pub mod suggest;
pub mod templates;
pub mod validate;
