//! What the driver needs from outside, each as a port: the owner gives it the wall clock, the runner, the writer
//! thread and its own queue; the simulator gives it a world of its own and turns the same crank.

use skep_model::effect::Task;
use skep_model::error::Failure;
use skep_model::ids::{ExecutionId, StepPath, Token};
use skep_model::outcome::Outcome;
use skep_model::time::Timestamp;
use skep_runner::Identity;
use skep_store::writer::Submission;

use super::Input;

/// The clocks of a machine.
pub trait Clock: Send {
    /// The wall clock, in UTC. May go backwards; the driver does not.
    fn now(&self) -> Timestamp;
    /// Microseconds since some fixed moment; never goes backwards, and counts while the machine is suspended.
    fn elapsed_us(&self) -> i64;
}

/// Does the work of effects. Every task that it is told to perform has exactly one outcome, which is the answer or
/// comes back as [`Input::Outcome`].
pub trait Performer: Send {
    /// True if the task wants a child that is forked and recorded before the commit.
    fn needs_child(&self, task: &Task) -> bool;
    /// Forks one parked child per task and keeps it under the task's token; gives identities in the same order.
    /// A failure is the outcome of its task: nothing was begun.
    fn prepare(&mut self, tasks: &[&Task]) -> Vec<Result<Identity, Failure>>;
    /// Lets the parked child of the task go, or does everything itself. What takes no waiting is answered at once.
    fn perform(&mut self, task: Box<Task>) -> Option<Outcome>;
    /// A parked child is not wanted any more: it exits without having done anything.
    fn discard(&mut self, token: &Token);
    /// Stops a delivery that is performed; its outcome says how it ended.
    fn abort(&mut self, token: &Token);
    /// The outcome of a delivery was taken: what was cut of its log is said.
    fn delivery_ended(&mut self, execution: &ExecutionId, path: &StepPath, delivery: u32);
    /// Nothing more comes of this execution.
    fn execution_ended(&mut self, execution: &ExecutionId);
}

/// Commits writes, in order; each is answered by an [`Ack`](skep_store::Ack) in [`Input::Acks`].
pub trait Committer: Send {
    /// Hands over what was decided in one pass.
    ///
    /// # Errors
    /// It has ended and takes nothing more.
    fn submit(&mut self, submissions: Vec<Submission>) -> Result<(), skep_store::Error>;
}

/// The driver's own inputs to itself.
pub trait Mailbox: Send {
    /// After what is there already.
    fn send(&self, input: Input);
    /// After a pause of [`RETRY_AFTER`](super::RETRY_AFTER): a disk that refuses writes is not asked again at once.
    fn send_later(&self, input: Input);
    /// What the work gives, some time later. It takes long and changes nothing: it need not be done in this thread.
    fn aside(&self, work: Box<dyn FnOnce() -> Input + Send>) {
        self.send(work());
    }
}
