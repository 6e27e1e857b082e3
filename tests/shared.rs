//! What executions share, from outside: a circuit breaker before a server that counts its connections, groups over
//! several executions, keys of starts.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::wait;

/// How long the breaker stays open: time enough for everything that must be refused until then, on a slow machine.
const RESET: Duration = Duration::from_secs(12);

/// Counts connections; each answer waits for a word of the test.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
    go: Sender<()>,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
        let (connections, status) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU16::new(503)));
        let (counter, answer) = (Arc::clone(&connections), Arc::clone(&status));
        let (go, wait) = channel();
        std::thread::spawn(move || serve(&listener, &counter, &answer, &wait));
        Self { url, connections, status, go }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The next connection, or the one that waits, is answered.
    fn answer(&self) {
        self.go.send(()).expect("the server lives as long as the test");
    }
}

fn serve(listener: &TcpListener, counter: &AtomicUsize, status: &AtomicU16, go: &Receiver<()>) {
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection can be taken");
        counter.fetch_add(1, Ordering::SeqCst);
        // Whoever called may be gone by now; it was counted.
        drop(stream.read(&mut [0; 4096]));
        if go.recv().is_err() {
            return;
        }
        let text =
            format!("HTTP/1.1 {} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", status.load(Ordering::SeqCst));
        drop(stream.write_all(text.as_bytes()));
    }
}

/// Definitions that call the server behind one breaker: `once.yaml` fails fast, `again.yaml` comes back.
fn write_calls(place: &Place, server: &Server) {
    let breaker = format!("circuit_breaker: {{name: api, failures: 2, reset: {}s}}", RESET.as_secs());
    let call = format!("uses: http, with: {{url: '{}'}}, {breaker}", server.url);
    let head = "description: Calls.\nsteps:\n";
    place.write("once.yaml", format!("name: once\n{head}  - {{id: call, {call}}}\n"));
    let retry = "retry: {max_attempts: 9, delay: 100ms}";
    place.write("again.yaml", format!("name: again\n{head}  - {{id: call, {call}, {retry}}}\n"));
}

fn refused(place: &Place) {
    let answer = place.json(&["run", "once.yaml"], 1);
    assert_eq!(answer["error"]["code"], "SKEP-N031", "{answer:#}");
}

fn started(place: &Place, file: &str) -> String {
    let answer = place.json(&["run", file, "--detach"], 0);
    answer["execution_id"].as_str().expect("it has an id").to_owned()
}

fn served(place: &Place) -> Running {
    let socket = place.data().join("skep.sock");
    // One that was killed left its own.
    drop(std::fs::remove_file(&socket));
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || socket.exists().then_some(()));
    serve
}

fn status(place: &Place, execution: &str) -> Value {
    place.json(&["status", execution], 0)
}

fn until_status(place: &Place, execution: &str, wanted: &str) -> Value {
    wait::until(wanted, wait::SOON, || Some(status(place, execution)).filter(|answer| answer["status"] == wanted))
}

#[test]
fn an_open_breaker_lets_nothing_through_then_one_probe_for_all_and_survives_a_kill() {
    let (place, server) = (Place::new(), Server::new());
    write_calls(&place, &server);
    for calls in 1..=2 {
        server.answer();
        let answer = place.json(&["run", "once.yaml"], 1);
        assert_eq!((server.count(), &answer["error"]["kind"]), (calls, &json!("unavailable")), "{answer:#}");
    }
    refused(&place);

    let serve = served(&place);
    let execution = started(&place, "again.yaml");
    let waits = wait::until("the breaker", wait::SOON, || {
        Some(status(&place, &execution)["waiting"][0].clone()).filter(|entry| entry["kind"] == "breaker")
    });
    assert!(waits["until"].is_string() && waits["since"].is_string(), "{waits:#}");
    refused(&place);
    serve.kill();
    let serve = served(&place);
    refused(&place);
    assert_eq!(server.count(), 2, "nothing was called while it was open");

    // The execution that waits comes back by itself when a probe is due; its connection waits for its answer.
    wait::until("the probe", RESET + wait::SOON, || Some(()).filter(|()| server.count() > 2));
    for _ in 0..4 {
        refused(&place);
    }
    assert_eq!(server.count(), 3, "exactly one probe is out");
    server.status.store(200, Ordering::SeqCst);
    server.answer();
    assert_eq!(until_status(&place, &execution, "completed")["steps"]["call"]["status"], "completed");
    server.answer();
    place.json(&["run", "once.yaml"], 0);
    assert_eq!(server.count(), 4);
    place.skep(&["serve", "--stop"]).exits(0);
    serve.end();
}

