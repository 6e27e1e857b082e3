//! Child executions: started under the id that their parent recorded, watched to their end, cancelled with their step.
//!
//! ```text
//! parent  --StartChild-->  not there: created      --its end-->  ChildEnded to the parent
//!                          there, open: taken on   --its end-->       "
//!                          there, over: --------------------->        "
//! ```
//! A crash at any place repeats `StartChild`, because the parent's fold still waits; the child's id makes the
//! repetition find what is there. So nothing about families is stored beside the two journals.

use std::sync::Arc;

use serde_json::Value;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::catalogue::Catalogue;
use skep_model::effect::{Child, Task};
use skep_model::error::{Failure, Kind as FailureKind};
use skep_model::event::Event;
use skep_model::ids::{ExecutionId, LocalId, StepPath, Token};
use skep_model::message::{ChildEnded, Message, Parent};
use skep_model::outcome::Ended;
use skep_model::payload::Payload;
use skep_model::rollback::Strategy;
use skep_model::status::Execution as Status;
use skep_store::ExecutionRow;

use super::{Driver, Input};
use crate::codes;
use crate::error::Error;
use crate::fold;
use crate::service;
use crate::watch::Summary;

/// What the driver knows of child executions beside the executions themselves.
#[derive(Default)]
pub(super) struct Children {
    catalogue: Option<Arc<Catalogue>>,
    /// Children whose first turn is on its way to the disk, to be started again should it be lost.
    starting: std::collections::HashMap<LocalId, Child>,
    /// Children that are being undone, for the tasks of their parents.
    undoing: std::collections::HashMap<ExecutionId, Task>,
}

impl Children {
    pub fn use_catalogue(&mut self, catalogue: Arc<Catalogue>) {
        self.catalogue = Some(catalogue);
    }
}

/// Where a child execution is.
enum Found {
    /// In memory, and its end will be told.
    Open(LocalId),
    /// Durably over, or only in the store.
    Stored(Box<ExecutionRow>),
    Nowhere,
}

impl Driver {
    /// Starts a child, or finds it; asked as often as anybody likes.
    pub(super) fn start_child(&mut self, child: Child) {
        // An owner that is ending begins nothing; the next one is asked again.
        if self.stopping.is_some() {
            return;
        }
        match self.find_child(&child.id) {
            Ok(Found::Open(_)) => {}
            Ok(Found::Stored(row)) if row.status.is_terminal() => {
                self.answer_stored(&child.execution, &child.path, &row)
            }
            Ok(Found::Stored(row)) => {
                if !self.take_on(row.local) {
                    self.mailbox.send_later(Input::StartChild(Box::new(child)));
                }
            }
            Ok(Found::Nowhere) => self.create_child(child),
            // It may be there: saying that it failed would leave it alone.
            Err(error) => {
                tracing::error!(child = child.id.as_str(), "a child cannot be looked for: {error}");
                self.mailbox.send_later(Input::StartChild(Box::new(child)));
            }
        }
    }

    fn create_child(&mut self, child: Child) {
        let catalogue = self.children.catalogue.get_or_insert_with(|| Arc::new(crate::catalogue::build()));
        match service::child_creation(&*self.reader, catalogue, &child) {
            Err(failure) => self.answer_failed(&child, *failure),
            Ok(creation) => {
                let local = self.next_local;
                self.children.starting.insert(local, child);
                let (nobody, _) = tokio::sync::oneshot::channel();
                self.create(creation, nobody);
            }
        }
    }

