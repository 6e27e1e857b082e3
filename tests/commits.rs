//! A script costs one commit: its result and the start of the next step are one transaction.

use std::path::PathBuf;

use skep_model::Map;
use skep_model::actor::Actor;
use skep_node::config::Config;
use skep_node::service::{Source, StartRequest};
use skep_node::{Node, Settings};

use crate::support::place::{Place, SKEP};
use crate::support::wait;

const SCRIPTS: u64 = 40;
/// The start; its first script is scheduled in the same commit, and the end stands in the last one's.
const BESIDE_SCRIPTS: u64 = 1;

fn definition() -> String {
    let steps: String =
        (0..SCRIPTS).map(|step| format!("  - {{id: s{step}, run: 'echo {step} >> order'}}\n")).collect();
    format!("name: list\ndescription: A list of scripts.\ndefaults: {{shell: sh}}\nsteps:\n{steps}")
}

/// Runs a definition to its end on a node of its own and gives what it committed.
fn committed_by(place: &Place, text: String) -> skep_node::Stats {
    let settings =
        Settings { data_dir: place.data().to_owned(), config: Config::default(), spawner: Some(PathBuf::from(SKEP)) };
    let node = Node::open(settings).expect("the place is new");
    let request = StartRequest {
        source: Source::Text { text, file: None },
        inputs: Map::new(),
        arguments: Vec::new(),
        base_dir: Some(place.work().to_string_lossy().into_owned()),
        environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into_iter().collect(),
        actor: Actor::person("ada"),
        idempotency_key: None,
        event: serde_json::Value::Null,
        choices: Default::default(),
    };
    let execution = node.start(request).expect("the definition is valid").execution;
    wait::until("the list to end", wait::SOON, || {
        node.settled(&execution).expect("the store reads").filter(|summary| summary.is_settled())
    });
    let answer = node.reading().status(execution.as_str(), false).expect("the store reads");
    assert_eq!(answer["status"], "completed", "{answer:#}");
    node.close()
}

#[test]
fn a_list_of_scripts_costs_one_commit_each() {
    let place = Place::new();
    let stats = committed_by(&place, definition());
    let order: Vec<u64> = place.read("order").lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(order, (0..SCRIPTS).collect::<Vec<_>>());
    assert_eq!(stats.turns, SCRIPTS + BESIDE_SCRIPTS, "{stats:?}");
    assert_eq!(stats.commits, SCRIPTS + BESIDE_SCRIPTS, "{stats:?}");
}

#[test]
fn a_wide_fan_out_runs_in_slots() {
    const WIDE: usize = 150;
    const SLOTS: usize = 64;
    let place = Place::new();
    std::fs::create_dir(place.work().join("live")).unwrap();
    let run = |at| format!("touch live/{at}; ls live | wc -l >> seen; sleep 0.05; rm live/{at}");
    let steps: String = (0..WIDE).map(|at| format!("  - {{id: s{at}, shell: sh, run: '{}'}}\n", run(at))).collect();
    committed_by(&place, format!("name: fan\ndescription: Many at once.\norder: graph\nsteps:\n{steps}"));
    let seen: Vec<usize> = place.read("seen").lines().map(|line| line.trim().parse().unwrap()).collect();
    assert_eq!(seen.len(), WIDE, "every script runs once");
    assert!(seen.iter().all(|live| *live <= SLOTS), "never more at once than there are slots: {seen:?}");
}
