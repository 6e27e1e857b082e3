//! What executions share, over a whole node: many executions, owners that come and go, a real other side.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use skep_engine::Program;
use skep_model::ids::Hash;
use skep_model::message::{Choices, Start};
use skep_model::plan::{Breaker, Concurrency, Plan, Priority, WhenFull};

use super::*;
use crate::driver::{Creation, Input};

/// Starts a definition whose plan was edited.
fn start(node: &Node, text: &str, edit: impl FnOnce(&mut Plan)) -> ExecutionId {
    let workflow = skep_definition::load::load(text).workflow.expect("the text is a workflow");
    let mut plan = skep_definition::plan::plan(&workflow, node.catalogue()).expect("it has no problems");
    edit(&mut plan);
    let program = Program::new(plan).unwrap();
    let uuid = uuid::Uuid::now_v7();
    let execution = ExecutionId::new(uuid.to_string());
    let definition_hash = Hash::of(text.as_bytes());
    let start = Start {
        execution: execution.clone(),
        plan_hash: program.hash(),
        definition_hash,
        inputs: Map::new(),
        base_dir: "/".into(),
        environment: Map::new(),
        actor: ada(),
        event: Value::Null,
        seed: 1,
        parent: None,
        choices: Choices::default(),
    };
    let creation =
        Creation { start, program: Arc::new(program), definition: text.into(), workflow_path: None, key: None };
    node.ask(|reply| Input::Create(Box::new(creation), reply)).unwrap();
    execution
}

/// Looks after every beat until there is something; a bound keeps a broken test from hanging.
fn until<T>(node: &Node, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut beats = node.watcher().beats();
    let deadline = Instant::now() + Duration::from_secs(20);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(200), beats.changed()).await });
    }
}

fn answer(node: &Node, execution: &ExecutionId) -> Value {
    node.reading().status(execution.as_str(), false).unwrap()
}

fn until_status(node: &Node, execution: &ExecutionId, status: &str) -> Value {
    until(node, status, || Some(answer(node, execution)).filter(|answer| answer["status"] == status))
}

fn until_asks(node: &Node, execution: &ExecutionId) {
    until(node, "the question", || Some(()).filter(|()| answer(node, execution)["waiting"][0]["for"] == "decision"));
}

fn approve(node: &Node, execution: &ExecutionId) {
    let execution = execution.as_str().to_owned();
    node.approve(Decide { execution, step: None, actor: ada(), comment: None }).unwrap();
}

fn group(limit: u32, when_full: WhenFull) -> Concurrency {
    Concurrency { group: "db".to_owned(), limit, when_full }
}

/// A step that keeps its place until a person says yes.
const ASKS: &str = "name: asks\ndescription: Asks.\nsteps: [{id: ask, approval: {message: 'Go?'}}]";

fn asks(node: &Node, limit: u32, when_full: WhenFull, priority: i32) -> ExecutionId {
    start(node, ASKS, |plan| {
        plan.steps[0].concurrency = Some(group(limit, when_full));
        plan.steps[0].priority = Priority(priority);
    })
}

fn workflow(node: &Node, when_full: WhenFull) -> ExecutionId {
    start(node, ASKS, |plan| plan.concurrency = Some(group(1, when_full)))
}

