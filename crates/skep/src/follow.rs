//! Following an execution to its end, or to where only a person can move it.

use std::time::Duration;

use skep_api::local::CallError;
use skep_api::views::execution::Execution;
use skep_api::wire::{self, Failure, Needs, Settled};
use skep_model::status::Execution as Status;
use skep_node::service::Reading;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::context::Context;
use crate::door::{Door, blocking};
use crate::output::{Display, now};

/// How long one look for news may take; then it is asked again.
const LOOK_MS: u64 = 20_000;
/// Two SIGINT within this time are one: some senders signal the process and its group.
const SAME_KEY: Duration = Duration::from_millis(300);
/// How often durations are drawn anew on a terminal.
const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// How far to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until nothing moves by itself any more.
    Settled,
    /// Until it is terminal, whoever has to act.
    Terminal,
}

/// Why following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The execution is terminal, or only a person can move it.
    Reached(Status),
    /// The person who followed left.
    Left,
    /// Nobody performs it.
    Unattended(Status),
}

/// Signals to this process: how often it was asked to end.
pub struct Interrupts {
    count: watch::Receiver<usize>,
}

impl Interrupts {
    /// Counts SIGINT once each; SIGTERM and SIGHUP count as the second one: they leave at once.
    pub fn listen() -> Self {
        let (sender, count) = watch::channel(0);
        tokio::spawn(async move {
            use tokio::signal::unix::{SignalKind, signal};
            let streams =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
            let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = streams else { return };
            let mut last: Option<Instant> = None;
            loop {
                let step = tokio::select! {
                    _ = interrupt.recv() => usize::from(last.is_none_or(|at| at.elapsed() >= SAME_KEY)),
                    _ = terminate.recv() => 2,
                    _ = hangup.recv() => 2,
                };
                last = Some(Instant::now());
                if step > 0 {
                    sender.send_modify(|count| *count += step);
                }
            }
        });
        Self { count }
    }

    /// Waits for the count to change and gives it.
    pub async fn next(&mut self) -> usize {
        if self.count.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.count.borrow_and_update()
    }

    /// A flag that turns true at the next signal.
    pub fn into_flag(mut self) -> watch::Receiver<bool> {
        let (sender, flag) = watch::channel(false);
        tokio::spawn(async move {
            self.next().await;
            sender.send_replace(true);
        });
        flag
    }
}

/// One execution, followed through a door.
pub struct Follower<'a> {
    /// Where.
    pub context: &'a Context,
    /// Through which door.
    pub door: &'a mut Door,
    /// Its whole id.
    pub execution: String,
    /// How far.
    pub until: Until,
    /// Whether Ctrl-C cancels the execution first.
    pub cancels: bool,
}

impl Follower<'_> {
    /// Follows, and gives the view at the end.
    ///
    /// # Errors
    /// An unknown execution, a store that cannot be read, an owner that cannot be reached.
    pub async fn run(self, interrupts: &mut Interrupts) -> Result<(Ending, Execution), Failure> {
        let view = read_view(self.context, &self.execution).await?;
        let mut display = Display::new(view);
        let ending = self.watch(&mut display, interrupts).await;
        let view = display.finish();
        ending.map(|ending| (ending, view))
    }

    async fn watch(self, display: &mut Display, interrupts: &mut Interrupts) -> Result<Ending, Failure> {
        let mut known: Option<Settled> = None;
        let mut draw = tokio::time::interval(DRAW_INTERVAL);
        loop {
            let call = wire::Follow {
                execution: self.execution.clone(),
                from_seq: display.view().seq + 1,
                known,
                wait_ms: LOOK_MS,
            };
            let look = look(self.door, self.context, call);
            let mut look = std::pin::pin!(look);
            let answer = loop {
                tokio::select! {
                    answer = &mut look => break Some(answer?),
                    _ = draw.tick(), if display.is_live() => display.tick(now()),
                    count = interrupts.next() => {
                        if !self.cancels || count > 1 {
                            return Ok(Ending::Left);
                        }
                        break None;
                    }
                }
            };
            let Some(answer) = answer else {
                self.cancel(display).await;
                continue;
            };
            display.apply(&answer.turns, now());
            // A page of turns may not be the last one: what is known is known only after an empty page.
            known = answer.settled.filter(|_| answer.turns.is_empty());
            if answer.turns.is_empty()
                && let Some(ending) = self.ending(&answer)
            {
                return Ok(ending);
            }
        }
    }

    fn ending(&self, answer: &wire::Followed) -> Option<Ending> {
        let Some(settled) = answer.settled else {
            let over = answer.status.is_terminal();
            return Some(if over { Ending::Reached(answer.status) } else { Ending::Unattended(answer.status) });
        };
        let reached = match self.until {
            Until::Settled => settled.is_settled(),
            Until::Terminal => settled.status.is_terminal(),
        };
        reached.then_some(Ending::Reached(settled.status))
    }

    async fn cancel(&self, display: &Display) {
        let call = wire::Cancel { execution: self.execution.clone(), reason: Some("Ctrl-C".to_owned()) };
        match self.door.call(call).await {
            Ok(_) => display.say("cancelling; once more Ctrl-C leaves at once"),
            Err(error) => display.say(&error.into_failure(Needs::Owner).message),
        }
    }
}

/// One look for news. An owner that went away is replaced by what the files say.
async fn look(door: &Door, context: &Context, call: wire::Follow) -> Result<wire::Followed, Failure> {
    match door.call(call.clone()).await {
        Ok(answer) => Ok(answer),
        Err(CallError::Failure(failure)) => Err(failure),
        Err(CallError::NoOwner(_) | CallError::Lost(_)) => {
            let other = Door::open(&context.directory, Needs::Reading).await?;
            other.call(call).await.map_err(|error| error.into_failure(Needs::Reading))
        }
    }
}

/// The view of an execution, read beside whoever owns the directory.
///
/// # Errors
/// An unknown execution, a store that cannot be read.
pub async fn read_view(context: &Context, execution: &str) -> Result<Execution, Failure> {
    let (directory, execution) = (context.directory.clone(), execution.to_owned());
    let read = blocking(move || Reading::open(&directory).and_then(|reading| reading.view(&execution))).await?;
    read.map(|(view, _)| view).map_err(|error| skep_api::local::failure_of(&error))
}
