//! A generated workflow as a tree: what is drawn, shrunk and printed. Steps keep their numbers when others go.

use skep_model::catalogue::Feature;

/// A workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// Names it: `w0`, `w1` ..
    pub number: usize,
    /// The main list.
    pub steps: List,
    /// What runs at the end.
    pub finally: Vec<Step>,
    /// Bound of the whole.
    pub timeout_seconds: Option<u64>,
    /// Steps that do work at a time.
    pub max_parallel: Option<u32>,
    /// `abandon`, `rollback`; `None`: the default.
    pub on_cancel: Option<&'static str>,
    /// How it is undone, and a rollback point after so many steps.
    pub rollback: Option<(&'static str, u32)>,
    /// Who decides about failures.
    pub autonomy: Option<&'static str>,
    /// Executions of the workflow at a time, and what becomes of the next.
    pub concurrency: Option<(u32, &'static str)>,
}

/// A list of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// By `depends_on`, not one after another.
    pub graph: bool,
    /// In the order of the text.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its id is `s` and this.
    pub number: u32,
    /// What it does.
    pub shape: Shape,
    /// `if`.
    pub condition: Option<Condition>,
    /// Numbers of steps of the same list; those that are gone are left out.
    pub depends_on: Vec<u32>,
    /// `on_error`: `skip`, `compensate`, `escalate`, or the long form; `None`: what `autonomy` says.
    pub on_error: Option<&'static str>,
    /// The bound of an attempt, of the wait, or of everything inside.
    pub timeout_seconds: Option<u64>,
}

