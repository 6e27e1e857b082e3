//! Simulated executions, one kind of thing that can happen per test.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use skep_engine::Program;
use skep_model::Map;
use skep_model::actor::Actor;
use skep_model::effect::{Child, Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::outcome::Ended;
use skep_model::status::{Execution as Status, Step as StepStatus};
use skep_model::time::Timestamp;
use skep_runner::foresee;

use super::*;

/// Scripts by path: exit code, standard output, milliseconds; one per attempt. Others succeed at once.
#[derive(Default)]
struct Given {
    scripts: HashMap<&'static str, VecDeque<(u8, &'static str, u64)>>,
    people: HashMap<&'static str, (Word, u64)>,
    signals: Vec<(&'static str, u64)>,
    child: Option<ChildGave>,
    /// What was asked of people.
    asked: Vec<String>,
}

impl Given {
    fn script(mut self, path: &'static str, attempts: &[(u8, &'static str, u64)]) -> Self {
        self.scripts.insert(path, attempts.iter().copied().collect());
        self
    }

    fn person(mut self, path: &'static str, word: Word, after_ms: u64) -> Self {
        self.people.insert(path, (word, after_ms));
        self
    }
}

fn eve() -> Actor {
    Actor::person("eve")
}

impl Outside for Given {
    fn work(&mut self, task: &Task) -> Option<Performed> {
        let (code, stdout, ms) = self.scripts.get_mut(&*task.path)?.pop_front()?;
        let Work::Script(script) = &task.work else { panic!("`{}` is no script", task.path) };
        let result = foresee::exited(script, code, stdout, "");
        Some(Performed { result, takes: Duration::from_millis(ms) })
    }

    fn person(&mut self, question: &Question<'_>) -> Option<Said> {
        self.asked.push(question.path.to_owned());
        let (word, ms) = self.people.get(question.path)?;
        Some(Said { by: eve(), word: word.clone(), after: Duration::from_millis(*ms), comment: None })
    }

    fn child(&mut self, child: &Child) -> ChildGave {
        self.child.clone().unwrap_or_else(|| ChildGave::completed([("of".to_owned(), json!(child.workflow))].into()))
    }

    fn signals(&mut self) -> Vec<Sent> {
        let sent = self.signals.iter().map(|(name, ms)| Sent {
            name: (*name).to_owned(),
            payload: json!({"by": "mail"}),
            by: eve(),
            after: Duration::from_millis(*ms),
        });
        sent.collect()
    }
}

fn program(yaml: &str) -> Program {
    let text = format!("name: sample\ndescription: A sample.\n{yaml}");
    let loaded = skep_definition::load::load(&text);
    assert!(loaded.is_usable(), "{text}\n{:#?}", loaded.problems);
    let workflow = loaded.workflow.expect("a usable text has a workflow");
    let plan = skep_definition::plan::plan(&workflow, &crate::catalogue::build());
    Program::new(plan.unwrap_or_else(|found| panic!("{text}\n{found:#?}"))).expect("a checked plan compiles")
}

fn run_within(yaml: &str, outside: &mut Given, bounds: Bounds) -> Run {
    let program = program(yaml);
    let start = start_of(&program, Map::new(), Map::new());
    simulate(&program, start, Timestamp(1_000_000), outside, bounds)
}

fn run(yaml: &str, outside: &mut Given) -> Run {
    run_within(yaml, outside, Bounds::default())
}

/// `completed after 30 ms: a b | undone: b a`.
fn told(run: &Run) -> String {
    let line = |paths: &[skep_model::ids::StepPath]| paths.iter().map(|path| format!(" {path}")).collect::<String>();
    let undone = if run.rollback.is_empty() { String::new() } else { format!(" | undone:{}", line(&run.rollback)) };
    format!("{} after {} ms:{}{undone}", run.status.as_str(), run.took.as_millis(), line(&run.path))
}

#[test]
fn a_sequence_takes_the_time_of_its_steps_and_gives_outputs() {
    let yaml = "
outputs: {sum: '${{ steps.c.outputs.sum }}'}
steps:
  - {id: a, run: 'exit 1'}
  - {id: skipped, if: '${{ steps.a.outputs.json.n > 5 }}', run: 'exit 1'}
  - {id: b, run: 'exit 1'}
  - {id: c, uses: set, with: {sum: '${{ steps.a.outputs.json.n + steps.b.outputs.json.n }}'}}";
    let mut given = Given::default().script("a", &[(0, "{\"n\": 2}", 40)]).script("b", &[(0, "{\"n\": 3}", 2)]);
    let run = run(yaml, &mut given);
    assert_eq!(told(&run), "completed after 42 ms: a b c");
    assert_eq!((&run.end, json!(run.outputs)), (&End::Over, json!({"sum": 5})));
    assert!(run.refused.is_empty());
}

