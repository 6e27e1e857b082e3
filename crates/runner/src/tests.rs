//! The runner as a whole: scripts through a real spawner, actions through the front. Other test modules use
//! [`World`] too.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::effect::{Script, Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::ids::{ExecutionId, StepPath, Token};
use skep_model::outcome::{Ended, Outcome};

use crate::{Config, LogLine, Runner, Sink, Stream};

/// A hanging test ends here; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runner with everything that it tells.
pub(crate) struct World {
    pub runner: Runner,
    outcomes: Receiver<Outcome>,
    lines: Arc<Lines>,
    pub folder: tempfile::TempDir,
}

#[derive(Default)]
struct Lines(Mutex<Vec<(StepPath, Stream, String)>>);

impl Sink for Lines {
    fn lines(&self, task: &Task, lines: &[LogLine]) {
        let mut all = self.0.lock().unwrap();
        for line in lines {
            all.push((task.path.clone(), line.stream, String::from_utf8_lossy(&line.bytes).into_owned()));
        }
    }
}

/// The example `spawner`, which cargo builds beside the tests.
pub(crate) fn spawner_program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples/spawner");
    assert!(program.exists(), "build it first: cargo build -p skep-runner --example spawner");
    program
}

impl World {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, outcomes) = channel();
        let lines = Arc::new(Lines::default());
        let config =
            Config { runtime_dir: folder.path().join("runtime"), spawner_program: Some(spawner_program()), ..config };
        let done = Box::new(move |_: ExecutionId, outcome| sender.send(outcome).unwrap());
        let runner = Runner::start(config, Arc::clone(&lines) as Arc<dyn Sink>, done).unwrap();
        Self { runner, outcomes, lines, folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn script(&self, text: &str) -> Script {
        let path = std::env::var("PATH").unwrap();
        Script {
            shell: "bash".into(),
            text: text.into(),
            values: Map::new(),
            env: Map::from_iter([("PATH".to_owned(), path)]),
            working_dir: self.folder.path().to_string_lossy().into_owned(),
            inputs: json!({"n": 1}),
        }
    }

    pub fn action(&self, name: &str, with: Value) -> Task {
        let base_dir = self.folder.path().to_string_lossy().into_owned();
        task("step", Work::Action { name: name.into(), with, base_dir: base_dir.into() })
    }

    pub fn next(&self) -> Outcome {
        self.outcomes.recv_timeout(PATIENCE).expect("an outcome comes")
    }

    /// Performs one task to its end.
    pub fn run(&self, task: Task) -> Ended {
        self.runner.perform(task, None);
        self.next().result
    }

    pub fn run_script(&self, script: Script) -> Ended {
        self.run(task("step", Work::Script(script)))
    }

    pub fn run_action(&self, name: &str, with: Value) -> Ended {
        self.run(self.action(name, with))
    }

    fn log(&self) -> Vec<String> {
        let lines = self.lines.0.lock().unwrap();
        lines.iter().map(|(path, stream, text)| format!("{path} {stream:?} {text}")).collect()
    }
}

/// A task with a token that no other test has.
pub(crate) fn task(path: &str, work: Work) -> Task {
    static SERIAL: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    let serial = SERIAL.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let execution = ExecutionId::new(format!("test-{}", std::process::id()));
    Task {
        path: path.into(),
        generation: 1,
        attempt: 2,
        delivery: serial,
        token: Token::derive(&execution, path, 1, serial),
        timeout_ms: None,
        policy: "none".into(),
        work,
        priority: Default::default(),
        execution,
    }
}

pub(crate) fn outputs(ended: Ended) -> Map<Value> {
    match ended {
        Ended::Succeeded(outputs) => outputs,
        other => panic!("it should have succeeded: {other:?}"),
    }
}

pub(crate) fn failure(ended: Ended) -> Failure {
    match ended {
        Ended::Failed { failure, .. } => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}

/// Waits until a script has written the file, and gives its text.
pub(crate) fn wait_for(path: &Path) -> String {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = std::fs::read_to_string(path)
            && text.ends_with('\n')
        {
            return text.trim().to_owned();
        }
        assert!(std::time::Instant::now() < end, "{} was not written", path.display());
        std::thread::yield_now();
    }
}

fn stdout(world: &World, text: &str) -> String {
    outputs(world.run_script(world.script(text)))["stdout"].as_str().unwrap().to_owned()
}

