//! Calls that change something.

use serde_json::Value;
use skep_model::ids::ExecutionId;
use skep_model::message::Choices;
use skep_node::Error;
use skep_node::service::{self, Decide, RerunRequest, StartRequest};

use crate::local::convert::{failure_of, report_of};
use crate::local::desk::{Desk, Perform};
use crate::wire::{
    Approve, Cancel, Done, DryRun, Failure, Input, Pause, Reject, Rerun, Resume, Signal, Source, Start, Started,
};

pub(super) fn done(result: Result<ExecutionId, Error>) -> Result<Done, Failure> {
    result.map(|id| Done { execution_id: id.to_string() }).map_err(|error| failure_of(&error))
}

fn request_of(desk: &Desk, start: &Start) -> StartRequest {
    let source = match start.source.clone() {
        Source::Text { text, file } => service::Source::Text { text, file },
        Source::Library { name, version } => service::Source::Library { name, version },
    };
    StartRequest {
        source,
        inputs: start.inputs.clone(),
        arguments: start.arguments.clone(),
        base_dir: start.base_dir.clone(),
        environment: start.environment.clone(),
        actor: desk.person(),
        idempotency_key: start.idempotency_key.clone(),
        event: start.event.clone(),
        choices: Choices { strategy: start.rollback_strategy, approver: start.auto_approve.then(|| desk.person()) },
    }
}

impl Perform for Start {
    fn perform(&self, desk: &Desk) -> Result<Started, Failure> {
        let started = desk.node()?.start(request_of(desk, self)).map_err(|error| failure_of(&error))?;
        let warnings = (!started.warnings.is_empty())
            .then(|| report_of(&started.warnings, &started.text, started.file.as_deref()));
        Ok(Started { execution_id: started.execution.to_string(), warnings, existing: started.existing })
    }
}

impl Perform for DryRun {
    fn perform(&self, desk: &Desk) -> Result<Value, Failure> {
        let catalogue = skep_node::catalogue::build();
        let request = request_of(desk, &self.start);
        let reading = desk.reading();
        let dry_run = |validation| service::dry_run(&request, Some(&reading), &catalogue, validation);
        reading.validation_settings().and_then(dry_run).map_err(|error| failure_of(&error))
    }
}

impl Perform for Cancel {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.cancel(&self.execution, desk.person(), self.reason.clone()))
    }
}

impl Perform for Pause {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.pause(&self.execution, desk.person()))
    }
}

impl Perform for Resume {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.resume(&self.execution, desk.person()))
    }
}

impl Perform for Rerun {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.rerun(RerunRequest {
            execution: self.execution.clone(),
            from: self.from.clone(),
            inputs: self.inputs.clone(),
            arguments: self.arguments.clone(),
            actor: desk.person(),
        }))
    }
}

impl Perform for Signal {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.signal(&self.execution, self.name.clone(), self.payload.clone(), desk.person()))
    }
}

fn decide(desk: &Desk, execution: &str, step: Option<&String>, comment: Option<&String>) -> Decide {
    Decide { execution: execution.to_owned(), step: step.cloned(), actor: desk.person(), comment: comment.cloned() }
}

impl Perform for Approve {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.approve(decide(desk, &self.execution, self.step.as_ref(), self.comment.as_ref())))
    }
}

impl Perform for Reject {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        done(desk.node()?.reject(decide(desk, &self.execution, self.step.as_ref(), self.comment.as_ref())))
    }
}

impl Perform for Input {
    fn perform(&self, desk: &Desk) -> Result<Done, Failure> {
        let (values, arguments) = (self.values.clone(), self.arguments.clone());
        done(desk.node()?.input(&self.execution, self.step.clone(), values, arguments, desk.person()))
    }
}
