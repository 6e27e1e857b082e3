//! Starts with a key: the same key of the same workflow is the same execution.
//!
//! The key's row is written with the start. Until that is durable, others with the same key wait for it here, so that
//! a race of two starts gives one execution, and nobody is told of one that is then lost.

use std::sync::Arc;

use foldhash::HashMap;
use skep_model::ids::{Hash, LocalId};
use skep_store::{Row, StartKeyRow};

use super::{Creation, Driver, Receipt, Reply};
use crate::error::Error;

/// The key of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartKey {
    /// As given, or as the workflow's template gave it.
    pub key: String,
    /// Of the definition's hash and the inputs: what must be the same for it to be the same start.
    pub digest: Hash,
}

/// Starts with a key whose turn is not durable yet, by workflow and key.
#[derive(Default)]
pub(super) struct Starting {
    by_key: HashMap<(String, String), First>,
    /// The keys of those first starts.
    by_local: HashMap<LocalId, (String, String)>,
}

impl Starting {
    /// A start was refused; whoever waits for it is told to try again.
    pub fn forget(&mut self, local: LocalId) {
        drop(self.take(local));
    }

    fn add(&mut self, place: (String, String), first: First) {
        self.by_local.insert(first.local, place.clone());
        self.by_key.insert(place, first);
    }

    fn take(&mut self, local: LocalId) -> Option<First> {
        self.by_key.remove(&self.by_local.remove(&local)?)
    }
}

/// The first start with a key.
struct First {
    local: LocalId,
    digest: Hash,
    definition_hash: Hash,
    later: Vec<(StartKey, Hash, Reply)>,
}

impl Driver {
    /// Answers a start whose key is taken; gives back one that may begin.
    pub(super) fn first_of_its_key(&mut self, creation: Creation, reply: Reply) -> Option<(Creation, Reply)> {
        let Some(key) = creation.key.clone() else { return Some((creation, reply)) };
        let workflow = creation.program.plan().workflow.id.clone();
        let place = (workflow, key.key.clone());
        if let Some(first) = self.starting.by_key.get_mut(&place) {
            first.later.push((key, creation.start.definition_hash, reply));
            return None;
        }
        match self.reader.start_key(&place.0, &place.1) {
            Err(error) => drop(reply.send(Err(error.into()))),
            Ok(Some(row)) => {
                let answer = self.answer_of(row.execution, row.digest, None, &key, creation.start.definition_hash);
                drop(reply.send(answer));
            }
            Ok(None) => {
                let (digest, definition_hash) = (key.digest, creation.start.definition_hash);
                let first = First { local: self.next_local, digest, definition_hash, later: Vec::new() };
                self.starting.add(place, first);
                return Some((creation, reply));
            }
        }
        None
    }

    fn answer_of(
        &self,
        local: LocalId,
        digest: Hash,
        definition_hash: Option<Hash>,
        key: &StartKey,
        definition: Hash,
    ) -> Result<Receipt, Error> {
        if digest == key.digest {
            return Ok(Receipt { local, existing: true });
        }
        let row = self.reader.execution_by_local(local)?;
        let was = definition_hash.or_else(|| row.as_ref().map(|row| row.definition_hash));
        let differs = if was == Some(definition) { "the inputs differ" } else { "the definition differs" };
        let execution = row.map_or_else(|| local.0.to_string(), |row| row.id.to_string());
        Err(Error::StartKeyTaken { key: key.key.clone(), execution, differs })
    }

    /// The start of `local` is durable, or was not: those with the same key are answered.
    pub(super) fn key_settled(&mut self, local: LocalId, lost: Option<&Arc<skep_store::Error>>) {
        let Some(first) = self.starting.take(local) else { return };
        for (key, definition, reply) in first.later {
            let answer = match lost {
                Some(error) => Err(Error::Commit(Arc::clone(error))),
                None => self.answer_of(local, first.digest, Some(first.definition_hash), &key, definition),
            };
            drop(reply.send(answer));
        }
    }
}

/// The row of a start's key.
pub(super) fn row(workflow: &str, key: &StartKey, local: LocalId) -> Row {
    Row::StartKey(StartKeyRow {
        workflow: workflow.to_owned(),
        key: key.key.clone(),
        execution: local,
        digest: key.digest,
    })
}