#[test]
fn a_script_gives_its_streams_its_code_and_its_json() {
    let world = World::new();
    let given = outputs(world.run_script(world.script("echo '{\"a\": [1]}'; echo warn >&2; printf half >&2")));
    assert_eq!(given["json"], json!({"a": [1]}));
    assert_eq!(given["stdout"], json!("{\"a\": [1]}"));
    assert_eq!(given["stderr"], json!("warn\nhalf"));
    assert_eq!(given["exit_code"], json!(0));
    let mut log = world.log();
    log.sort();
    assert_eq!(log, ["step Err half", "step Err warn", "step Out {\"a\": [1]}"]);
}

#[test]
fn only_one_final_newline_goes_and_broken_utf8_is_marked() {
    let world = World::new();
    assert_eq!(stdout(&world, r"printf 'a\n\n'"), "a\n");
    assert_eq!(stdout(&world, r"printf 'a\xffb'"), "a\u{fffd}b");
    assert_eq!(stdout(&world, "true"), "");
}

#[test]
fn the_environment_is_exactly_what_was_given() {
    let world = World::new();
    let mut script = world.script("env | sort | cut -d= -f1; cat $SKEP_INPUTS; pwd; cat");
    script.values = Map::from_iter([("SKEP_V1".to_owned(), "x".to_owned())]);
    let given = outputs(world.run_script(script))["stdout"].as_str().unwrap().to_owned();
    let folder = world.folder.path().to_str().unwrap();
    insta::assert_snapshot!(given.replace(folder, "FOLDER"), @r#"
    PATH
    PWD
    SHLVL
    SKEP_ATTEMPT
    SKEP_DELIVERY_TOKEN
    SKEP_EXECUTION_ID
    SKEP_IDEMPOTENCY_KEY
    SKEP_INPUTS
    SKEP_STEP
    SKEP_V1
    _
    {"n":1}FOLDER
    "#);
    assert!(std::fs::read_dir(world.path("runtime")).unwrap().next().is_none(), "the scratch folder is gone");
}

#[test]
fn a_script_starts_with_default_signals_and_no_foreign_descriptor() {
    let world = World::new();
    let given = stdout(&world, "ls /proc/self/fd | wc -l; grep -E '^Sig(Blk|Ign)' /proc/self/status");
    // ls itself has its three streams and the folder that it lists.
    insta::assert_snapshot!(given, @"
    4
    SigBlk:	0000000000000000
    SigIgn:	0000000000000000
    ");
}

#[test]
fn values_of_every_size_keep_every_byte() {
    let world = World::new();
    for size in [10, 64 * 1024 + 1, 3 * 1024 * 1024] {
        for shell in ["bash", "sh"] {
            let value = format!("{}'\"$x`\\é\n\n\n", "a".repeat(size));
            let mut script = world.script("printf '%s' \"${SKEP_V1}\" > got; /bin/true");
            script.shell = shell.into();
            script.values = Map::from_iter([("SKEP_V1".to_owned(), value.clone())]);
            outputs(world.run_script(script));
            assert!(std::fs::read_to_string(world.path("got")).unwrap() == value, "{shell} {size}");
        }
    }
}

#[test]
fn many_values_that_are_too_much_together_still_arrive() {
    let world = World::new();
    let mut script = world.script("echo \"${#SKEP_V0} ${#SKEP_V49}\"");
    script.values = (0..50).map(|index| (format!("SKEP_V{index}"), "v".repeat(60_000))).collect();
    assert_eq!(outputs(world.run_script(script))["stdout"], json!("60000 60000"));
}

#[test]
fn a_long_text_goes_through_a_file() {
    let world = World::new();
    let text = format!("# {}\nfalse | true\necho unreached", "x".repeat(200 * 1024));
    assert_eq!(failure(world.run_script(world.script(&text))).exit_code, Some(1));
}

#[test]
fn other_interpreters_get_a_file() {
    let world = World::new();
    let check = |shell: &str, text: &str, expect: &str| {
        let script = Script { shell: shell.into(), ..world.script(text) };
        assert_eq!(outputs(world.run_script(script))["stdout"], json!(expect), "{shell}");
    };
    check("python", "import json, os; print(json.load(open(os.environ['SKEP_INPUTS']))['n'] + 1)", "2");
    check("/bin/cat", "itself", "itself");
    std::fs::write(world.path("tool"), "#!/bin/sh\ncat \"$1\"").unwrap();
    std::fs::set_permissions(world.path("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    check("./tool", "local", "local");
}

#[test]
fn failures_say_what_happened() {
    let world = World::new();
    let check = |text: &str, change: fn(&mut Script), kind: Kind, code: &str, words: &str| {
        let mut script = world.script(text);
        change(&mut script);
        let failure = failure(world.run_script(script));
        let said = format!("{} {}", failure.message, failure.hint.as_deref().unwrap_or_default());
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{said}");
        assert!(said.contains(words), "{said:?} should contain {words:?}");
        assert_eq!(failure.step.as_deref(), Some("step"));
    };
    check("echo no >&2; exit 3", |_| (), Kind::Exit, "SKEP-R003", "code 3: no");
    check("false | cat", |_| (), Kind::Exit, "SKEP-R003", "code 1");
    check("nonsuch_command", |_| (), Kind::Exit, "SKEP-R003", "code 127: a command was not found in PATH=");
    check("touch f; ./f", |_| (), Kind::Exit, "SKEP-R003", "chmod +x");
    check("kill -SEGV $$", |_| (), Kind::Crash, "SKEP-R004", "signal 11");
    check("x", |script| script.shell = "nonsuch".into(), Kind::NotFound, "SKEP-R002", "install `nonsuch`");
    check("x", |script| script.working_dir.push_str("/gone"), Kind::NotFound, "SKEP-R006", "/gone");
    check("x", |script| script.shell = "./inputs".into(), Kind::NotFound, "SKEP-R002", "./inputs");
    check("x", |script| script.shell = "/etc/passwd".into(), Kind::Permission, "SKEP-R009", "chmod +x");
    let nul = |script: &mut Script| script.values = Map::from_iter([("SKEP_V1".to_owned(), "a\0".to_owned())]);
    check("x", nul, Kind::Invalid, "SKEP-R007", "NUL");
    let long = |script: &mut Script| script.env = Map::from_iter([("LONG".to_owned(), "a".repeat(1 << 18))]);
    check("x", long, Kind::Invalid, "SKEP-R007", "128 KiB");
    let much = |script: &mut Script| {
        script.env.extend((0..40).map(|index| (format!("A{index}"), "a".repeat(100_000))));
    };
    check("x", much, Kind::Invalid, "SKEP-R007", "$SKEP_INPUTS");
}

#[test]
fn a_policy_is_never_ignored() {
    let world = World::new();
    let mut task = task("step", Work::Script(world.script("touch ran")));
    task.policy = "strict".into();
    assert_eq!(failure(world.run(task)).kind, Kind::Sandbox);
    assert!(!world.path("ran").exists());
}

#[test]
fn a_dropped_child_never_executes_and_a_released_one_does() {
    let world = World::new();
    let tasks: Vec<Task> =
        ["one", "two"].map(|name| task(name, Work::Script(world.script(&format!("touch {name}"))))).into();
    let mut prepared = world.runner.prepare(&tasks.iter().collect::<Vec<_>>());
    let (two, one) = (prepared.pop().unwrap().unwrap(), prepared.pop().unwrap().unwrap());
    assert_eq!(crate::kill::started_ticks(one.identity.pid), Some(one.identity.started_ticks));
    let dropped = one.identity.pid;
    drop(one);
    world.runner.perform(tasks[1].clone(), Some(two));
    assert!(matches!(world.next().result, Ended::Succeeded(_)));
    assert!(world.path("two").exists() && !world.path("one").exists());
    while crate::kill::started_ticks(dropped).is_some() {
        std::thread::yield_now();
    }
    assert!(!world.path("one").exists());
}

#[test]
fn many_scripts_run_at_once() {
    let world = World::new();
    let tasks: Vec<Task> = (0..100).map(|_| task("step", Work::Script(world.script("echo $$")))).collect();
    let prepared = world.runner.prepare(&tasks.iter().collect::<Vec<_>>());
    for (task, prepared) in tasks.iter().zip(prepared) {
        world.runner.perform(task.clone(), Some(prepared.unwrap()));
    }
    let mut pids: Vec<String> = tasks.iter().map(|_| outputs(world.next().result)["stdout"].to_string()).collect();
    pids.sort();
    pids.dedup();
    assert_eq!(pids.len(), 100);
}

#[test]
fn output_past_the_limits_is_cut_and_counted() {
    let world = World::new();
    let given = outputs(world.run_script(world.script("head -c 17000000 /dev/zero | tr '\\0' a")));
    assert_eq!(given["stdout"].as_str().unwrap().len(), skep_model::limits::CAPTURE_BYTES_MAX);
    assert_eq!(given["json"], Value::Null);
    assert_eq!(
        world.log().pop().unwrap(),
        "step System the output `stdout` ends after 16777216 bytes; 222784 bytes more were printed"
    );
}

#[test]
fn a_timeout_keeps_what_was_printed() {
    let world = World::new();
    let mut task = task("step", Work::Script(world.script("echo before; sleep 1000")));
    task.timeout_ms = Some(300);
    match world.run(task) {
        Ended::Failed { failure, outputs } => {
            assert_eq!((failure.kind, failure.code.as_str()), (Kind::Timeout, "SKEP-R005"));
            assert_eq!((&outputs["stdout"], &outputs["exit_code"]), (&json!("before"), &Value::Null));
        }
        other => panic!("it should have timed out: {other:?}"),
    }
}

#[test]
fn an_abort_stops_a_script() {
    let world = World::new();
    let task = task("step", Work::Script(world.script("echo $$ > pid; sleep 1000")));
    world.runner.perform(task.clone(), None);
    let pid = wait_for(&world.path("pid")).parse().unwrap();
    world.runner.abort(&task.token);
    world.runner.abort(&task.token);
    assert_eq!(world.next().result, Ended::Aborted);
    assert_eq!(crate::kill::started_ticks(pid), None);
}

#[test]
fn shutdown_gives_every_task_its_outcome() {
    let world = World::new();
    let task = task("step", Work::Script(world.script("trap '' TERM; echo $$ > pid; while :; do sleep 1000; done")));
    world.runner.perform(task, None);
    let pid = wait_for(&world.path("pid")).parse().unwrap();
    world.runner.shutdown(PATIENCE);
    assert_eq!(world.outcomes.try_recv().unwrap().result, Ended::Aborted);
    assert_eq!(crate::kill::started_ticks(pid), None);
}

#[test]
fn simple_actions_answer_at_once() {
    let world = World::new();
    assert_eq!(outputs(world.run_action("noop", Value::Null)), Map::<Value>::new());
    let given = outputs(world.run_action("set", json!({"a": [1], "b": null})));
    assert_eq!(given, Map::from_iter([("a".to_owned(), json!([1])), ("b".to_owned(), Value::Null)]));
    outputs(world.run_action("log", json!({"message": "two\nlines", "level": "warning"})));
    assert_eq!(world.log(), ["step System warning: two", "step System warning: lines"]);
    assert_eq!(failure(world.run_action("log", json!({"text": 1}))).code, "SKEP-R011");
    let missing = failure(world.run_action("nope", Value::Null));
    assert_eq!(missing.code, "SKEP-R010");
    assert_eq!(missing.hint.clone().unwrap(), "it has: email, file, http, log, noop, set, sql");
}

#[test]
fn the_catalogue_describes_every_action() {
    let actions = crate::catalogue_actions();
    let names: Vec<&str> = actions.keys().map(String::as_str).collect();
    assert_eq!(names, ["email", "file", "http", "log", "noop", "set", "sql"]);
    for (name, action) in &actions {
        assert_eq!(action.schema["type"], "object", "{name}");
        assert!(!action.summary.is_empty() && !action.summary.ends_with('.'), "{name}");
    }
}

#[test]
fn a_panic_is_an_outcome() {
    struct Broken;
    impl Sink for Broken {
        fn lines(&self, _: &Task, _: &[LogLine]) {
            panic!("this test's sink breaks, and that is fine");
        }
    }
    let world = World::new();
    let (sender, outcomes) = channel();
    let config =
        Config { runtime_dir: world.path("other"), spawner_program: Some(spawner_program()), ..Config::default() };
    let done = Box::new(move |_: ExecutionId, outcome: Outcome| sender.send(outcome.result).unwrap());
    let runner = Runner::start(config, Arc::new(Broken), done).unwrap();
    runner.perform(world.action("log", json!({"message": "x"})), None);
    assert_eq!(failure(outcomes.recv().unwrap()).kind, Kind::Bug);
    runner.perform(task("step", Work::Script(world.script("echo x"))), None);
    assert_eq!(failure(outcomes.recv_timeout(PATIENCE).unwrap()).kind, Kind::Bug);
}

#[test]
fn a_start_removes_only_the_scratch_folders_of_a_dead_owner() {
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("0123456789abcdef0123456789abcdef");
    for path in [&stale, &folder.path().join("other")] {
        std::fs::create_dir_all(path.join("inner")).unwrap();
    }
    let config = Config { runtime_dir: folder.path().to_owned(), ..Config::default() };
    let runner = Runner::start(config, Arc::new(Lines::default()), Box::new(|_, _| ())).unwrap();
    runner.shutdown(PATIENCE);
    assert!(!stale.exists() && folder.path().join("other/inner").exists());
}
