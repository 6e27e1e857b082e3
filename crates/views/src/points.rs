//! Rollback points in the view: what it was at each of them, so that it can be that again.

use std::sync::Arc;

use skep_model::actor::Actor;
use skep_model::event::Event;
use skep_model::ids::StepPath;
use skep_model::limits::ROLLBACK_POINTS_MAX;
use skep_model::rollback::PointKind;
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;

use crate::execution::Execution;
use crate::progress::Share;
use crate::step::Inside;

/// A moment to which an execution can go back.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// From 0, the start.
    pub number: u32,
    /// Why there is one.
    pub kind: PointKind,
    /// When.
    pub at: Timestamp,
    /// The step that completed, if it is because of that.
    pub step: Option<StepPath>,
    /// Who asked for it.
    pub actor: Option<Actor>,
    /// What for, for people.
    pub note: Option<String>,
    past: Arc<Execution>,
}

impl Point {
    /// The execution as it was.
    pub fn past(&self) -> &Execution {
        &self.past
    }
}

impl Execution {
    /// The start is a point, too; those of a run before are gone.
    pub(crate) fn point_at_start(&mut self, at: Timestamp) {
        self.points.clear();
        if self.shape.has_points {
            self.add_point(at, (0, PointKind::Start, None), (None, None));
        }
    }

    pub(crate) fn point_made(&mut self, at: Timestamp, event: &Event) {
        let Event::PointMade { number, kind, path, actor, note } = event else { return };
        self.add_point(at, (*number, *kind, path.clone()), (actor.clone(), note.clone()));
    }

    fn add_point(
        &mut self,
        at: Timestamp,
        (number, kind, step): (u32, PointKind, Option<StepPath>),
        (actor, note): (Option<Actor>, Option<String>),
    ) {
        let mut points = std::mem::take(&mut self.points);
        let past = Arc::new(self.clone());
        points.push(Point { number, kind, at, step, actor, note, past });
        if points.len() > ROLLBACK_POINTS_MAX + 1 {
            points.remove(1);
        }
        self.points = points;
    }

    /// The execution is what it was at the point; what had not ended there has not begun.
    pub(crate) fn returned(&mut self, number: u32, generation: u32) {
        let Some(point) = self.points.iter().find(|point| point.number == number) else {
            self.strays += 1;
            return;
        };
        let mut view = Self::clone(&point.past);
        view.points = std::mem::take(&mut self.points);
        view.points.retain(|point| point.number <= number);
        (view.seq, view.events, view.updated_at) = (self.seq, self.events, self.updated_at);
        (view.strays, view.tickets, view.generation) = (self.strays, self.tickets, generation);
        view.status = Status::Running;
        view.held = None;
        *self = view;
        let begun: Vec<StepPath> =
            self.entries.values().filter(|step| has_begun(step)).map(|step| step.path.clone()).collect();
        for path in begun {
            self.change(&path, |step| {
                step.status = StepStatus::Pending;
                step.waiting = None;
                step.stopping = false;
                step.attempts = 0;
                step.began_at = None;
                step.failure = None;
                step.outputs.clear();
            });
        }
        for step in self.entries.values_mut().filter(|step| step.status == StepStatus::Pending) {
            step.generation = generation;
        }
    }
}

/// It does something, waits, or is asked about; what holds others goes on with them.
fn has_begun(step: &crate::step::Step) -> bool {
    let active = matches!(Share::of(step), Share::Running | Share::Waiting) || step.status == StepStatus::Unknown;
    active && matches!(step.inside, Inside::Nothing)
}
