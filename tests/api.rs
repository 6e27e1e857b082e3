//! The HTTP API of the binary, from outside.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::answer::Running;
use crate::support::place::Place;
use crate::support::wait;

struct Api {
    address: String,
    key: String,
}

impl Api {
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: skep\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("an answer has a status");
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn ended(&self, id: &str) -> Value {
        loop {
            let (status, found) = self.ask("GET", &format!("/api/v1/workflows/executions/{id}"), &Value::Null);
            assert_eq!(status, 200, "{found}");
            if found["end_time"].is_string() {
                return found;
            }
            std::thread::yield_now();
        }
    }
}

/// `skep serve` on a port that the system chooses.
fn serve(place: &Place) -> (Running, Api) {
    let mut command = place.command(["serve", "--format", "json"]);
    command.env("SKEP_LISTEN", "127.0.0.1:0");
    let running = Running::start(command);
    let said = wait::until("the server to listen", wait::SOON, || serde_json::from_str(&running.output_so_far()).ok());
    let said: Value = said;
    let address = said["http"][0].as_str().expect("it says where it listens").trim_start_matches("http://").to_owned();
    let key = fs::read_to_string(place.data().join("admin.key")).expect("the first start makes a key");
    (running, Api { address, key: key.trim().to_owned() })
}

const HELLO: &str = "name: hello\ndescription: Says hello.\nsteps: [{id: say, run: 'echo \"${{ inputs.to }} ${{ event.why }}\"'}]\ninputs: {to: {type: string, default: you}}\noutputs: {said: '${{ steps.say.outputs.stdout }}'}";

#[test]
fn what_was_answered_is_found_after_a_kill() {
    let place = Place::new();
    place.write("hello.yaml", HELLO);
    place.skep(&["workflow", "add", "hello.yaml"]).exits(0);
    let (server, api) = serve(&place);
    let body = json!({"workflow_id": "hello", "parameters": {"to": "ada"}, "trigger_context": {"why": "again"}});
    let mut ids = Vec::new();
    for _ in 0..20 {
        let (status, answer) = api.ask("POST", "/api/v1/workflows/execute", &body);
        assert_eq!((status, &answer["status"]), (200, &json!("started")), "{answer}");
        ids.push(answer["execution_id"].as_str().expect("an id is a text").to_owned());
    }
    drop(server.kill());
    let (server, api) = serve(&place);
    for id in &ids {
        assert_eq!(api.ended(id)["status"], "completed", "{id}");
    }
    let status = place.json(&["status", &ids[0]], 0);
    assert_eq!(status["outputs"]["said"], "ada again");
    place.skep(&["serve", "--stop"]).exits(0);
    assert_eq!(server.end().code, Some(0));
    let made = place.json(&["audit", "list", "--actor", "key:admin", "--limit", "100"], 0);
    assert!(made["records"].as_array().is_some_and(|records| records.len() >= ids.len()), "{made:#}");
}

#[test]
fn what_is_unsafe_is_refused_before_anything_listens() {
    let place = Place::new();
    for (arguments, says) in
        [(["serve", "--listen", "0.0.0.0:0"], "unencrypted"), (["serve", "--listen", "here"], "no address")]
    {
        let answer = place.skep(&arguments);
        assert_eq!(answer.code, Some(1), "{answer}");
        assert!(answer.err.contains(says), "{answer}");
    }
    fs::write(place.data().join("config.toml"), "[api]\nlisten = [\"10.0.0.1:8902\"]\n").unwrap();
    let answer = place.skep(&["serve"]);
    assert!(answer.code == Some(1) && answer.err.contains("behind_proxy"), "{answer}");
    fs::write(place.data().join("config.toml"), "[api]\nlisten = [\"10.0.0.1:8902\"]\nbehind_proxy = true\n").unwrap();
    let answer = place.skep(&["serve", "--dev", "--listen", "10.0.0.1:8902"]);
    assert!(answer.code == Some(1) && answer.err.contains("loopback"), "{answer}");
}
