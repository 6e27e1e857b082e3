//! Error codes of the builder.

use skep_model::code::Code;

/// A name after `context.` that no earlier step can have.
pub(super) const CONTEXT: &str = "SKEP-D151";
/// Two steps with one name, a name without letters, no step at all.
pub(super) const NAMES: &str = "SKEP-D152";
/// A dependency that the list does not have.
pub(super) const DEPENDENCY: &str = "SKEP-D153";
/// An escalation that could never happen.
pub(super) const ESCALATION: &str = "SKEP-D154";
/// Two words that exclude each other.
pub(super) const CONFLICT: &str = "SKEP-D155";

/// Every code of this module with its page.
pub const ALL: &[Code] = &[
    Code {
        id: CONTEXT,
        title: "A condition of the builder names an output that no earlier step has",
        page: "\
In a condition of `WorkflowBuilder`, `context.X` is the newest output named X of an earlier step. Steps that \
declare their outputs are searched first, newest first; if none declares X, the newest step whose outputs are \
not known beforehand (an agent, an action) is taken. There was no such step.

Add the step that produces X before the condition, or name its output:

    .add_step(\"scan\", StepSpec::run(\"./scan.sh\").output(\"found\", \"${{ json.found }}\"))
    .add_conditional_branch(ConditionalBranch::new(\"context.found\"))",
    },
    Code {
        id: NAMES,
        title: "A step of the builder has no usable name, or two have the same",
        page: "\
A step's name becomes its id: letters, digits, `-` and `_`, at most 64 characters, not beginning with a digit. \
Other names are turned into such an id (`Fix it!` becomes `fix-it`). Ids are unique in a workflow, branches \
included, because `steps.ID` must mean one step. A workflow has at least one step.

Give each step its own name.",
    },
    Code {
        id: DEPENDENCY,
        title: "A dependency of the builder names a step that its list does not have",
        page: "\
`dependencies` name steps of the same list: the main list for steps that `add_step` adds, the branch for steps \
of a branch. A step inside a branch has ended when the branch's construct has ended, so depend on that.

Name a step of the same list.",
    },
    Code {
        id: ESCALATION,
        title: "The escalation of a human task could never happen",
        page: "\
`timeout` of a human task is how long its assignee has; then the task goes to the person that `escalation` \
names, who has `escalation.timeout` more. So the whole wait is the sum of both. An escalation of 0 ms would \
come at the end of the wait, and one without a `timeout` of the task has no moment at which it begins.

    HumanTask::new().assignee(\"manager@example.org\").timeout(86_400_000)
        .escalation(172_800_000, \"director@example.org\")

asks the manager for 24 hours and then the director for 48.",
    },
    Code {
        id: CONFLICT,
        title: "Two words of the builder exclude each other",
        page: "\
`retries` and `OnError::retry` both say how often a step is repeated: give one of them. An event trigger after \
the first step waits for a signal and cannot filter it by a `condition`: let the trigger come first, or put a \
conditional branch behind it.",
    },
];
