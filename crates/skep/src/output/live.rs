//! What is shown while an execution is followed: lines as steps end, and on a terminal also what runs and how far
//! it is. All of it on standard error.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use skep_api::views::execution::Execution;
use skep_api::views::step::Step;
use skep_model::event::{Event, Turn};
use skep_model::status::Step as StepStatus;
use skep_model::time::Timestamp;

use super::page::{elapsed, event_line};
use super::print::note;

/// Lines for steps that run; more are counted, so that the view fits on a screen.
const ACTIVE_LINES_MAX: usize = 8;
/// Cells of the bar.
const BAR_CELLS: u64 = 30;

/// The view of an execution that is being followed, and where it is shown.
pub struct Display {
    view: Execution,
    screen: Option<Screen>,
}

struct Screen {
    bars: MultiProgress,
    total: ProgressBar,
    colour: bool,
}

impl Display {
    /// Follows on from `view`: live where standard error is a terminal, else in lines.
    pub fn new(view: Execution) -> Self {
        let screen = std::io::stderr().is_terminal().then(Screen::new);
        let display = Self { view, screen };
        display.tick(super::now());
        display
    }

    /// The view.
    pub fn view(&self) -> &Execution {
        &self.view
    }

    /// True if it changes by the clock.
    pub fn is_live(&self) -> bool {
        self.screen.is_some()
    }

    /// Takes turns in and shows what they changed.
    pub fn apply(&mut self, turns: &[Turn], now: Timestamp) {
        for turn in turns {
            self.view.apply(turn);
            for line in changes(&self.view, turn, now) {
                self.say(&line);
            }
        }
        self.tick(now);
    }

    /// Says something beside the view.
    pub fn say(&self, text: &str) {
        match &self.screen {
            Some(screen) => drop(screen.bars.println(screen.fit(text))),
            None => note(text),
        }
    }

    /// Draws what changes by the clock.
    pub fn tick(&self, now: Timestamp) {
        if let Some(screen) = &self.screen {
            screen.draw(&self.view, now);
        }
    }

    /// Takes the live part away and gives the view.
    pub fn finish(self) -> Execution {
        if let Some(screen) = self.screen {
            drop(screen.bars.clear());
        }
        self.view
    }
}

/// A line for each step that ended, began to wait or failed an attempt in this turn.
pub(super) fn changes(view: &Execution, turn: &Turn, now: Timestamp) -> Vec<String> {
    let told = turn.events.iter().filter(|event| is_told(event)).filter_map(Event::path);
    let mut steps: Vec<&Step> = Vec::new();
    for step in told.filter_map(|path| view.step(path)) {
        if step.status != StepStatus::Running && !steps.iter().any(|seen| seen.path == step.path) {
            steps.push(step);
        }
    }
    steps.into_iter().map(|step| event_line(step, now)).collect()
}

fn is_told(event: &Event) -> bool {
    match event {
        Event::AttemptFailed { .. }
        | Event::Proposed { .. }
        | Event::Completed { .. }
        | Event::Failed { .. }
        | Event::Skipped { .. }
        | Event::Cancelled { .. }
        | Event::ApprovalAsked { .. }
        | Event::Escalated { .. }
        | Event::FormAsked { .. }
        | Event::WaitBegan { .. }
        | Event::RolledBack { .. }
        | Event::UndoFailed { .. }
        | Event::Doubted { .. }
        | Event::QuestionAsked { .. } => true,
        Event::Started(_)
        | Event::Judged(_)
        | Event::Scheduled { .. }
        | Event::Redelivered { .. }
        | Event::StopAsked { .. }
        | Event::CaseTaken { .. }
        | Event::Forked { .. }
        | Event::BranchEnded { .. }
        | Event::LoopBegan { .. }
        | Event::IterationBegan { .. }
        | Event::IterationEnded { .. }
        | Event::Decided { .. }
        | Event::FormFilled { .. }
        | Event::SignalKept { .. }
        | Event::SignalTaken { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::CancelAsked { .. }
        | Event::ForceAsked { .. }
        | Event::TimedOut
        | Event::Held { .. }
        | Event::FinallyBegan { .. }
        | Event::UndoKept { .. }
        | Event::CompensationAsked { .. }
        | Event::RollbackBegan { .. }
        | Event::RollbackAsked { .. }
        | Event::GraceOver
        | Event::PointMade { .. }
        | Event::Returned { .. }
        | Event::UndoConfirmed { .. }
        | Event::UndoDropped { .. }
        | Event::RollbackStopAsked { .. }
        | Event::RollbackEnded { .. }
        | Event::Answered { .. }
        | Event::Ended { .. }
        | Event::Queued { .. }
        | Event::ChildAsked { .. }
        | Event::Rerun { .. }
        // Most get it at once; the status says who waits.
        | Event::PermitAsked { .. }
        | Event::PermitGranted { .. } => false,
    }
}

impl Screen {
    fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let plain = ProgressStyle::with_template("{msg}").expect("the template has one known key");
        let total = bars.add(ProgressBar::new_spinner().with_style(plain));
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        Self { bars, total, colour }
    }

    /// The text without colours where they are not wanted: the bars print past the usual filter.
    fn fit(&self, text: &str) -> String {
        if self.colour { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() }
    }

    fn draw(&self, view: &Execution, now: Timestamp) {
        let mut texts: Vec<String> = view.active().take(ACTIVE_LINES_MAX).map(|step| event_line(step, now)).collect();
        let hidden = view.active().count() - texts.len();
        if hidden > 0 {
            texts.push(format!("    .. and {hidden} more"));
        }
        texts.extend(view.entry.as_ref().map(|(resource, _)| {
            format!("    waits for {}; nothing has begun", skep_api::views::reasons::wanted(resource))
        }));
        texts.push(total_line(view, now));
        self.total.set_message(self.fit(&texts.join("\n")));
    }
}

/// `[#####.....] 3/7 steps  1.2s`
pub(super) fn total_line(view: &Execution, now: Timestamp) -> String {
    let progress = view.progress();
    let full = (progress.figure * BAR_CELLS as f64) as u64;
    let bar: String = (0..BAR_CELLS).map(|cell| if cell < full { '#' } else { '.' }).collect();
    format!("  [{bar}] {}/{} steps  {}", progress.done, progress.total, elapsed(view, now))
}
