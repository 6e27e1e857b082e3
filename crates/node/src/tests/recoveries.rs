//! Owners that were started to go on with some of what was under way, or with nothing.

use skep_model::message::{Decision, Message};
use skep_model::status::Execution as Status;
use skep_store::Reader;

use super::world::{World, message_to, signal};
use super::*;
use crate::driver::Input;
use crate::{Recovered, Recovery};

const HANGS: &str = "steps: [{id: a, uses: log, with: {message: x}}, {id: z, uses: noop}]";
const SLEEPS: &str = "steps: [{id: nap, wait: {for: 1m}}, {id: z, uses: noop}]";
const LISTENS: &str = "steps: [{id: go, wait: {signal: go}}, {id: z, uses: noop}]";

/// A driver that leaves alone what its store has.
fn asking(world: World) -> World {
    let mut world = world.crash();
    let open = world.outside.store.open_executions(None, 100).unwrap();
    let (reply, mut left) = tokio::sync::oneshot::channel();
    world.give(vec![Input::Leave(open.into_iter().map(|row| row.local).collect(), reply)]);
    left.try_recv().unwrap();
    assert_eq!(world.recover_idle(), 0);
    world
}

#[test]
fn what_is_left_alone_does_not_move_by_timers_signals_or_answers() {
    let mut world = World::new(8);
    let (hangs, sleeps, listens) = (world.start(HANGS), world.start(SLEEPS), world.start(LISTENS));
    let mut world = asking(world);
    let before: Vec<_> = [hangs, sleeps, listens].map(|local| world.journal(local)).into();
    world.pass_ms(3_600_000);
    world.tell(listens, signal("go", json!(7))).unwrap().unwrap();
    world.tell(listens, signal("go", json!(8))).unwrap().unwrap();
    let decision = Decision { path: None, actor: ada(), comment: None };
    let refused = world.tell(listens, Message::Approve(decision)).unwrap().unwrap_err();
    assert!(refused.to_string().contains("skep resume execution-"), "{refused}");
    world.pass_ms(3_600_000);
    assert_eq!((world.journal(hangs), world.journal(sleeps)), (before[0].clone(), before[1].clone()));
    let journal = world.journal(listens);
    assert_eq!(journal.len(), before[2].len() + 2, "{journal:#?}");
    assert_eq!((world.in_memory(), world.watcher.summary(listens)), (0, None));
    assert!(world.watcher.is_left(listens) && world.status(listens) == Status::Running);
    let fresh = world.start(SLEEPS);
    world.pass_ms(61_000);
    assert_eq!(world.status(fresh), Status::Completed, "new executions run as usual");

    for local in [sleeps, listens] {
        world.tell(local, Message::Resume { actor: ada() }).unwrap().unwrap();
        assert_eq!((world.status(local), world.watcher.is_left(local)), (Status::Completed, false));
    }
    assert!(world.journal(listens).iter().any(|turn| turn.contains("signal_taken")), "{:#?}", world.journal(listens));
    world.tell(hangs, Message::Resume { actor: ada() }).unwrap().unwrap();
    assert!(world.journal(hangs).last().unwrap().contains("redelivered"), "{:#?}", world.journal(hangs));
}

#[test]
fn a_signal_that_is_on_its_way_when_somebody_resumes_is_taken() {
    let mut world = World::new(8);
    let listens = world.start(LISTENS);
    let mut world = asking(world);
    world.hold(true);
    let (kept, _first) = message_to(listens, signal("go", json!(7)));
    let (resumed, _second) = message_to(listens, Message::Resume { actor: ada() });
    world.give(vec![kept]);
    world.give(vec![resumed]);
    world.hold(false);
    assert_eq!(world.status(listens), Status::Completed, "{:#?}", world.journal(listens));
}

#[test]
fn a_signal_whose_commit_fails_is_refused_and_leaves_nothing() {
    let mut world = World::new(8);
    let listens = world.start(LISTENS);
    let mut world = asking(world);
    world.hold(true);
    let (kept, mut answer) = message_to(listens, signal("go", json!(7)));
    world.give(vec![kept]);
    world.lose_first();
    world.settle();
    assert!(answer.try_recv().unwrap().is_err());
    assert_eq!((world.in_memory(), world.journal(listens).len()), (0, 1));
    world.tell(listens, signal("go", json!(8))).unwrap().unwrap();
    world.tell(listens, Message::Resume { actor: ada() }).unwrap().unwrap();
    assert_eq!(world.status(listens), Status::Completed);
}

/// Leaves executions under way: one that sleeps, one that asks.
fn interrupted(directory: &std::path::Path) -> [ExecutionId; 2] {
    let node = open(directory);
    let sleeps = node.start(request(&format!("name: naps\ndescription: Sleeps.\n{SLEEPS_AN_HOUR}"))).unwrap().execution;
    let asks = node.start(request(GATE)).unwrap().execution;
    settle(&node, &asks);
    node.close();
    [sleeps, asks]
}

const SLEEPS_AN_HOUR: &str = "steps: [{id: nap, wait: {for: 1h}}, {id: z, uses: noop}]";

#[test]
fn a_node_goes_on_with_all_or_nothing_or_what_the_rule_says() {
    let directory = tempfile::tempdir().unwrap();
    let [sleeps, asks] = interrupted(directory.path());
    let node = open(directory.path());
    let now = crate::clock::now();
    assert_eq!(node.recover_as(Some(Recovery::Ask), now).unwrap(), Recovered { taken_on: 0, left: 2 });
    let is_left = |node: &Node, id: &ExecutionId| node.watcher().is_left(node.local_of(id).unwrap());
    assert!(is_left(&node, &sleeps) && is_left(&node, &asks));
    assert_eq!(node.settled(&sleeps).unwrap(), None);
    let orphans = node.recover(now).unwrap();
    assert_eq!(orphans.len(), 1, "{orphans:?}");
    assert!(!is_left(&node, &sleeps) && is_left(&node, &asks), "what asks a person is no orphan");
    node.resume(asks.as_str(), ada()).unwrap();
    assert!(!is_left(&node, &asks) && node.settled(&asks).unwrap().is_some());
    node.close();

    let node = open(directory.path());
    assert_eq!(node.recover_as(None, now).unwrap(), Recovered { taken_on: 2, left: 0 }, "`always` is the default");
    node.close();
    let node = open(directory.path());
    let tomorrow = now.plus_ms(25 * 3_600 * 1_000);
    assert_eq!(node.recover_as(Some(Recovery::Rule), now).unwrap(), Recovered { taken_on: 2, left: 0 });
    node.close();
    std::fs::write(Config::path(directory.path()), "recovery = \"rule\"\n").unwrap();
    let node = open_with(directory.path(), Config::load(directory.path()).unwrap());
    assert_eq!(node.recover_as(None, tomorrow).unwrap(), Recovered { taken_on: 1, left: 1 });
    assert!(is_left(&node, &sleeps) && !is_left(&node, &asks));
    node.close();
}

#[test]
fn a_word_that_is_no_recovery_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(Config::path(directory.path()), "recovery = \"never\"\n").unwrap();
    let refused = Config::load(directory.path()).unwrap_err().to_string();
    assert!(refused.contains("config.toml") && refused.contains("always, rule, ask"), "{refused}");
}