#[test]
fn steps_of_many_executions_take_turns_by_priority_then_by_arrival() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let first: Vec<ExecutionId> = (0..2).map(|_| asks(&node, 2, WhenFull::Queue, 50)).collect();
    first.iter().for_each(|execution| until_asks(&node, execution));
    let later: Vec<ExecutionId> = (0..8).map(|_| asks(&node, 2, WhenFull::Queue, 50)).collect();
    let urgent = asks(&node, 2, WhenFull::Queue, 100);
    let line = |execution| answer(&node, execution)["waiting"][0].clone();
    until(&node, "the whole line", || Some(()).filter(|()| line(&urgent)["in_line"] == 9));
    assert_eq!((&line(&urgent)["place"], &line(&later[7])["place"]), (&json!(1), &json!(9)), "{:#}", line(&urgent));
    assert_eq!(line(&later[0])["kind"], "permit");
    let holders = line(&later[0])["holders"].as_array().unwrap().clone();
    assert_eq!(holders.len(), 2);
    assert!(holders.iter().any(|holder| holder["execution_id"] == first[0].as_str()), "{holders:?}");
    let listed = node.reading().row(later[0].as_str()).unwrap();
    assert_eq!(listed.waiting.as_deref(), Some("group db: ask"));
    let mut order = first.clone();
    order.push(urgent);
    order.extend(later);
    for execution in &order {
        until_asks(&node, execution);
        let asked = order.iter().filter(|other| answer(&node, other)["waiting"][0]["for"] == "decision").count();
        assert!(asked <= 2, "{asked} are in");
        approve(&node, execution);
        until_status(&node, execution, "completed");
    }
    assert!(node.reading().reader().permits().unwrap().is_empty(), "every place was given back");
    node.close();
}

#[test]
fn a_full_group_of_workflows_queues_leaves_out_fails_or_cancels_the_oldest() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let oldest = workflow(&node, WhenFull::Queue);
    until_asks(&node, &oldest);
    let skipped = until_status(&node, &workflow(&node, WhenFull::Skip), "cancelled");
    assert_eq!((&skipped["error"]["code"], &skipped["steps"]["ask"]["attempts"]), (&json!("SKEP-X031"), &json!(0)));
    let failed = until_status(&node, &workflow(&node, WhenFull::Fail), "failed");
    assert_eq!(failed["error"]["code"], "SKEP-N030");
    let queued = workflow(&node, WhenFull::Queue);
    until(&node, "the line", || Some(()).filter(|()| answer(&node, &queued)["waiting"][0]["place"] == 1));
    assert_eq!(answer(&node, &queued)["waiting"][0]["step"], Value::Null);
    let newer = workflow(&node, WhenFull::CancelOld);
    until_status(&node, &oldest, "cancelled");
    until_asks(&node, &newer);
    assert_eq!(answer(&node, &queued)["status"], "running", "it still waits");
    approve(&node, &newer);
    until_asks(&node, &queued);
    node.cancel(queued.as_str(), ada(), None).unwrap();
    until_status(&node, &queued, "cancelled");
    assert!(node.reading().reader().permits().unwrap().is_empty());
    node.close();
}

#[test]
fn places_outlive_their_owner_and_an_interrupted_execution_keeps_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let holder = asks(&node, 1, WhenFull::Queue, 50);
    until_asks(&node, &holder);
    let second = asks(&node, 1, WhenFull::Queue, 50);
    node.close();

    let node = open(directory.path());
    let third = asks(&node, 1, WhenFull::Queue, 50);
    let waiting = |execution| answer(&node, execution)["waiting"][0].clone();
    until(&node, "the line", || Some(()).filter(|()| waiting(&third)["place"] == 2));
    assert_eq!(
        waiting(&third)["holders"][0]["execution_id"],
        holder.as_str(),
        "nobody performs it, it keeps its place"
    );
    assert_eq!(node.recover_all().unwrap(), 3);
    for execution in [&holder, &second, &third] {
        until_asks(&node, execution);
        approve(&node, execution);
        until_status(&node, execution, "completed");
    }
    node.close();
}

/// Counts connections; answers with `status` when `go` says so, at once without it.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
}