    /// Cancels a child whose step was asked to stop; one that never began has ended by that.
    pub(super) fn cancel_child(&mut self, parent: LocalId, path: &StepPath, child: &ExecutionId) {
        let Some(live) = self.core.get(parent) else { return };
        let (execution, forced) = (live.state.execution(), live.state.status.is_terminal());
        match self.find_child(child) {
            Ok(Found::Open(local)) => self.cancel_open(local, forced),
            Ok(Found::Stored(row)) if row.status.is_terminal() => self.answer_stored(&execution, path, &row),
            Ok(Found::Stored(row)) => {
                if self.take_on(row.local) {
                    self.cancel_open(row.local, forced);
                } else {
                    self.mailbox.send_later(Input::CancelChild(parent, path.clone(), child.clone()));
                }
            }
            Ok(Found::Nowhere) => {
                let (path, child) = (path.clone(), child.clone());
                let (status, outputs) = (Status::Cancelled, Map::new());
                let ended = ChildEnded { path, child, status, outputs, failure: None, can_be_undone: false };
                self.mailbox.send(Input::ChildEnded(execution, Box::new(ended)));
            }
            Err(error) => {
                tracing::error!(child = child.as_str(), "a child cannot be cancelled: {error}");
                self.mailbox.send_later(Input::CancelChild(parent, path.clone(), child.clone()));
            }
        }
    }

    /// A second cancel would force the child, so a repetition after a crash is none, unless the parent was forced.
    fn cancel_open(&mut self, local: LocalId, forced: bool) {
        let cancelling = self.core.get(local).is_some_and(|live| live.state.status == Status::Cancelling);
        if !cancelling || forced {
            let reason = Some("the step that waits for it was stopped".to_owned());
            self.decide(local, Message::Cancel { actor: Actor::Engine, reason }, None);
        }
    }

    /// A parent is undone, and so is its child; its end is the task's outcome.
    pub(super) fn undo_child(&mut self, task: Task, child: &ExecutionId) {
        let found = match self.find_child(child) {
            Ok(Found::Open(local)) => Ok(local),
            Ok(Found::Stored(row)) if row.status.is_terminal() => self.bring(row.local).map(|()| row.local),
            Ok(Found::Stored(row)) => {
                self.take_on(row.local);
                Ok(row.local)
            }
            Ok(Found::Nowhere) => Err(Error::NoSuchExecution { given: child.to_string() }),
            Err(error) => Err(error),
        };
        match found {
            Ok(local) => self.undo_open(local, task, child),
            Err(error) => self.answer_undone(&task, Some(unreadable(&error))),
        }
    }

    fn undo_open(&mut self, local: LocalId, task: Task, child: &ExecutionId) {
        let Some(live) = self.core.get(local) else {
            let error = Error::NoSuchExecution { given: child.to_string() };
            return self.answer_undone(&task, Some(unreadable(&error)));
        };
        let (status, left) = (live.state.status, live.state.can_be_undone());
        if status.is_terminal() && !left {
            self.answer_undone(&task, None);
            return self.close(local);
        }
        self.children.undoing.insert(child.clone(), task);
        if status.is_terminal() {
            let reason = Some("the execution that started it is undone".to_owned());
            self.decide(
                local,
                Message::Rollback { actor: Actor::Engine, reason, strategy: Some(Strategy::Graceful), to: None },
                None,
            );
        }
    }

    fn answer_undone(&self, task: &Task, failure: Option<Failure>) {
        let result = match failure {
            None => Ended::Succeeded(Map::new()),
            Some(failure) => Ended::Failed { failure, outputs: Map::new() },
        };
        self.answer_for(task, result);
    }

    /// The end of a child that is being undone belongs to the task that asked for it.
    fn tell_who_undoes(&mut self, local: LocalId) -> bool {
        let Some(live) = self.core.get(local) else { return false };
        let (child, status, failure) = (live.state.execution(), live.state.status, live.state.failure.clone());
        if !status.is_terminal() {
            return false;
        }
        let Some(task) = self.children.undoing.remove(&child) else { return false };
        let failure = match (status, failure) {
            (Status::RolledBack, _) => None,
            (_, Some(failure)) => Some(failure),
            (_, None) => {
                let message = format!("the child execution {child} ended {} when it was undone", status.as_str());
                Some(Failure::new(FailureKind::Rejected, codes::CHILD_NOT_STARTED.id, message))
            }
        };
        self.answer_undone(&task, failure);
        true
    }

