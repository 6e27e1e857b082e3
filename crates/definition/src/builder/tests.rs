//! The seven examples of seed 002, and what the builder refuses.

use serde_json::json;
use skep_model::plan::{Backoff, OnReject, OnTimeout, Order};

use super::*;
use crate::workflow::{Approval, Asking, Kind, OnError as Handling, Retry, Step, Wait, Workflow};

/// The example of seed 002 with this name.
fn example(name: &str) -> Workflow {
    let builder = match name {
        "sequential" => sequential(),
        "parallel" => parallel(),
        "conditional" => conditional(),
        "event-driven" => event_driven(),
        "integration" => integration(),
        "error-handling" => error_handling(),
        "approval" => approval(),
        other => panic!("there is no example {other}"),
    };
    builder.build().unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

/// The names of the seven.
const EXAMPLES: [&str; 7] =
    ["sequential", "parallel", "conditional", "event-driven", "integration", "error-handling", "approval"];

fn sequential() -> WorkflowBuilder {
    WorkflowBuilder::new()
        .add_step("analyze-requirements", "business-analyst")
        .add_step("design-solution", "software-engineer")
        .add_step("implement-solution", "software-engineer")
        .add_step("test-solution", "qa-tester")
        .add_step("deploy-solution", "devops")
}

fn parallel() -> WorkflowBuilder {
    WorkflowBuilder::new()
        .add_step("analyze-requirements", "business-analyst")
        .add_parallel_branch([
            ParallelBranch::new(
                "frontend-development",
                [("design-ui", "ui-designer"), ("implement-frontend", "frontend-developer")],
            ),
            ParallelBranch::new(
                "backend-development",
                [("design-api", "backend-architect"), ("implement-backend", "backend-developer")],
            ),
        ])
        .add_step("integration-testing", "qa-tester")
}

fn conditional() -> WorkflowBuilder {
    WorkflowBuilder::new().add_step("security-scan", "security-agent").add_conditional_branch(
        ConditionalBranch::new("context.securityIssuesFound")
            .true_branch([("fix-security-issues", "security-engineer"), ("rerun-security-scan", "security-agent")])
            .false_branch([("proceed-to-deployment", "devops-agent")]),
    )
}

fn event_driven() -> WorkflowBuilder {
    WorkflowBuilder::new()
        .add_event_trigger("ticket-created", EventTrigger::new("zendesk").condition("event.priority == 'high'"))
        .add_step("analyze-ticket", "business-analyst")
        .add_step("create-clickup-task", "project-manager")
        .add_event_trigger("task-completed", EventTrigger::new("clickup").action("update-zendesk-ticket"))
}

fn integration() -> WorkflowBuilder {
    WorkflowBuilder::new()
        .set_name("zendesk-clickup-integration")
        .set_description("Automate ticket synchronization between Zendesk and ClickUp")
        .add_step("validate-ticket", StepSpec::agent("business-analyst").timeout(300_000).retries(3))
        .add_step(
            "create-clickup-task",
            StepSpec::agent("project-manager").dependencies(["validate-ticket"]).timeout(180_000),
        )
        .add_step(
            "sync-status",
            StepSpec::agent("software-engineer").dependencies(["create-clickup-task"]).schedule("every-hour"),
        )
}

fn error_handling() -> WorkflowBuilder {
    WorkflowBuilder::new()
        .set_name("complex-integration-workflow")
        .add_step(
            "data-validation",
            StepSpec::agent("data-validator").on_error(OnError::retry_with(3, Backoff::Exponential)),
        )
        .add_step(
            "data-transformation",
            StepSpec::agent("data-transformer").on_error(OnError::compensate("rollback-changes")),
        )
        .add_step("data-sync", StepSpec::agent("sync-agent").on_error(OnError::escalate("human-operator")))
}

fn approval() -> WorkflowBuilder {
    WorkflowBuilder::new()
        .add_step("analyze-request", "business-analyst")
        .add_human_task(
            "review-analysis",
            HumanTask::new()
                .assignee("manager@company.com")
                .timeout(86_400_000)
                .escalation(172_800_000, "director@company.com"),
        )
        .add_conditional_branch(
            ConditionalBranch::new("context.approved")
                .true_branch([("implement-solution", "software-engineer"), ("deploy-solution", "devops")])
                .false_branch([("notify-rejection", "notification-service")]),
        )
}

fn agent(id: &str, name: &str) -> Step {
    Step { id: id.to_owned(), kind: Kind::Agent(json!({ "name": name })), ..Step::default() }
}

fn ids(steps: &[Step]) -> Vec<&str> {
    steps.iter().map(|step| step.id.as_str()).collect()
}

#[test]
fn sequential_steps_are_agents_one_after_another() {
    let workflow = example("sequential");
    assert_eq!(workflow.name, "workflow");
    assert_eq!(workflow.order, Order::Sequence);
    assert_eq!(workflow.steps[0], agent("analyze-requirements", "business-analyst"));
    assert_eq!(workflow.steps[4], agent("deploy-solution", "devops"));
}

#[test]
fn parallel_branches_keep_their_names_and_steps() {
    let workflow = example("parallel");
    assert_eq!(ids(&workflow.steps), ["analyze-requirements", "parallel", "integration-testing"]);
    let Kind::Parallel { branches, join: None, fail_fast: None } = &workflow.steps[1].kind else {
        panic!("{:?}", workflow.steps[1]);
    };
    assert_eq!(branches[0].name, "frontend-development");
    assert_eq!(branches[0].steps[0], agent("design-ui", "ui-designer"));
    assert_eq!(ids(&branches[1].steps), ["design-api", "implement-backend"]);
}

#[test]
fn a_condition_names_the_step_that_has_the_output() {
    let workflow = example("conditional");
    let Kind::Switch { cases, default: Some(default) } = &workflow.steps[1].kind else {
        panic!("{:?}", workflow.steps[1]);
    };
    assert_eq!(cases[0].when, "${{ steps.security-scan.outputs.securityIssuesFound }}");
    assert_eq!(ids(&cases[0].steps), ["fix-security-issues", "rerun-security-scan"]);
    assert_eq!(ids(default), ["proceed-to-deployment"]);
}

#[test]
fn an_event_starts_the_workflow_and_a_later_one_is_waited_for() {
    let workflow = example("event-driven");
    let trigger = json!({"type": "event", "config": {
        "source": "zendesk", "event": "ticket-created", "condition": "${{ event.priority == 'high' }}"}});
    assert_eq!(workflow.triggers, [trigger]);
    assert_eq!(
        ids(&workflow.steps),
        ["analyze-ticket", "create-clickup-task", "task-completed", "update-zendesk-ticket"]
    );
    let wait = Kind::Wait(Wait::Signal { name: "clickup.task-completed".to_owned(), timeout_ms: None });
    assert_eq!(workflow.steps[2].kind, wait);
    assert_eq!(workflow.steps[3], agent("update-zendesk-ticket", "update-zendesk-ticket"));
}

#[test]
fn dependencies_make_a_graph_and_numbers_are_milliseconds() {
    let workflow = example("integration");
    assert_eq!(workflow.name, "zendesk-clickup-integration");
    assert_eq!(workflow.order, Order::Graph);
    assert_eq!(workflow.steps[0].timeout_ms, Some(300_000));
    assert_eq!(workflow.steps[0].retry, Some(Retry { max_attempts: Some(4), ..Retry::default() }));
    assert_eq!(workflow.steps[1].depends_on, ["validate-ticket"]);
    assert_eq!(workflow.steps[2].depends_on, ["create-clickup-task"]);
    assert_eq!(workflow.steps[2].later["schedule"], json!("every-hour"));
}

#[test]
fn each_error_strategy_has_its_canonical_form() {
    let workflow = example("error-handling");
    let retry = Retry { max_attempts: Some(4), backoff: Some(Backoff::Exponential), ..Retry::default() };
    assert_eq!(workflow.steps[0].retry, Some(retry));
    let compensate = Handling::Compensate { step: Some("rollback-changes".to_owned()) };
    assert_eq!(workflow.steps[1].on_error, Some(compensate));
    let escalate = Handling::Escalate(Asking::of("human-operator"));
    assert_eq!(workflow.steps[2].on_error, Some(escalate));
    assert_eq!(workflow.steps[3], agent("rollback-changes", "rollback-changes"));
}

#[test]
fn a_human_task_escalates_after_its_timeout() {
    let workflow = example("approval");
    let expect = Approval {
        message: None,
        assignee: Some("manager@company.com".to_owned()),
        timeout_ms: Some(259_200_000),
        escalate: vec![(86_400_000, "director@company.com".to_owned())],
        on_timeout: Some(OnTimeout::Reject),
        on_reject: Some(OnReject::Continue),
    };
    assert_eq!(workflow.steps[1].kind, Kind::Approval(expect));
    let Kind::Switch { cases, .. } = &workflow.steps[2].kind else { panic!("{:?}", workflow.steps[2]) };
    assert_eq!(cases[0].when, "${{ steps.review-analysis.outputs.approved }}");
}

#[test]
fn in_a_graph_steps_without_dependencies_follow_the_step_before() {
    let workflow = WorkflowBuilder::new()
        .add_step("a", "x")
        .add_step("b", StepSpec::agent("x").dependencies(Vec::<String>::new()))
        .add_step("c", "x")
        .add_step("d", StepSpec::agent("x").dependencies(["a", "c"]))
        .build()
        .expect("it is valid");
    let edges: Vec<_> = workflow.steps.iter().map(|step| step.depends_on.join(" ")).collect();
    assert_eq!(edges, ["", "", "b", "a c"]);
}

#[test]
fn generated_ids_avoid_the_names_that_people_gave() {
    let workflow = WorkflowBuilder::new()
        .add_step("Fix it!", "x")
        .add_conditional_branch(ConditionalBranch::new("true").true_branch([("branch", "x")]))
        .build()
        .expect("it is valid");
    assert_eq!(ids(&workflow.steps), ["fix-it", "branch-2"]);
    assert_eq!(workflow.steps[0].name.as_deref(), Some("Fix it!"));
}

/// What the file `examples/builder/NAME.yaml` holds.
fn example_file(name: &str) -> String {
    let yaml = crate::print::to_yaml(&example(name));
    let head =
        "# One of the seven examples of the builder, printed: `WorkflowBuilder` in Rust and files are the same model.";
    let usage = format!("# Draw it: skep graph examples/builder/{name}.yaml");
    format!("{head}\n#\n{usage}\n{yaml}")
}

#[test]
fn the_examples_print_and_read_back_as_the_same_workflow() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/builder");
    for name in EXAMPLES {
        let text = example_file(name);
        let loaded = crate::load::load(&text);
        assert_eq!(loaded.workflow.as_ref(), Some(&example(name)), "{name}: {:#?}", loaded.problems);
        assert!(loaded.is_usable(), "{name}: {:#?}", loaded.problems);
        let path = folder.join(format!("{name}.yaml"));
        if std::env::var_os("SKEP_UPDATE_EXAMPLES").is_some() {
            std::fs::write(&path, &text).expect("the folder exists");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, text, "{name} is out of date: run the tests with SKEP_UPDATE_EXAMPLES=1");
    }
}

