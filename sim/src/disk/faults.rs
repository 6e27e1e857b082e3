//! What goes wrong below SQLite, and when.

/// A fault of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A write fails and changes nothing.
    WriteError,
    /// A write fails after a part of it.
    ShortWrite,
    /// A sync fails; what was written can be synced later.
    SyncError,
    /// A sync fails, and what was written counts as clean from then on although it is not on the platter.
    SyncErrorLosing,
    /// There is no more room until somebody makes some.
    DiskFull,
    /// A read fails.
    ReadError,
    /// The process dies in the middle of its work with the disk; what it had written is with the system.
    ProcessDies,
    /// The power fails in the middle of the work with the disk.
    PowerFails,
}

impl Fault {
    /// Every one, for tables.
    pub const ALL: [Self; 8] = [
        Self::WriteError,
        Self::ShortWrite,
        Self::SyncError,
        Self::SyncErrorLosing,
        Self::DiskFull,
        Self::ReadError,
        Self::ProcessDies,
        Self::PowerFails,
    ];

    /// True if an operation of this kind can suffer it.
    pub fn strikes(self, operation: Operation) -> bool {
        match self {
            Self::WriteError | Self::ShortWrite | Self::DiskFull => operation == Operation::Write,
            Self::SyncError | Self::SyncErrorLosing => operation == Operation::Sync,
            Self::ReadError => operation == Operation::Read,
            Self::ProcessDies | Self::PowerFails => operation != Operation::Read,
        }
    }
}

/// What a program does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reads a part.
    Read,
    /// Writes a part.
    Write,
    /// Cuts it.
    Truncate,
    /// Syncs it.
    Sync,
    /// Removes it.
    Delete,
}

/// A fault that waits for its moment.
#[derive(Clone, Copy, Debug)]
pub struct Armed {
    /// Which.
    pub fault: Fault,
    /// So many operations that it could strike pass before it does.
    pub after: u32,
}
