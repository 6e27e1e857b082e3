//! What steps printed.

use skep_model::ids::StepPath;
use skep_store::logs::{Cursor, LogPage, LogReader, PathFilter};

use super::Reading;
use crate::error::Error;

impl Reading {
    /// The part of an execution's log after `cursor`; of one step (and what is inside it) if `step` is given.
    ///
    /// # Errors
    /// Unknown execution, trouble with the log files.
    pub fn logs(&self, execution: &str, step: Option<&str>, cursor: Cursor) -> Result<LogPage, Error> {
        let row = self.find(execution)?;
        let filter = step.map_or(PathFilter::All, |step| PathFilter::Step(StepPath::from(step)));
        Ok(LogReader::new(self.directory(), &row.id)?.read_from(cursor, &filter)?)
    }
}