/// `if`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// A status function, or an expression over inputs.
    Text(&'static str),
    /// The step of this number has completed.
    Completed(u32),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A script or an action.
    Work(Box<Work>),
    /// A person decides.
    Approval {
        /// What the end of the wait means.
        on_timeout: &'static str,
        /// What a no means.
        on_reject: &'static str,
        /// Somebody else is told on the way.
        escalates: bool,
    },
    /// A person fills in a form.
    Form,
    /// So many seconds.
    Sleep(u64),
    /// Until so many seconds after the beginning of the simulated world.
    Until(u64),
    /// A signal of this name.
    Listen(&'static str),
    /// A condition that holds after so many seconds of its world.
    Condition,
    /// The first case that holds, or the other steps.
    Switch {
        /// Whether the case holds.
        holds: bool,
        /// Its steps.
        case: List,
        /// `default`.
        other: List,
    },
    /// Branches.
    Parallel {
        /// `all`, `any` or a number.
        join: &'static str,
        /// A failing branch stops the others.
        fail_fast: bool,
        /// In order.
        branches: Vec<List>,
    },
    /// Items.
    Foreach {
        /// How many.
        items: u32,
        /// At a time.
        max_parallel: u32,
        /// A failing item stops the others.
        fail_fast: bool,
        /// The body.
        body: List,
    },
    /// As long as the round is below this.
    While(u32, List),
    /// So often.
    Repeat(u32, List),
    /// Until the round is this one.
    RepeatUntil(u32, List),
    /// A child execution of the workflow of this number.
    Child(usize),
}

/// Work that the simulated runner does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// A script, which needs a child; else the action `set`.
    pub script: bool,
    /// An argument comes from this step's output.
    pub uses: Option<u32>,
    /// Attempts, the pause in seconds, the growth.
    pub retry: Option<(u32, u64, &'static str)>,
    /// What is repeated, if not the default.
    pub retry_on: Option<&'static str>,
    /// Bound of all attempts.
    pub total_timeout_seconds: Option<u64>,
    /// `before` or `after`.
    pub gate: Option<&'static str>,
    /// It changes nothing.
    pub read_only: bool,
    /// Keys that a node may not have yet, each as it is printed, with the feature that it takes.
    pub extras: Vec<(Feature, &'static str)>,
    /// What it changes outside; then it is a script.
    pub effect: Option<Effect>,
}

/// What work changes outside, and how that is undone.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The register that it writes to.
    pub register: String,
    /// The register from which its compensation takes it back: the same, unless the compensation is wrong.
    pub undo: String,
    /// The compensation is a script; else an action.
    pub script: bool,
    /// The compensation is verified.
    pub checked: bool,
}

impl Workflow {
    /// Its name in definitions and in the library.
    pub fn name(&self) -> String {
        format!("w{}", self.number)
    }

    /// Steps in all.
    pub fn count(&self) -> usize {
        self.steps.count() + self.finally.iter().map(Step::count).sum::<usize>()
    }
}

impl List {
    /// Steps in all, nested ones included.
    pub fn count(&self) -> usize {
        self.steps.iter().map(Step::count).sum()
    }
}

impl Step {
    /// Itself and the steps inside.
    pub fn count(&self) -> usize {
        1 + self.lists().into_iter().map(List::count).sum::<usize>()
    }

    /// The lists inside it.
    pub fn lists(&self) -> Vec<&List> {
        match &self.shape {
            Shape::Switch { case, other, .. } => vec![case, other],
            Shape::Parallel { branches, .. } => branches.iter().collect(),
            Shape::Foreach { body, .. }
            | Shape::While(_, body)
            | Shape::Repeat(_, body)
            | Shape::RepeatUntil(_, body) => vec![body],
            Shape::Work(_)
            | Shape::Approval { .. }
            | Shape::Form
            | Shape::Sleep(_)
            | Shape::Until(_)
            | Shape::Listen(_)
            | Shape::Condition
            | Shape::Child(_) => Vec::new(),
        }
    }

    /// The lists inside it, to be changed.
    pub fn lists_mut(&mut self) -> Vec<&mut List> {
        match &mut self.shape {
            Shape::Switch { case, other, .. } => vec![case, other],
            Shape::Parallel { branches, .. } => branches.iter_mut().collect(),
            Shape::Foreach { body, .. }
            | Shape::While(_, body)
            | Shape::Repeat(_, body)
            | Shape::RepeatUntil(_, body) => vec![body],
            Shape::Work(_)
            | Shape::Approval { .. }
            | Shape::Form
            | Shape::Sleep(_)
            | Shape::Until(_)
            | Shape::Listen(_)
            | Shape::Condition
            | Shape::Child(_) => Vec::new(),
        }
    }

    /// The word under which its kind is counted.
    pub fn kind(&self) -> Kind {
        match &self.shape {
            Shape::Work(work) if work.script => Kind::Script,
            Shape::Work(_) => Kind::Action,
            Shape::Approval { .. } => Kind::Approval,
            Shape::Form => Kind::Form,
            Shape::Sleep(_) => Kind::Sleep,
            Shape::Until(_) => Kind::Until,
            Shape::Listen(_) => Kind::Signal,
            Shape::Condition => Kind::Condition,
            Shape::Switch { .. } => Kind::Switch,
            Shape::Parallel { .. } => Kind::Parallel,
            Shape::Foreach { .. } => Kind::Foreach,
            Shape::While(..) => Kind::While,
            Shape::Repeat(..) => Kind::Repeat,
            Shape::RepeatUntil(..) => Kind::RepeatUntil,
            Shape::Child(_) => Kind::Child,
        }
    }
}

/// The kinds of steps, for the count of what was covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the step kinds say it")]
pub enum Kind {
    Script,
    Action,
    Approval,
    Form,
    Sleep,
    Until,
    Signal,
    Condition,
    Switch,
    Parallel,
    Foreach,
    While,
    Repeat,
    RepeatUntil,
    Child,
}

impl Kind {
    /// Every one, for tables.
    pub const ALL: [Self; 15] = [
        Self::Script,
        Self::Action,
        Self::Approval,
        Self::Form,
        Self::Sleep,
        Self::Until,
        Self::Signal,
        Self::Condition,
        Self::Switch,
        Self::Parallel,
        Self::Foreach,
        Self::While,
        Self::Repeat,
        Self::RepeatUntil,
        Self::Child,
    ];

    /// The feature that a node needs for it, if it is not a matter of course.
    pub fn feature(self) -> Option<Feature> {
        match self {
            Self::Condition => Some(Feature::WaitCondition),
            Self::Child => Some(Feature::ChildWorkflow),
            Self::Script
            | Self::Action
            | Self::Approval
            | Self::Form
            | Self::Sleep
            | Self::Until
            | Self::Signal
            | Self::Switch
            | Self::Parallel
            | Self::Foreach
            | Self::While
            | Self::Repeat
            | Self::RepeatUntil => None,
        }
    }
}
