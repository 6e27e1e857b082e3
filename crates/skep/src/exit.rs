//! Exit codes: one table for all commands.

use skep_model::status::Execution as Status;

/// It worked; `validate`: the definition is valid.
pub const OK: u8 = 0;
/// An execution failed, or the command could not answer.
pub const FAILED: u8 = 1;
/// The definition is not valid. Also what clap uses for wrong usage.
pub const INVALID: u8 = 2;
/// An execution was stopped or undone.
pub const CANCELLED: u8 = 3;
/// Only a person or a signal can move the execution, or it is not over yet.
pub const WAITING: u8 = 4;
/// Left with Ctrl-C while the execution goes on or stays interrupted: 128 + SIGINT, as shells have it.
pub const LEFT: u8 = 130;

/// The code for an execution in this state.
pub fn of(status: Status) -> u8 {
    match status {
        Status::Completed => OK,
        Status::Failed | Status::RollbackFailed => FAILED,
        Status::Cancelled | Status::RolledBack => CANCELLED,
        Status::Pending
        | Status::Running
        | Status::Paused
        | Status::Held
        | Status::Cancelling
        | Status::RollingBack => WAITING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_code() {
        let codes: Vec<(&str, u8)> = Status::ALL.into_iter().map(|status| (status.as_str(), of(status))).collect();
        assert_eq!(
            codes,
            [
                ("pending", 4),
                ("running", 4),
                ("paused", 4),
                ("held", 4),
                ("cancelling", 4),
                ("rolling_back", 4),
                ("completed", 0),
                ("failed", 1),
                ("cancelled", 3),
                ("rolled_back", 3),
                ("rollback_failed", 1),
            ]
        );
    }
}