fn check_refused(builder: WorkflowBuilder, code: &str, fragment: &str) {
    let problems = builder.build().expect_err(fragment);
    assert!(
        problems.iter().any(|problem| problem.code == code && problem.message.contains(fragment)),
        "no {code} {fragment:?} in {problems:#?}"
    );
}

#[test]
fn mistakes_are_refused_with_what_is_wrong() {
    let new = WorkflowBuilder::new;
    check_refused(new(), codes::NAMES, "has no steps");
    check_refused(new().add_step("!!", "x"), codes::NAMES, "no letter or digit");
    check_refused(new().add_step("a b", "x").add_step("a-b", "x"), codes::NAMES, "two steps have the id `a-b`");
    let depends = StepSpec::agent("x").dependencies(["nobody"]);
    check_refused(new().add_step("a", depends), codes::DEPENDENCY, "depends on `nobody`");
    let branch = || ConditionalBranch::new("context.found").true_branch([("fix", "x")]);
    check_refused(new().add_conditional_branch(branch()), codes::CONTEXT, "can have an output `found`");
    let script = new().add_step("scan", StepSpec::run("true")).add_conditional_branch(branch());
    check_refused(script, codes::CONTEXT, "can have an output `found`");
    let bare =
        new().add_step("a", "x").add_conditional_branch(ConditionalBranch::new("context").true_branch([("b", "x")]));
    check_refused(bare, codes::CONTEXT, "without `.NAME`");
    let at_the_end = HumanTask::new().timeout(5).escalation(0, "boss");
    check_refused(new().add_human_task("ask", at_the_end), codes::ESCALATION, "end of the wait");
    let no_start = HumanTask::new().escalation(5, "boss");
    check_refused(new().add_human_task("ask", no_start), codes::ESCALATION, "no moment to begin");
    let twice = StepSpec::agent("x").retries(1).on_error(OnError::retry(2));
    check_refused(new().add_step("a", twice), codes::CONFLICT, "both `retries`");
    let filtered = EventTrigger::new("clickup").condition("event.done");
    check_refused(new().add_step("a", "x").add_event_trigger("e", filtered), codes::CONFLICT, "has a condition");
}