#[test]
fn branches_take_the_longest_and_share_slots() {
    let yaml = "
steps:
  - id: both
    parallel:
      left: [{id: a, run: x}, {id: b, run: x}]
      right: [{id: c, run: x}]
  - {id: d, run: x}";
    let given = || Given::default().script("a", &[(0, "", 10)]).script("b", &[(0, "", 10)]).script("c", &[(0, "", 15)]);
    assert_eq!(told(&run(yaml, &mut given())), "completed after 20 ms: both a c b d");
    let bounds = Bounds { slots: 1, ..Bounds::default() };
    assert_eq!(told(&run_within(yaml, &mut given(), bounds)), "completed after 35 ms: both a c b d");
}

#[test]
fn a_branch_that_fails_stops_the_others() {
    let yaml = "
steps:
  - id: both
    parallel:
      left: [{id: a, run: x}]
      right: [{id: b, run: x}, {id: never, run: x}]";
    let mut given = Given::default().script("a", &[(4, "", 10)]).script("b", &[(0, "", 50)]);
    let run = run(yaml, &mut given);
    assert_eq!(told(&run), "failed after 10 ms: both a b");
    let program = program(yaml);
    let view = run.view(program.plan());
    assert_eq!(view.step("b").map(|step| step.status), Some(StepStatus::Cancelled));
    assert_eq!(run.failure.as_ref().and_then(|failure| failure.exit_code), Some(4));
}

#[test]
fn loops_give_a_path_per_round() {
    let yaml = "
steps:
  - {id: each, foreach: [1, 2], steps: [{id: a, run: x}]}
  - {id: on, while: '${{ index < 2 }}', steps: [{id: b, run: x}]}";
    let run = run(yaml, &mut Given::default());
    assert_eq!(told(&run), "completed after 0 ms: each each[0].a each[1].a on on[0].b on[1].b");
}

#[test]
fn a_failed_attempt_is_repeated_after_its_pause() {
    let yaml = "
steps:
  - {id: a, run: x, retry: {max_attempts: 3, delay: 1s, backoff: exponential, jitter: false}}";
    let mut given = Given::default().script("a", &[(1, "", 5), (1, "", 5), (0, "", 5)]);
    let recovered = run(yaml, &mut given);
    assert_eq!(told(&recovered), "completed after 3015 ms: a");
    let plan = program(yaml);
    assert_eq!(recovered.view(plan.plan()).step("a").map(|step| step.attempts), Some(3));
    let mut given = Given::default().script("a", &[(1, "", 5), (1, "", 5), (1, "", 5)]);
    assert_eq!(told(&run(yaml, &mut given)), "failed after 3015 ms: a");
}

#[test]
fn an_attempt_ends_at_its_timeout() {
    let yaml = "
steps:
  - {id: a, run: x, timeout: 2s, retry: {max_attempts: 2, delay: 1s, jitter: false}}
  - {id: b, uses: http, with: {url: 'http://192.0.2.1/'}, timeout: 1s}";
    let hours = 3 * 3_600_000;
    let run = run(yaml, &mut Given::default().script("a", &[(0, "", hours), (0, "", hours)]));
    assert_eq!(told(&run), "failed after 5000 ms: a");
    assert_eq!(run.failure.map(|failure| failure.kind), Some(Kind::Timeout));
}

#[test]
fn the_whole_execution_ends_at_its_timeout() {
    let yaml = "
timeout: 10s
steps:
  - {id: a, run: x}
finally:
  - {id: tidy, run: x}";
    let run = run(yaml, &mut Given::default().script("a", &[(0, "", 60_000)]));
    assert_eq!(told(&run), "failed after 10000 ms: a tidy");
}

#[test]
fn people_approve_reject_or_let_it_time_out() {
    let yaml = "
steps:
  - {id: gate, approval: {message: Sure?, timeout: 1h}}
  - {id: a, run: x, approve: before}";
    let mut given = Given::default().person("gate", Word::Yes, 250).person("a", Word::Yes, 10);
    assert_eq!(told(&run(yaml, &mut given)), "completed after 260 ms: gate a");
    assert_eq!(given.asked, ["gate", "a"]);
    let mut given = Given::default().person("gate", Word::No, 250);
    assert_eq!(told(&run(yaml, &mut given)), "failed after 250 ms: gate");
    assert_eq!(told(&run(yaml, &mut Given::default())), "failed after 3600000 ms: gate");
}