    /// A task that nobody waits for any more.
    pub(super) fn forget_undoing(&mut self, token: &Token) {
        self.children.undoing.retain(|_, task| task.token != *token);
    }

    fn find_child(&self, id: &ExecutionId) -> Result<Found, Error> {
        if let Some(local) = self.locals.get(id).filter(|local| !self.is_durably_over(**local)) {
            return Ok(Found::Open(*local));
        }
        Ok(self.reader.execution(id)?.map_or(Found::Nowhere, |row| Found::Stored(Box::new(row))))
    }

    /// It is in memory because somebody wanted it undone or run again, and that came to nothing: it will not end again.
    fn is_durably_over(&self, local: LocalId) -> bool {
        self.core.get(local).is_some_and(|live| live.state.status.is_terminal()) && self.is_quiet(local)
    }

    /// False if it cannot be read now.
    fn take_on(&mut self, local: LocalId) -> bool {
        if let Err(error) = self.have(local) {
            tracing::error!(local = local.0, "an execution cannot be taken on: {error}");
            return false;
        }
        true
    }

    /// An execution is durably over: if it is a child, its parent is told.
    pub(super) fn tell_parent(&mut self, local: LocalId) {
        if self.tell_who_undoes(local) {
            return;
        }
        let Some(live) = self.core.get(local) else { return };
        if let Some(parent) = live.state.start.as_ref().and_then(|start| start.parent.clone()) {
            self.tell_parent_of(local, parent);
        }
    }

    pub(super) fn tell_parent_of(&mut self, local: LocalId, parent: Parent) {
        match self.reader.execution_by_local(local) {
            Ok(Some(row)) => self.answer_stored(&parent.execution, &parent.path, &row),
            Ok(None) => tracing::error!(local = local.0, "a child that ended is not in the store"),
            Err(error) => {
                tracing::error!(local = local.0, "a child that ended cannot be read: {error}");
                self.mailbox.send_later(Input::TellParent(local, Box::new(parent)));
            }
        }
    }

    fn answer_stored(&mut self, parent: &ExecutionId, path: &StepPath, child: &ExecutionRow) {
        let ended = self.ended(path, child);
        if let Err(Error::Store(_) | Error::Blob(skep_store::blobs::Error::File(_))) = &ended {
            let parent = Parent { execution: parent.clone(), path: path.clone(), depth: 1 };
            return self.mailbox.send_later(Input::TellParent(child.local, Box::new(parent)));
        }
        let ended = ended.unwrap_or_else(|error| ChildEnded {
            path: path.clone(),
            child: child.id.clone(),
            status: Status::Failed,
            outputs: Map::new(),
            failure: Some(unreadable(&error)),
            can_be_undone: false,
        });
        self.mailbox.send(Input::ChildEnded(parent.clone(), Box::new(ended)));
    }

    fn answer_failed(&self, child: &Child, failure: Failure) {
        let (path, id, status) = (child.path.clone(), child.id.clone(), Status::Failed);
        let (outputs, failure) = (Map::new(), Some(failure));
        let ended = ChildEnded { path, child: id, status, outputs, failure, can_be_undone: false };
        self.mailbox.send(Input::ChildEnded(child.execution.clone(), Box::new(ended)));
    }

    /// How a terminal execution ended, from its last turn.
    fn ended(&mut self, path: &StepPath, row: &ExecutionRow) -> Result<ChildEnded, Error> {
        let stored = self.reader.turns(row.local, row.seq, 1)?;
        let events = stored.first().map(fold::turn).transpose()?.map(|turn| turn.events).unwrap_or_default();
        let last = events.into_iter().rev().find_map(|event| match event {
            Event::Ended { status, outputs, failure } => Some((status, outputs, failure)),
            _ => None,
        });
        let (status, payloads, failure) =
            last.ok_or_else(|| Error::damaged(&row.id, "its last turn does not say how it ended"))?;
        let mut outputs = Map::new();
        for (name, payload) in &payloads {
            outputs.insert(name.clone(), self.value_of(row, payload)?);
        }
        let can_be_undone = self.can_be_undone(row)?;
        Ok(ChildEnded { path: path.clone(), child: row.id.clone(), status, outputs, failure, can_be_undone })
    }