/// Runs until `go-NAME` exists, in a group that takes one at a time.
fn write_grouped(place: &Place, when_full: &str) {
    let text = format!(
        "name: {when_full}\ndescription: Shares.\ninputs: {{name: {{type: string}}}}\n\
         concurrency: {{group: deploy, limit: 1, when_full: {when_full}}}\nsteps:\n\
         \x20 - {{id: work, run: 'echo ${{{{ inputs.name }}}} >> trace; until [ -e go-${{{{ inputs.name }}}} ]; do sleep 0.01; done'}}\n"
    );
    place.write(&format!("{when_full}.yaml"), text);
}

fn grouped(place: &Place, when_full: &str, name: &str) -> String {
    let answer = place.json(&["run", &format!("{when_full}.yaml"), "--name", name, "--detach"], 0);
    answer["execution_id"].as_str().expect("it has an id").to_owned()
}

#[test]
fn executions_of_a_group_wait_stay_out_fail_or_take_over() {
    let place = Place::new();
    ["queue", "skip", "fail", "cancel_old"].iter().for_each(|when_full| write_grouped(&place, when_full));
    let serve = served(&place);
    let first = grouped(&place, "queue", "first");
    wait::until("the first", wait::SOON, || place.read("trace").contains("first").then_some(()));
    let second = grouped(&place, "queue", "second");
    let entry = wait::until("the line", wait::SOON, || {
        Some(status(&place, &second)["waiting"][0].clone()).filter(|entry| entry["place"] == 1)
    });
    assert_eq!((&entry["kind"], &entry["name"], &entry["step"]), (&json!("permit"), &json!("deploy"), &Value::Null));
    assert_eq!(entry["holders"][0]["execution_id"], first.as_str(), "{entry:#}");
    let listed = place.json(&["list"], 0);
    let row = listed["executions"].as_array().and_then(|rows| rows.iter().find(|row| row["execution_id"] == *second));
    assert_eq!(row.map(|row| &row["waiting"]), Some(&json!("group deploy")), "{listed:#}");
    assert_eq!(until_status(&place, &grouped(&place, "skip", "out"), "cancelled")["error"]["code"], "SKEP-X031");
    assert_eq!(until_status(&place, &grouped(&place, "fail", "no"), "failed")["error"]["code"], "SKEP-N030");
    let newest = grouped(&place, "cancel_old", "newest");
    until_status(&place, &first, "cancelled");
    wait::until("the newest", wait::SOON, || place.read("trace").contains("newest").then_some(()));
    serve.kill();

    let serve = served(&place);
    assert_eq!(status(&place, &second)["waiting"][0]["holders"][0]["execution_id"], newest.as_str());
    place.write("go-newest", "");
    until_status(&place, &newest, "completed");
    wait::until("the second", wait::SOON, || place.read("trace").contains("second").then_some(()));
    place.write("go-second", "");
    until_status(&place, &second, "completed");
    assert!(!place.read("trace").contains("out"), "what is left out does nothing");
    place.skep(&["serve", "--stop"]).exits(0);
    serve.end();
}

#[test]
fn the_same_key_is_the_same_execution() {
    let place = Place::new();
    let text = "name: order\ndescription: Orders.\ninputs: {item: {type: string, default: tea}}\n\
        steps: [{id: buy, run: echo bought >> trace}]\n";
    place.write("order.yaml", text);
    let order = ["run", "order.yaml", "--idempotency-key", "order-1"];
    let first = place.json(&order, 0);
    assert_eq!(first.get("existing"), None);
    let again = place.json(&order, 0);
    assert_eq!((&again["execution_id"], &again["existing"]), (&first["execution_id"], &json!(true)));
    let detached = place.json(&[&order[..], &["--detach"]].concat(), 0);
    assert_eq!((&detached["status"], &detached["existing"]), (&json!("completed"), &json!(true)));
    let other = place.json(&[&order[..], &["--item", "milk"]].concat(), 1);
    assert_eq!(other["error"]["code"], "SKEP-N032", "{other:#}");
    let message = other["error"]["message"].as_str().unwrap_or_default();
    let id = first["execution_id"].as_str().unwrap_or_default();
    assert!(message.contains(id) && message.contains("the inputs differ"), "{message}");
    assert_eq!(place.read("trace"), "bought\n");
    place.skep(&["serve", "--stop"]);
}