impl Server {
    fn new(go: Option<Receiver<()>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (connections, status) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU16::new(503)));
        let (counter, answer) = (Arc::clone(&connections), Arc::clone(&status));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                drop(stream.read(&mut [0; 4096]));
                if go.as_ref().is_some_and(|go| go.recv().is_err()) {
                    return;
                }
                let status = answer.load(Ordering::SeqCst);
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                drop(stream.write_all(text.as_bytes()));
            }
        });
        Self { url, connections, status }
    }

    fn held() -> (Self, Sender<()>) {
        let (go, wait) = channel();
        (Self::new(Some(wait)), go)
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn call(node: &Node, server: &Server, reset_ms: u64) -> ExecutionId {
    let text =
        format!("name: calls\ndescription: Calls.\nsteps: [{{id: call, uses: http, with: {{url: '{}'}}}}]", server.url);
    start(node, &text, |plan| {
        let name = "api".to_owned();
        let breaker = Breaker { name, failures: 2, threshold: None, window_ms: None, reset_ms };
        plan.steps[0].circuit_breaker = Some(breaker);
    })
}

#[test]
fn nothing_is_called_while_a_breaker_is_open_whoever_owns_it() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::new(None);
    let node = open(directory.path());
    for calls in 1..=2 {
        let failed = until_status(&node, &call(&node, &server, 3_600_000), "failed");
        assert_eq!((server.count(), &failed["error"]["kind"]), (calls, &json!("unavailable")));
    }
    let calls: Vec<ExecutionId> = (0..10).map(|_| call(&node, &server, 3_600_000)).collect();
    for execution in &calls {
        assert_eq!(until_status(&node, execution, "failed")["error"]["code"], "SKEP-N031");
    }
    node.close();
    let node = open(directory.path());
    let refused = until_status(&node, &call(&node, &server, 3_600_000), "failed");
    assert_eq!(refused["error"]["code"], "SKEP-N031", "still open");
    assert_eq!(server.count(), 2, "nothing was called");
    node.close();
}

#[test]
fn one_probe_finds_out_for_all() {
    let directory = tempfile::tempdir().unwrap();
    let (server, go) = Server::held();
    let node = open(directory.path());
    for _ in 0..2 {
        go.send(()).unwrap();
        until_status(&node, &call(&node, &server, 1), "failed");
    }
    let probe = until(&node, "a probe", || {
        let execution = call(&node, &server, 1);
        until(&node, "an attempt", || {
            let answer = answer(&node, &execution);
            Some(answer["status"] == "failed").filter(|failed| *failed || server.count() == 3)
        });
        Some(execution).filter(|_| server.count() == 3)
    });
    for execution in (0..10).map(|_| call(&node, &server, 1)).collect::<Vec<_>>() {
        assert_eq!(until_status(&node, &execution, "failed")["error"]["code"], "SKEP-N031");
    }
    assert_eq!(server.count(), 3, "exactly one call is out");
    server.status.store(200, Ordering::SeqCst);
    go.send(()).unwrap();
    until_status(&node, &probe, "completed");
    go.send(()).unwrap();
    until_status(&node, &call(&node, &server, 1), "completed");
    node.close();
}

#[test]
fn a_key_is_one_execution_however_many_start_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let node = open(directory.path());
    let keyed = |key: &str| StartRequest { idempotency_key: Some(key.to_owned()), ..request(SUM) };
    let started: Vec<crate::service::Started> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| node.start(keyed("order-1")).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(started.iter().all(|one| one.execution == started[0].execution));
    assert_eq!(started.iter().filter(|one| !one.existing).count(), 1);
    settle(&node, &started[0].execution);
    node.close();

    let node = open(directory.path());
    assert!(node.start(keyed("order-1")).unwrap().existing, "as long as its execution is kept");
    let mut other = keyed("order-1");
    other.inputs.insert("numbers".to_owned(), json!([4, 5, 6]));
    let error = node.start(other).unwrap_err();
    assert_eq!((error.class(), error.code().id), (crate::ErrorClass::Conflict, "SKEP-N032"));
    let expected = format!("was given to the execution {} already, and the inputs differ", started[0].execution);
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(!node.start(keyed("order-2")).unwrap().existing);
    assert_eq!(node.reading().list(&ListQuery { limit: 10, ..ListQuery::default() }).unwrap().rows.len(), 2);
    node.close();
}