#[test]
fn a_form_is_filled_in() {
    let yaml = "
outputs: {who: '${{ steps.ask.outputs.host }}'}
steps:
  - {id: ask, input: {host: {type: text, required: true}}}";
    let values: Map<Value> = [("host".to_owned(), json!("db1"))].into();
    let filled = run(yaml, &mut Given::default().person("ask", Word::Values(values), 5));
    assert_eq!((told(&filled).as_str(), json!(filled.outputs)), ("completed after 5 ms: ask", json!({"who": "db1"})));
    let wrong = run(yaml, &mut Given::default().person("ask", Word::Yes, 5));
    assert_eq!(wrong.end, End::DeadEnd("form: ask".to_owned()));
    assert_eq!(wrong.refused.len(), 1, "a form without its required field is not taken");
}

#[test]
fn what_nobody_ends_is_a_dead_end() {
    for (steps, waits) in [
        ("  - {id: gate, approval: {message: Sure?}}", "decision: gate"),
        ("  - {id: pause, wait: {signal: paid}}", "signal paid: pause"),
        ("  - {id: a, run: x}\n  - {id: w, wait: {condition: \"${{ steps.a.status == 'failed' }}\"}}", "condition: w"),
    ] {
        let run = run(&format!("steps:\n{steps}"), &mut Given::default());
        assert_eq!(run.end, End::DeadEnd(waits.to_owned()));
        assert_eq!(run.status, Status::Running);
    }
}

#[test]
fn a_signal_ends_its_wait_also_if_it_comes_before() {
    let yaml = "
steps:
  - {id: a, run: x}
  - {id: pause, wait: {signal: paid, timeout: 1h}}";
    for (after_ms, expect) in [(700, "completed after 700 ms: a pause"), (5, "completed after 30 ms: a pause")] {
        let mut given = Given { signals: vec![("paid", after_ms)], ..Given::default() }.script("a", &[(0, "", 30)]);
        assert_eq!(told(&run(yaml, &mut given)), expect);
    }
    assert_eq!(told(&run(yaml, &mut Given::default())), "failed after 3600000 ms: a pause");
}

#[test]
fn time_passes_by_itself() {
    let yaml = "steps:\n  - {id: nap, wait: 36h}\n  - {id: a, run: x}";
    assert_eq!(told(&run(yaml, &mut Given::default())), "completed after 129600000 ms: nap a");
}

#[test]
fn children_end_as_they_are_given_or_are_simulated_themselves() {
    let yaml = "
outputs: {of: '${{ steps.sub.outputs.of }}'}
steps:
  - {id: sub, workflow: {name: other, inputs: {}}}
  - {id: a, run: x}";
    let done = run(yaml, &mut Given::default());
    assert_eq!((told(&done).as_str(), &done.outputs["of"]), ("completed after 0 ms: sub a", &json!("other")));

    let inner = run("steps:\n  - {id: i, run: x}", &mut Given::default().script("i", &[(1, "", 90)]));
    let mut given = Given { child: Some(inner.as_child()), ..Given::default() };
    let failed = run(yaml, &mut given);
    assert_eq!(told(&failed), "failed after 90 ms: sub");
}

#[test]
fn what_was_done_is_undone_from_the_end() {
    let yaml = "
rollback: {strategy: graceful}
steps:
  - {id: a, run: x, rollback: {run: undo}}
  - {id: b, run: x}
  - {id: c, run: x, rollback: {run: undo}}
  - {id: d, run: x, on_error: {strategy: compensate, compensation_step: clear}}
  - {id: clear, run: x}";
    let mut given = Given::default().script("d", &[(1, "", 5)]).script("c.rollback", &[(0, "", 20)]);
    let run = run(yaml, &mut given);
    assert_eq!(told(&run), "rolled_back after 25 ms: a b c d | undone: clear c a");
    assert_eq!(run.failure.and_then(|failure| failure.step.clone()).as_deref(), Some("d"));
}

#[test]
fn an_undo_by_hand_is_asked_for_step_by_step() {
    let yaml = "
rollback: {strategy: manual}
steps:
  - {id: a, run: x, rollback: {run: undo}}
  - {id: d, run: x, on_error: compensate}";
    let given = || Given::default().script("d", &[(1, "", 0)]);
    let stands = run(yaml, &mut given());
    assert!(matches!(&stands.end, End::DeadEnd(what) if what.starts_with("held:")), "{:?}", stands.end);
    let undone = run(yaml, &mut given().person("a", Word::Yes, 60_000));
    assert_eq!((undone.status, undone.took), (Status::RolledBack, Duration::from_secs(60)));
}

