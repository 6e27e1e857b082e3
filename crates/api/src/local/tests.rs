//! The door in front of a data directory in a temporary folder. What lies behind it here only reads, so that these
//! tests are about the door.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use skep_node::DataDir;
use skep_node::service::Reading;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::person::name_in;
use super::*;
use crate::wire::{self, Class, Failure, Needs};

fn open(root: &Path) -> (DataDir, Server) {
    let directory = DataDir::create(root).unwrap();
    let desk = Arc::new(Desk::reader(Reading::open(&directory).unwrap()));
    let server = Server::open(desk, directory.clone()).unwrap();
    (directory, server)
}

async fn refused<C: wire::Call>(client: &Client, call: C) -> Failure {
    match client.call(&call).await {
        Err(CallError::Failure(failure)) => failure,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("`{}` was answered", C::NAME),
    }
}

/// Sends bytes as they are and gives the status line of the answer.
async fn raw(directory: &DataDir, request: &[u8]) -> String {
    let mut stream = tokio::net::UnixStream::connect(directory.socket()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // What is refused early may be closed with bytes unread: what was answered counts.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn users_are_found_by_number() {
    let users = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh\n:x:7:7:::\n";
    for (uid, name) in [(0, Some("root")), (1000, Some("ada")), (7, None), (42, None)] {
        assert_eq!(name_in(users, uid).as_deref(), name, "{uid}");
    }
}

#[test]
fn a_lost_answer_to_a_change_says_that_it_may_have_been_recorded() {
    let lost = || CallError::Lost("reset".to_owned());
    assert!(lost().into_failure(Needs::Owner).hint.unwrap().contains("recorded or not"));
    assert_eq!(lost().into_failure(Needs::Reading).hint.as_deref(), Some("try again"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_without_an_owner() {
    let place = tempfile::tempdir().unwrap();
    let error = Client::connect(&DataDir::at(place.path())).await.unwrap_err();
    assert!(matches!(error, CallError::NoOwner(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_answers_until_it_closes() {
    let place = tempfile::tempdir().unwrap();
    let (directory, server) = open(place.path());
    let (client, pong) = Client::connect(&directory).await.unwrap();
    assert_eq!(pong.pid, std::process::id());
    let listed = client.call(&wire::List { limit: 5, ..wire::List::default() }).await.unwrap();
    assert_eq!(listed.executions, []);
    let stop = server.stop_asked();
    assert!(!*stop.borrow());
    client.stop().await.unwrap();
    assert!(*stop.borrow());
    server.close().await;
    assert!(!directory.socket().exists());
    assert!(matches!(Client::connect(&directory).await, Err(CallError::NoOwner(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_dead_owner_left_is_replaced() {
    let place = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(place.path().join("skep.sock")).unwrap());
    let directory = DataDir::at(place.path());
    assert!(matches!(Client::connect(&directory).await, Err(CallError::NoOwner(_))));
    let (directory, _server) = open(place.path());
    Client::connect(&directory).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_longer_than_an_address_works() {
    let place = tempfile::tempdir().unwrap();
    let long: PathBuf = place.path().join("a".repeat(90)).join("b".repeat(90));
    let (directory, server) = open(&long);
    assert!(directory.socket().as_os_str().len() > 180);
    Client::connect(&directory).await.unwrap();
    server.close().await;
    assert!(!directory.socket().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_travel_with_their_words() {
    let place = tempfile::tempdir().unwrap();
    let (directory, _server) = open(place.path());
    let (client, _) = Client::connect(&directory).await.unwrap();
    let unknown = refused(&client, wire::Execution { execution: "nope".into() }).await;
    assert_eq!((unknown.class, unknown.message.as_str()), (Class::NotFound, "no execution `nope`"));
    assert!(unknown.hint.is_some());
    let unowned = refused(&client, wire::Pause { execution: "nope".into() }).await;
    assert_eq!(unowned.class, Class::Transient);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (directory, _server) = open(place.path());
    let large = format!(
        "POST /v1/list HTTP/1.1\r\nhost: skep\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        BODY_BYTES_MAX + 1
    );
    let post = |body: &str| {
        format!(
            "POST /v1/list HTTP/1.1\r\nhost: skep\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for (request, expect) in [
        ("GET /v1/nothing HTTP/1.1\r\nhost: skep\r\nconnection: close\r\n\r\n".to_owned(), "HTTP/1.1 404 Not Found"),
        (post("{"), "HTTP/1.1 400 Bad Request"),
        (post(r#"{"limit": 3}"#), "HTTP/1.1 200 OK"),
        (large, "HTTP/1.1 400 Bad Request"),
        ("nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(raw(&directory, request.as_bytes()).await, expect, "{request}");
    }
}
