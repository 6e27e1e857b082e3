//! Draws workflows. What the node's catalogue lacks is never drawn, so a kind joins as soon as it is built.

use skep_model::catalogue::{Catalogue, Feature};

use super::tree::{Condition, Kind, List, Shape, Step, Work, Workflow};
use crate::random::Random;

/// Signals that somebody sends.
pub const SIGNALS: [&str; 2] = ["go", "ready"];
/// The signal that nobody sends.
pub const NEVER: &str = "never";
/// Deepest nesting of lists.
const DEPTH_MAX: u32 = 3;
/// Chance in a hundred that a step which waits for a signal waits for one that never comes.
const NEVER_PERCENT: u64 = 4;

/// Keys on work that take a feature, as they are printed.
const EXTRAS: [(Feature, &str); 14] = [
    (Feature::Rollback, "rollback: {uses: set, with: {undone: true}}"),
    (Feature::Rollback, "rollback: {run: 'undo', retry: {max_attempts: 2, delay: 1s}}"),
    (Feature::SuccessCriteria, "success_criteria: ['${{ 1 < 2 }}']"),
    (Feature::OutputSchema, "output_schema: {type: object}"),
    (Feature::OutputSchema, "output_schema: {type: object, required: [missing]}"),
    (Feature::Concurrency, "concurrency: {group: shared, limit: 1}"),
    (Feature::Concurrency, "concurrency: {group: shared, limit: 2, when_full: skip}"),
    (Feature::CircuitBreaker, "circuit_breaker: {name: fragile, failures: 2, reset: 20s}"),
    (Feature::Unknown, "on_unknown: ask"),
    (Feature::Unknown, "on_unknown: verify, verify: {run: 'is it done'}"),
    (Feature::Priority, "priority: high"),
    (Feature::Irreversible, "irreversible: true"),
    (Feature::Checkpoint, "checkpoint: true"),
    (Feature::RollbackStrategy, "critical: true"),
];

/// A person is asked: for ever, or with a chain and an end.
const ESCALATES: [&str; 3] = [
    "escalate",
    "{strategy: escalate, escalation_target: ops, escalate: [{after: 3s, to: lead}, {after: 9s, to: boss}], timeout: 20s}",
    "{strategy: escalate, escalate: [{after: 2s, to: lead}], timeout: 8s, on_timeout: retry}",
];

/// A workflow of `steps` steps or a few more.
pub fn workflow(random: &mut Random, number: usize, catalogue: &Catalogue) -> Workflow {
    let budget = random.between(2, 12) as u32;
    let mut maker = Maker { random, catalogue, next: 0, left: budget, workflow: number, fans: 0 };
    let steps = maker.list(0);
    let has_finally = maker.random.percent(30);
    let finally = if has_finally { maker.finally() } else { Vec::new() };
    let timeout_seconds = maker.random.percent(15).then(|| maker.random.between(20, 300));
    let max_parallel = maker.optional(Feature::MaxParallel, 20).then(|| maker.random.between(1, 3) as u32);
    let on_cancel = if maker.optional(Feature::CancelRollback, 30) {
        Some("rollback")
    } else {
        maker.random.percent(10).then_some("abandon")
    };
    let concurrency = maker
        .optional(Feature::Concurrency, 15)
        .then(|| (maker.random.between(1, 3) as u32, maker.random.pick(&["queue", "skip", "cancel_old", "fail"])));
    let rollback = maker.optional(Feature::RollbackStrategy, 40).then(|| {
        let strategy = maker.random.pick(&["immediate", "graceful", "checkpoint", "checkpoint", "manual"]);
        (strategy, maker.random.between(1, 4) as u32)
    });
    let autonomy = maker.random.percent(30).then(|| maker.random.pick(&["off", "suggest", "act", "act"]));
    Workflow { number, steps, finally, timeout_seconds, max_parallel, on_cancel, rollback, autonomy, concurrency }
}

struct Maker<'a> {
    random: &'a mut Random,
    catalogue: &'a Catalogue,
    next: u32,
    /// Steps that may still be drawn.
    left: u32,
    workflow: usize,
    /// Loops and branches around: what is inside runs several times, so there is less of it.
    fans: u32,
}

