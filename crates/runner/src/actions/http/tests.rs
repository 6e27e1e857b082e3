use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::error::Kind;
use skep_model::outcome::Ended;

use super::duration_ms;
use crate::tests::{World, failure, outputs};
use crate::{Config, Credential, Login};

/// A server that gives one response per connection and hands over the requests. After the last response it
/// takes one more connection and never answers.
fn server(responses: &[&str]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    let responses: Vec<String> = responses.iter().map(|text| text.replace("URL", &url)).collect();
    thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            sender.send(read_request(&mut BufReader::new(&stream))).unwrap();
            stream.write_all(response.as_bytes()).unwrap();
        }
        let (stream, _) = listener.accept().unwrap();
        let _ = sender.send(String::new());
        let _ = BufReader::new(stream).read_to_end(&mut Vec::new());
    });
    (url, requests)
}

fn read_request(reader: &mut impl BufRead) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut text).unwrap() > 0, "a request ends with an empty line");
    }
    let length = text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

#[test]
fn a_request_goes_out_and_its_response_comes_back() {
    let world = World::new();
    let (url, requests) = server(&[&response("200 OK", "X-A: 1\r\nx-a: 2\r\n", "{\"ok\": true}")]);
    let with = json!({
        "method": "put", "url": format!("{url}/hook?a=1"), "query": {"b": "x y", "n": 2, "none": null},
        "headers": {"X-Own": 7}, "json": {"image": "i"},
    });
    let given = outputs(world.run_action("http", with));
    assert_eq!(given["status"], json!(200));
    assert_eq!(given["json"], json!({"ok": true}));
    assert_eq!(given["body"], json!("{\"ok\": true}"));
    assert_eq!(given["headers"]["x-a"], json!("1, 2"));
    let request = requests.recv().unwrap();
    let execution = format!("test-{}", std::process::id());
    let shown = request.replace(&execution, "EXECUTION").replace(&url["http://".len()..], "HOST").replace('\r', "");
    insta::assert_snapshot!(shown, @r#"
    PUT /hook?a=1&b=x+y&n=2 HTTP/1.1
    idempotency-key: EXECUTION/step/g1
    x-own: 7
    content-type: application/json
    accept: */*
    user-agent: skep/0.1.0
    host: HOST
    content-length: 13

    {"image":"i"}
    "#);
}

#[test]
fn forms_texts_and_credentials() {
    let login = Login { username: "me".into(), password: "word".into() };
    let http_credentials = Map::from_iter([
        ("token".to_owned(), Credential::Bearer("abc".into())),
        ("login".to_owned(), Credential::Basic(login)),
        ("key".to_owned(), Credential::Header { name: "x-key".into(), value: "k1".into() }),
    ]);
    let world = World::with(Config { http_credentials, ..Config::default() });
    let ok = response("204 No Content", "", "");
    let (url, requests) = server(&[&ok, &ok, &ok]);
    let check = |with: Value, expect: &[&str]| {
        let mut with = with;
        with["url"] = json!(url);
        outputs(world.run_action("http", with));
        let request = requests.recv().unwrap();
        for part in expect {
            assert!(request.contains(part), "{request} should contain {part}");
        }
    };
    check(json!({"form": {"a": "x&y"}, "auth": "token"}), &["POST / ", "a=x%26y", "authorization: Bearer abc"]);
    check(json!({"body": "plain", "auth": "login"}), &["\r\n\r\nplain", "authorization: Basic bWU6d29yZA=="]);
    check(json!({"auth": "key", "method": "DELETE"}), &["DELETE / ", "x-key: k1"]);
    let (url, _requests) = server(&[&response("302 Found", "location: http://elsewhere.invalid/\r\n", "")]);
    let moved = failure(world.run_action("http", json!({"url": url, "auth": "key"})));
    assert_eq!(moved.http_status, Some(302), "a secret header does not follow to another host");
    let missing = failure(world.run_action("http", json!({"url": url, "auth": "other"})));
    assert_eq!(missing.code, "SKEP-R043");
    assert!(missing.message.ends_with("there are: token, login, key"), "{}", missing.message);
}

#[test]
fn a_status_becomes_a_kind() {
    let world = World::new();
    let check = |status: u16, headers: &str, kind: Kind, retry_after_ms: Option<u64>| {
        let (url, _requests) = server(&[&response(&format!("{status} X"), headers, "why")]);
        let failure = failure(world.run_action("http", json!({"url": url})));
        assert_eq!((failure.kind, failure.http_status), (kind, Some(status)));
        assert_eq!(failure.retry_after_ms, retry_after_ms);
        assert!(failure.message.ends_with(&format!("status {status}: why")), "{}", failure.message);
    };
    check(400, "", Kind::Invalid, None);
    check(401, "", Kind::Permission, None);
    check(403, "", Kind::Permission, None);
    check(404, "", Kind::NotFound, None);
    check(429, "Retry-After: 7\r\n", Kind::RateLimit, Some(7_000));
    check(503, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", Kind::Unavailable, Some(0));
}

#[test]
fn other_statuses_can_be_expected() {
    let world = World::new();
    let check = |status: &str, expected: Value, fits: bool| {
        let (url, _requests) = server(&[&response(status, "", "")]);
        let ended = world.run_action("http", json!({"url": url, "expected_status": expected}));
        assert_eq!(matches!(ended, Ended::Succeeded(_)), fits, "{status} {expected}");
    };
    check("404 X", json!([200, 404]), true);
    check("404 X", json!("400-499"), true);
    check("200 OK", json!(["300-399", 404]), false);
    check("200 OK", json!(200), true);
    check("200 OK", json!("ok"), false);
}

#[test]
fn redirects_are_followed_unless_told() {
    let world = World::new();
    let moved = response("302 Found", "location: URL/there\r\n", "");
    let (url, _requests) = server(&[&moved, &response("200 OK", "", "there")]);
    assert_eq!(outputs(world.run_action("http", json!({"url": url})))["body"], json!("there"));
    let (url, _requests) = server(&[&moved]);
    let with = json!({"url": url, "follow_redirects": false, "expected_status": 302});
    assert_eq!(outputs(world.run_action("http", with))["headers"]["location"], json!(format!("{url}/there")));
}

#[test]
fn limits_timeouts_and_broken_connections() {
    let world = World::new();
    let check = |with: Value, kind: Kind, code: &str| {
        let failure = failure(world.run_action("http", with));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{}", failure.message);
    };
    let (url, _requests) = server(&[&response("200 OK", "", "12345")]);
    check(json!({"url": url, "max_bytes": 4}), Kind::ResourceLimit, "SKEP-R042");
    let (url, _requests) = server(&[]);
    check(json!({"url": url, "timeout": "50ms"}), Kind::Timeout, "SKEP-R015");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check(json!({"url": format!("http://{closed}/?key=1")}), Kind::Network, "SKEP-R040");
    check(json!({"url": "https://name.invalid/"}), Kind::Network, "SKEP-R040");
    check(json!({"url": "ftp://x/"}), Kind::Invalid, "SKEP-R011");
    check(json!({"url": url, "json": 1, "body": "x"}), Kind::Invalid, "SKEP-R011");
    check(json!({"url": url, "ca_file": "none.pem"}), Kind::Invalid, "SKEP-R044");
}

#[test]
fn a_request_can_be_aborted_and_has_the_timeout_of_its_step() {
    let world = World::new();
    let (url, requests) = server(&[]);
    let task = world.action("http", json!({"url": url}));
    world.runner.perform(task.clone(), None);
    requests.recv().unwrap();
    world.runner.abort(&task.token);
    assert_eq!(world.next().result, Ended::Aborted);

    let (url, _requests) = server(&[]);
    let mut task = world.action("http", json!({"url": url, "timeout": "1h"}));
    task.timeout_ms = Some(50);
    assert_eq!(failure(world.run(task)).kind, Kind::Timeout);
}

#[test]
fn durations() {
    let check = |text: &str, expect| assert_eq!(duration_ms(text), expect, "{text}");
    check("300ms", Some(300));
    check("10s", Some(10_000));
    check("2h", Some(7_200_000));
    check("10", None);
    check("s", None);
    check("99999999999999999999s", None);
}
