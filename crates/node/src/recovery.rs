//! What an owner does at its start with the executions that are under way.

use std::collections::HashSet;

use skep_model::ids::LocalId;
use skep_model::time::Timestamp;

use crate::driver::Input;
use crate::error::Error;
use crate::owner::Node;
use crate::service::Verdict;

/// Rows that one look at the store fetches.
const OPEN_PER_PAGE: usize = 1_000;

/// Which of them go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recovery {
    /// Each.
    #[default]
    Always,
    /// Each but those that `skep recover` would leave to a person, with their child executions.
    Rule,
    /// None before somebody resumes it.
    Ask,
}

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// So many go on, or wait in this owner for what moves them.
    pub taken_on: usize,
    /// So many are left alone: they stay interrupted.
    pub left: usize,
}

impl Recovery {
    /// All, in the order of help texts.
    pub const ALL: [Self; 3] = [Self::Always, Self::Rule, Self::Ask];

    /// The word that people see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Rule => "rule",
            Self::Ask => "ask",
        }
    }

    /// The recovery with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|recovery| recovery.as_str() == word)
    }
}

impl Node {
    /// Takes on the executions that are not terminal, as far as `recovery` says, or the configuration; to be called
    /// before anything else is asked of this owner.
    ///
    /// # Errors
    /// Trouble with the store. An execution that cannot be folded is reported and left alone.
    pub fn recover_as(&self, recovery: Option<Recovery>, now: Timestamp) -> Result<Recovered, Error> {
        let recovery = recovery.unwrap_or(self.recovery);
        let left = match recovery {
            Recovery::Always => HashSet::new(),
            Recovery::Rule => self.left_by_the_rule(now)?,
            Recovery::Ask => self.all_open()?,
        };
        if !left.is_empty() {
            let locals = left.iter().copied().collect();
            let (reply, answer) = tokio::sync::oneshot::channel();
            self.send(Input::Leave(locals, reply))?;
            answer.blocking_recv().map_err(|_| Error::Ending)?;
        }
        let taken_on = if recovery == Recovery::Ask { 0 } else { self.take_on_all_but(&left)? };
        Ok(Recovered { taken_on, left: left.len() })
    }

    fn all_open(&self) -> Result<HashSet<LocalId>, Error> {
        let (mut found, mut after) = (HashSet::new(), None);
        loop {
            let page = self.reading().reader().open_executions(after, OPEN_PER_PAGE)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.local);
            found.extend(page.iter().map(|row| row.local));
        }
    }

    /// Orphans that are left to a person, and the open children of each, which go on with it.
    fn left_by_the_rule(&self, now: Timestamp) -> Result<HashSet<LocalId>, Error> {
        let reading = self.reading();
        let orphans = reading.orphans(now, &|_| false)?;
        let left = orphans.into_iter().filter(|orphan| orphan.verdict == Verdict::Leave);
        let mut ids: Vec<String> = left.map(|orphan| orphan.id).collect();
        let mut found = HashSet::new();
        while let Some(id) = ids.pop() {
            let row = match reading.find(&id) {
                Ok(row) => row,
                // A child that was asked for and never began.
                Err(Error::NoSuchExecution { .. }) => continue,
                Err(error) => return Err(error),
            };
            if row.status.is_terminal() || !found.insert(row.local) {
                continue;
            }
            let (view, _) = reading.view(&id)?;
            ids.extend(view.active().filter_map(|step| step.child.as_ref()).map(ToString::to_string));
        }
        Ok(found)
    }
}
