//! The audit, as far as its owner has a part in it. Its files are read without one.

use serde::{Deserialize, Serialize};

use super::{Call, Needs};

/// Records what is committed by now, so that whoever reads the files next sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassAudit {}

/// Records that the data directory was copied, which the copying process cannot beside a live owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackupMade {
    /// The new folder.
    pub destination: String,
}

/// It is in the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {}

impl Call for PassAudit {
    const NAME: &'static str = "pass-audit";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Recorded;
}

impl Call for BackupMade {
    const NAME: &'static str = "backup-made";
    const NEEDS: Needs = Needs::Owner;
    type Answer = Recorded;
}