#[test]
fn every_code_has_a_page() {
    for code in CODES {
        assert!(code.id.starts_with("SKEP-D") && code.page.len() > 100, "{}", code.id);
    }
}

#[test]
fn a_compensation_stands_beside_its_step_and_waits_for_nothing() {
    let risky = || StepSpec::agent("worker").on_error(OnError::compensate("undo"));
    let workflow = WorkflowBuilder::new()
        .set_name("graph")
        .add_step("first", StepSpec::agent("a"))
        .add_step("risky", risky().dependencies(["first"]))
        .add_step("undo", StepSpec::agent("b"))
        .add_step("last", StepSpec::agent("c"))
        .build()
        .unwrap();
    let waits: Vec<String> =
        workflow.steps.iter().map(|step| format!("{}: {}", step.id, step.depends_on.join(" "))).collect();
    assert_eq!(waits, ["first: ", "risky: first", "undo: ", "last: risky"]);
    let branch = ParallelBranch::new("left", [("risky", risky())]);
    let workflow = WorkflowBuilder::new().add_parallel_branch([branch]).build().unwrap();
    let problems = crate::check::check(&workflow, &crate::samples::catalogue(), crate::check::Level::Standard);
    assert!(problems.iter().all(|problem| problem.severity != skep_model::problem::Severity::Error), "{problems:?}");
    let Kind::Parallel { branches, .. } = &workflow.steps[0].kind else { panic!("no branches") };
    let ids: Vec<&str> = branches[0].steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["risky", "undo"]);
}