impl Maker<'_> {
    fn optional(&mut self, feature: Feature, percent: u64) -> bool {
        self.catalogue.features.contains(&feature) && self.random.percent(percent)
    }

    fn list(&mut self, depth: u32) -> List {
        let graph = self.random.percent(25);
        let wanted = self.random.between(1, if depth == 0 { 6 } else { 3 });
        let mut steps: Vec<Step> = Vec::new();
        while steps.len() < wanted as usize && (self.left > 0 || steps.is_empty()) {
            let before: Vec<u32> = steps.iter().map(|step| step.number).collect();
            steps.push(self.step(depth, graph, &before));
        }
        List { graph, steps }
    }

    fn finally(&mut self) -> Vec<Step> {
        let count = self.random.between(1, 2);
        let mut steps = Vec::new();
        for _ in 0..count {
            let shape = Shape::Work(Box::new(Work { script: self.random.percent(50), ..Work::default() }));
            let number = self.number();
            let condition = self.random.percent(20).then_some(Condition::Text("failure()"));
            steps.push(Step {
                number,
                shape,
                condition,
                depends_on: Vec::new(),
                on_error: None,
                timeout_seconds: None,
            });
        }
        steps
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.left = self.left.saturating_sub(1);
        self.next - 1
    }

    fn step(&mut self, depth: u32, graph: bool, before: &[u32]) -> Step {
        let number = self.number();
        let depends_on = if graph { self.some_of(before) } else { Vec::new() };
        let known: Vec<u32> = if graph { depends_on.clone() } else { before.to_vec() };
        let shape = self.shape(depth, &known);
        let condition = self.condition(&known);
        let on_error = self.on_error(&shape);
        let timeout_seconds = match &shape {
            Shape::Work(_) => self.random.percent(25).then(|| self.random.between(2, 20)),
            Shape::Listen(name) if *name == NEVER => None,
            Shape::Approval { .. } => self.random.percent(50).then(|| self.random.between(40, 60)),
            Shape::Form | Shape::Listen(_) => self.random.percent(50).then(|| self.random.between(5, 60)),
            Shape::Switch { .. }
            | Shape::Parallel { .. }
            | Shape::Foreach { .. }
            | Shape::While(..)
            | Shape::Repeat(..)
            | Shape::RepeatUntil(..) => self.random.percent(10).then(|| self.random.between(5, 60)),
            Shape::Condition | Shape::Sleep(_) | Shape::Until(_) | Shape::Child(_) => None,
        };
        Step { number, shape, condition, depends_on, on_error, timeout_seconds }
    }

    fn some_of(&mut self, before: &[u32]) -> Vec<u32> {
        let mut chosen = Vec::new();
        for number in before {
            if self.random.percent(40) {
                chosen.push(*number);
            }
        }
        chosen
    }

    fn condition(&mut self, known: &[u32]) -> Option<Condition> {
        if !self.random.percent(20) {
            return None;
        }
        if !known.is_empty() && self.random.percent(30) {
            return Some(Condition::Completed(self.random.pick(known)));
        }
        let texts = ["always()", "failure()", "success()", "cancelled()", "inputs.n > 2", "inputs.n < 0"];
        Some(Condition::Text(self.random.pick(&texts)))
    }

    fn on_error(&mut self, shape: &Shape) -> Option<&'static str> {
        let works = matches!(shape, Shape::Work(_));
        if works && self.optional(Feature::Compensate, 10) {
            return Some("compensate");
        }
        if works && self.optional(Feature::Escalate, 8) {
            return Some(self.random.pick(&ESCALATES));
        }
        self.random.percent(15).then_some("skip")
    }

    fn shape(&mut self, depth: u32, known: &[u32]) -> Shape {
        let nested = if depth >= DEPTH_MAX || self.left < 2 || self.fans > 2 { 0 } else { 3 };
        let weights = Kind::ALL.map(|kind| {
            let built = kind.feature().is_none_or(|feature| self.catalogue.features.contains(&feature));
            match kind {
                _ if !built => 0,
                Kind::Script | Kind::Action => 12,
                Kind::Approval | Kind::Form | Kind::Sleep | Kind::Signal => 2,
                Kind::Until => 1,
                Kind::Condition => 2,
                Kind::Switch | Kind::Parallel | Kind::Foreach => nested,
                Kind::While | Kind::Repeat | Kind::RepeatUntil => nested.min(1),
                // A child is one of the workflows drawn before, so there is no cycle.
                Kind::Child => {
                    if self.workflow > 0 {
                        3
                    } else {
                        0
                    }
                }
            }
        });
        let kind = Kind::ALL[self.random.weighted(&weights)];
        match kind {
            Kind::Script => self.work(true, known),
            Kind::Action => self.work(false, known),
            Kind::Approval => Shape::Approval {
                on_timeout: self.random.pick(&["reject", "approve", "fail"]),
                on_reject: self.random.pick(&["fail", "continue"]),
                escalates: self.random.percent(30),
            },
            Kind::Form => Shape::Form,
            Kind::Sleep => Shape::Sleep(self.random.between(1, 40)),
            Kind::Until => Shape::Until(self.random.between(1, 200)),
            Kind::Signal if self.random.percent(NEVER_PERCENT) => Shape::Listen(NEVER),
            Kind::Signal => Shape::Listen(self.random.pick(&SIGNALS)),
            Kind::Condition => Shape::Condition,
            Kind::Child => Shape::Child(self.random.below(self.workflow)),
            Kind::Switch | Kind::Parallel | Kind::Foreach | Kind::While | Kind::Repeat | Kind::RepeatUntil => {
                self.nested(kind, depth + 1)
            }
        }
    }

    fn nested(&mut self, kind: Kind, depth: u32) -> Shape {
        self.fans += 1;
        let shape = match kind {
            Kind::Switch => {
                Shape::Switch { holds: self.random.percent(50), case: self.list(depth), other: self.list(depth) }
            }
            Kind::Parallel => {
                let count = self.random.between(2, 3);
                Shape::Parallel {
                    join: self.random.pick(&["all", "all", "any", "2"]),
                    fail_fast: self.random.percent(60),
                    branches: (0..count).map(|_| self.list(depth)).collect(),
                }
            }
            Kind::Foreach => Shape::Foreach {
                items: self.random.between(0, 4) as u32,
                max_parallel: self.random.between(1, 3) as u32,
                fail_fast: self.random.percent(60),
                body: self.list(depth),
            },
            Kind::While => Shape::While(self.random.between(0, 3) as u32, self.list(depth)),
            Kind::RepeatUntil => Shape::RepeatUntil(self.random.between(0, 2) as u32, self.list(depth)),
            _ => Shape::Repeat(self.random.between(1, 3) as u32, self.list(depth)),
        };
        self.fans -= 1;
        shape
    }

    fn work(&mut self, script: bool, known: &[u32]) -> Shape {
        let random = &mut *self.random;
        let retry = random.percent(40).then(|| {
            let growth = random.pick(&["fixed", "linear", "exponential"]);
            (random.between(2, 4) as u32, random.between(1, 5), growth)
        });
        let on = ["[transient, system]", "[network, crash]", "[invalid]", "[75]"];
        let work = Work {
            script,
            uses: (!known.is_empty() && random.percent(40)).then(|| random.pick(known)),
            retry,
            retry_on: (retry.is_some() && random.percent(20)).then(|| random.pick(&on)),
            total_timeout_seconds: random.percent(8).then(|| random.between(5, 40)),
            gate: random.percent(8).then(|| random.pick(&["before", "after"])),
            read_only: random.percent(10),
            extras: Vec::new(),
            effect: None,
        };
        let mut work = work;
        for extra in EXTRAS {
            let taken = work.extras.iter().any(|(feature, _)| *feature == extra.0);
            let clash = extra.0 == Feature::Irreversible && (work.read_only || has(&work, Feature::Rollback));
            if !taken && !clash && self.optional(extra.0, 12) {
                work.extras.push(extra);
            }
        }
        Shape::Work(Box::new(work))
    }
}

fn has(work: &Work, feature: Feature) -> bool {
    work.extras.iter().any(|(there, _)| *there == feature)
}
