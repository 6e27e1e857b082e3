//! Frames, and what happens when one of the two sides dies. The rest of the spawner is tested through the runner.

use skep_model::effect::Work;
use skep_model::error::Kind;
use skep_model::outcome::Ended;

use super::wire::{Born, ExecError, Notice, Order, Received, Reply, Stage};
use crate::kill::is_alive;
use crate::tests::{World, failure, outputs, task, wait_for};

#[test]
fn frames_come_back_as_they_went() {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let order = Order {
        program: "/bin/sh".into(),
        directory: "/é".into(),
        argv: texts(&["sh", ""]),
        environment: texts(&["A=1"]),
    };
    let frame = order.to_frame();
    let read = Received::parse(&frame[4..]).unwrap();
    assert_eq!((read.program, read.directory), (c"/bin/sh", c"/é"));
    assert_eq!((read.argv, read.environment), (vec![c"sh", c""], vec![c"A=1"]));
    assert!(Received::parse(&frame[4..frame.len() - 1]).is_none());

    for child in [Ok(Born { pid: 4, started_ticks: 5 }), Err(11)] {
        let reply = Reply { serial: 3, child };
        assert_eq!(Reply::from_bytes(&reply.to_bytes()), reply);
    }
    let notice = Notice { serial: 9, status: 256, leftovers: true };
    assert_eq!(Notice::from_bytes(&notice.to_bytes()), notice);
    for stage in [Stage::Directory, Stage::Program] {
        let error = ExecError { stage, errno: 2 };
        assert_eq!(ExecError::from_bytes(&error.to_bytes()), error);
    }
}

#[test]
fn only_the_first_argument_asks_for_the_helper() {
    assert!(super::is_requested(["skep", "__spawner"]));
    assert!(!super::is_requested(["skep", "run", "__spawner"]));
    assert!(!super::is_requested(["__spawner"]));
}

#[test]
fn when_the_spawner_dies_its_scripts_are_lost_and_the_next_gets_another() {
    let world = World::new();
    let script = "echo $$ > pid.new; mv pid.new pid; kill -9 $PPID; sleep 1000";
    let lost = failure(world.run(task("step", Work::Script(world.script(script)))));
    assert_eq!((lost.kind, lost.code.as_str()), (Kind::Crash, "SKEP-R014"));
    assert!(!is_alive(wait_for(&world.path("pid")).parse().unwrap()));
    assert_eq!(outputs(world.run_script(world.script("echo again")))["stdout"], "again");
}

#[test]
fn a_child_that_was_killed_while_it_waited_is_passed_over() {
    let world = World::new();
    // Who else the spawner has are those that wait. They are gone from /proc when the spawner has reaped them.
    let script = "for p in $(cat /proc/$PPID/task/$PPID/children); do [ $p = $$ ] && continue; kill -9 $p; \
                  echo $p; while kill -0 $p 2> /dev/null; do :; done; done";
    let killed = outputs(world.run_script(world.script(script)));
    assert_ne!(killed["stdout"], "");
    for _ in 0..3 {
        assert_eq!(outputs(world.run_script(world.script("echo again")))["stdout"], "again");
    }
}

#[test]
fn when_the_owner_goes_the_spawner_kills_everything() {
    let world = World::new();
    let script = "( env -i setsid bash -c 'trap \"\" TERM; echo $$; while :; do read -t 1000 < <(:) || :; done' > pid & ) \n sleep 1000";
    world.runner.perform(task("step", Work::Script(world.script(script))), None);
    let daemon = wait_for(&world.path("pid")).parse().unwrap();
    assert!(is_alive(daemon));
    drop(world.runner);
    assert!(!is_alive(daemon));
}

#[test]
fn a_spawner_that_cannot_start_is_an_error_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, outcomes) = std::sync::mpsc::channel();
    let config = crate::Config {
        runtime_dir: folder.path().to_owned(),
        spawner_program: Some("/nonsuch/skep".into()),
        ..crate::Config::default()
    };
    struct Nothing;
    impl crate::Sink for Nothing {
        fn lines(&self, _: &skep_model::effect::Task, _: &[crate::LogLine]) {}
    }
    let done = Box::new(move |_, outcome: skep_model::outcome::Outcome| sender.send(outcome.result).unwrap());
    let runner = crate::Runner::start(config, std::sync::Arc::new(Nothing), done).unwrap();
    runner.perform(task("step", Work::Script(World::new().script("true"))), None);
    let ended: Ended = outcomes.recv().unwrap();
    assert_eq!(failure(ended).code, "SKEP-R001");
}