#[test]
fn a_bound_ends_what_never_ends_by_itself() {
    let forever = "steps:\n  - {id: on, while: 'true', max_iterations: 10000, steps: [{id: a, run: x}]}";
    let few = Bounds { messages: 500, ..Bounds::default() };
    let run = run_within(forever, &mut Given::default(), few);
    assert_eq!(run.end, End::Unfinished(Bound::Messages));
    let long = Bounds { time: Duration::from_secs(60), ..Bounds::default() };
    let run = run_within("steps:\n  - {id: nap, wait: 2h}", &mut Given::default(), long);
    assert_eq!((run.end, run.took), (End::Unfinished(Bound::Time), Duration::ZERO));
    let past = Bounds { deadline: Some(Instant::now()), ..Bounds::default() };
    assert_eq!(run_within(forever, &mut Given::default(), past).end, End::Unfinished(Bound::Patience));
}

#[test]
fn large_values_come_back_whole() {
    let yaml = "
outputs: {length: '${{ steps.b.outputs.length }}', text: '${{ steps.a.outputs.value }}'}
steps:
  - {id: a, uses: set, with: {value: '${{ steps.long.outputs.stdout }}'}}
  - {id: b, uses: set, with: {length: '${{ steps.a.outputs.value | length }}'}}";
    let yaml = yaml.replace("steps:\n", "steps:\n  - {id: long, run: x}\n");
    let text: &'static str = "y".repeat(200_000).leak();
    let run = run(&yaml, &mut Given::default().script("long", &[(0, text, 0)]));
    assert_eq!(run.outputs["length"], 200_000, "{:?}", run.failure);
    assert_eq!(run.outputs["text"].as_str(), Some(text));
}

/// Every kind of work that touches something, beside a folder and a port that would show it.
#[test]
fn nothing_is_executed_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    port.set_nonblocking(true).unwrap();
    let yaml = format!(
        "
steps:
  - {{id: script, run: 'touch {folder}/script'}}
  - {{id: file, uses: file, with: {{operation: write, path: '{folder}/file', content: x}}, rollback: {{run: 'touch {folder}/undo'}}}}
  - {{id: sql, uses: sql, with: {{database: '{folder}/db', query: 'create table t (a)'}}}}
  - {{id: http, uses: http, with: {{url: 'http://{address}/'}}}}
  - {{id: fails, run: 'touch {folder}/fails', on_error: compensate}}",
        folder = folder.path().display(),
        address = port.local_addr().unwrap(),
    );
    let run = run(&yaml, &mut Given::default().script("fails", &[(1, "", 0)]));
    assert_eq!(told(&run), "rolled_back after 0 ms: script file sql http fails | undone: file");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was made");
    assert_eq!(port.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody connected");
    if let Ok(children) = std::fs::read_to_string("/proc/thread-self/children") {
        assert_eq!(children, "", "this thread started a process");
    }
}

#[test]
fn the_same_outside_gives_the_same_run() {
    let yaml = "
steps:
  - {id: a, run: x, retry: {max_attempts: 3, delay: 1s}}
  - {id: b, run: x, timeout: 1s}";
    let given = || Given::default().script("a", &[(1, "", 7), (0, "", 3)]).script("b", &[(0, "", 5_000)]);
    let (first, second) = (run(yaml, &mut given()), run(yaml, &mut given()));
    assert_eq!(first.turns, second.turns);
    assert!(first.state == second.state);
}

#[test]
fn a_failure_that_is_given_reaches_the_retry_rules() {
    struct Permanent;
    impl Outside for Permanent {
        fn work(&mut self, _: &Task) -> Option<Performed> {
            let failure = Failure::new(Kind::Permission, "SKEP-R001", "no");
            let result = Ended::Failed { failure, outputs: Map::new() };
            Some(Performed { result, takes: Duration::ZERO })
        }
    }
    let program = program("steps:\n  - {id: a, run: x, retry: {max_attempts: 5}}");
    let start = start_of(&program, Map::new(), Map::new());
    let run = simulate(&program, start, Timestamp(0), &mut Permanent, Bounds::default());
    assert_eq!(run.view(program.plan()).step("a").map(|step| step.attempts), Some(1));
}
