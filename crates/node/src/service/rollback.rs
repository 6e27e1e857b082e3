//! Undoing an execution: asking for it, making a point to go back to, saying that something was undone by hand.

use skep_engine::Rejection;
use skep_model::actor::Actor;
use skep_model::ids::{ExecutionId, StepPath};
use skep_model::limits;
use skep_model::message::Message;
use skep_model::rollback::Strategy;

use crate::error::Error;
use crate::owner::Node;

/// What to undo.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// Id, unique prefix or `@latest`.
    pub execution: String,
    /// How; `None`: as its workflow says, or `checkpoint` where a point is named.
    pub strategy: Option<Strategy>,
    /// Number of the rollback point to go back to.
    pub to: Option<u32>,
    /// Who.
    pub actor: Actor,
    /// Why, for people.
    pub reason: Option<String>,
}

impl Node {
    /// Undoes an execution; one that is not over is stopped first. Returns when the request is durable.
    ///
    /// # Errors
    /// Unknown execution, nothing to undo, no such point, one that is being ended or undone already, trouble with the
    /// store. Nothing was changed then.
    pub fn rollback(&self, request: RollbackRequest) -> Result<ExecutionId, Error> {
        let RollbackRequest { execution, strategy, to, actor, reason } = request;
        check_text("the reason", reason.as_deref())?;
        let row = self.reading().find(&execution)?;
        self.tell(row.local, Message::Rollback { actor, reason, strategy, to })?;
        Ok(row.id)
    }

    /// Makes a rollback point.
    ///
    /// # Errors
    /// Unknown execution, one that is over or of which nothing can be undone, trouble with the store.
    pub fn checkpoint(&self, execution: &str, actor: Actor, note: Option<String>) -> Result<ExecutionId, Error> {
        check_text("the note", note.as_deref())?;
        self.tell_open(execution, Message::Checkpoint { actor, note })
    }

    /// A person has undone by hand what is next.
    ///
    /// # Errors
    /// Unknown execution, one that is not undone by hand, another step than the next one, trouble with the store.
    pub fn undone(
        &self,
        execution: &str,
        step: Option<String>,
        actor: Actor,
        comment: Option<String>,
    ) -> Result<ExecutionId, Error> {
        check_text("the comment", comment.as_deref())?;
        self.tell_open(execution, Message::Undone { actor, path: step.map(StepPath::from), comment })
    }

    fn tell_open(&self, execution: &str, message: Message) -> Result<ExecutionId, Error> {
        let row = self.reading().find(execution)?;
        if row.status.is_terminal() {
            return Err(Error::Rejected(Rejection::Terminal(row.status)));
        }
        self.tell(row.local, message)?;
        Ok(row.id)
    }
}

fn check_text(what: &str, text: Option<&str>) -> Result<(), Error> {
    let size = text.map_or(0, str::len);
    if size <= limits::MESSAGE_BYTES_MAX {
        return Ok(());
    }
    Err(Error::BadRequest {
        message: format!("{what} has {size} bytes, at most {} are taken", limits::MESSAGE_BYTES_MAX),
        hint: "say it shorter".to_owned(),
    })
}