    fn can_be_undone(&mut self, row: &ExecutionRow) -> Result<bool, Error> {
        if let Some(live) = self.core.get(row.local) {
            return Ok(live.state.can_be_undone());
        }
        Ok(fold::live(&*self.reader, &mut self.programs, row.local)?.state.can_be_undone())
    }

    fn value_of(&self, row: &ExecutionRow, payload: &Payload) -> Result<Value, Error> {
        let Some(reference) = payload.as_blob() else { return Ok(payload.value.clone()) };
        let bytes = self.blobs.get(reference.blob)?;
        let bytes = bytes.ok_or_else(|| Error::damaged(&row.id, "one of its outputs is missing in the blob store"))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::damaged(&row.id, error))
    }

    /// Tells the parent, which is brought back if nobody has it. One that is over needs no answer any more.
    pub(super) fn child_ended(&mut self, parent: &ExecutionId, ended: ChildEnded) {
        // It asks for its child when it goes on, and finds its end then.
        if self.is_left_by_id(parent) {
            return;
        }
        let local = match self.find_child(parent) {
            Ok(Found::Open(local)) => local,
            Ok(Found::Stored(row)) if !row.status.is_terminal() => {
                if !self.take_on(row.local) {
                    return self.mailbox.send_later(Input::ChildEnded(parent.clone(), Box::new(ended)));
                }
                row.local
            }
            Ok(Found::Stored(_) | Found::Nowhere) => return,
            Err(error) => {
                tracing::error!(parent = parent.as_str(), "a parent cannot be read: {error}");
                return self.mailbox.send_later(Input::ChildEnded(parent.clone(), Box::new(ended)));
            }
        };
        self.decide(local, Message::ChildEnded(Box::new(ended)), None);
    }

    // ---- commits -------------------------------------------------------------------------------------

    /// The first turn of an execution is durable.
    pub(super) fn child_landed(&mut self, local: LocalId) {
        self.children.starting.remove(&local);
    }

    /// A turn was not committed; if it was the first one of a child, that is started again.
    pub(super) fn child_lost(&mut self, local: LocalId) {
        if let Some(child) = self.children.starting.remove(&local) {
            self.locals.remove(&child.id);
            self.mailbox.send_later(Input::StartChild(Box::new(child)));
        }
    }

    // ---- watchers ------------------------------------------------------------------------------------

    /// True if nothing but a person or a signal can move the execution, its children included.
    pub(super) fn waits_for_people(&self, local: LocalId) -> bool {
        let Some(live) = self.core.get(local) else { return false };
        live.state.waits_for_people_beside(&mut |child| {
            self.locals.get(child).is_some_and(|child| self.waits_for_people(*child))
        })
    }

    /// What watchers know of the parents of these executions follows what became of their children.
    pub(super) fn publish_parents(&self, changed: &[LocalId]) {
        let mut changes = Vec::new();
        for local in changed {
            let mut next = Some(*local);
            while let Some(local) = next {
                next = self.parent_of(local);
                if !self.core.get(local).is_some_and(|live| live.state.has_children()) {
                    continue;
                }
                if let Some(Summary { status, .. }) = self.watcher.summary(local).filter(|it| !it.status.is_terminal())
                {
                    changes.push((local, Summary { status, waits_for_people: self.waits_for_people(local) }));
                }
            }
        }
        if !changes.is_empty() {
            self.watcher.publish(changes);
        }
    }

    fn parent_of(&self, local: LocalId) -> Option<LocalId> {
        let start = self.core.get(local)?.state.start.as_ref()?;
        self.locals.get(&start.parent.as_ref()?.execution).copied()
    }
}

fn unreadable(error: &Error) -> Failure {
    let message = format!("the child execution cannot be read: {error}");
    Failure::new(FailureKind::Unavailable, codes::CHILD_NOT_STARTED.id, message).with_hint(error.hint())
}
