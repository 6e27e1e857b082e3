use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};
use skep_model::error::Kind;

use crate::tests::{World, failure, outputs};
use crate::{Config, Login, Smtp, Tls};

/// A mail server for one message; `refuse` is the answer to a command that begins with its first text.
fn server(refuse: Option<(&'static str, &'static str)>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let answer = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes());
        answer("220 test").unwrap();
        let mut said = String::new();
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 0 {
            said.push_str(&line);
            let reply = match refuse {
                Some((command, reply)) if line.starts_with(command) => reply,
                _ if line.starts_with("EHLO") => "250-test\r\n250 AUTH PLAIN",
                _ if line.starts_with("AUTH") => "235 ok",
                _ if line.starts_with("DATA") => "354 go",
                _ if line.starts_with("QUIT") => "221 bye",
                _ => "250 ok",
            };
            let _ = answer(reply);
            if reply == "354 go" {
                while !said.ends_with("\r\n.\r\n") {
                    reader.read_line(&mut said).unwrap();
                }
                answer("250 taken").unwrap();
            }
            line.clear();
        }
        let _ = sender.send(said.replace('\r', ""));
    });
    (port, received)
}

fn world(port: u16) -> World {
    let login = Login { username: "me".into(), password: "word".into() };
    let smtp = Smtp {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        login: Some(login),
        from: Some("Skep <skep@example.org>".into()),
    };
    World::with(Config { smtp: Some(smtp), ..Config::default() })
}

fn letter() -> Value {
    json!({"to": ["a@example.org", "B <b@example.org>"], "bcc": "c@example.org", "subject": "Hé", "text": "body", "html": "<b>"})
}

#[test]
fn a_message_is_sent() {
    let (port, received) = server(None);
    let given = outputs(world(port).run_action("email", letter()));
    assert_eq!(given["recipients"], json!(["a@example.org", "b@example.org", "c@example.org"]));
    let said = received.recv().unwrap();
    for part in [
        "AUTH PLAIN AG1lAHdvcmQ=",
        "MAIL FROM:<skep@example.org>",
        "RCPT TO:<c@example.org>",
        "From: Skep <skep@example.org>",
        "Subject: =?utf-8?b?SMOp?=",
        "multipart/alternative",
        given["message_id"].as_str().unwrap(),
    ] {
        assert!(said.contains(part), "{said} should contain {part}");
    }
    assert!(!said.contains("Bcc:"), "{said}");
}

#[test]
fn refusals_have_kinds() {
    let check = |command: &'static str, reply: &'static str, kind: Kind| {
        let (port, _received) = server(Some((command, reply)));
        let failure = failure(world(port).run_action("email", letter()));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, "SKEP-R052"), "{}", failure.message);
    };
    check("AUTH", "535 no", Kind::Permission);
    check("RCPT", "550 nobody", Kind::Invalid);
    check("MAIL", "451 later", Kind::Unavailable);
}

#[test]
fn what_cannot_be_sent_says_why() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(failure(world(closed).run_action("email", letter())).kind, Kind::Network);
    let unset = failure(World::new().run_action("email", letter()));
    assert_eq!(unset.code, "SKEP-R050");
    let mut wrong = letter();
    wrong["to"] = json!("nobody");
    assert_eq!(failure(world(closed).run_action("email", wrong)).code, "SKEP-R051");
    assert_eq!(failure(world(closed).run_action("email", json!({"to": "a@b.c", "subject": "x"}))).code, "SKEP-R011");
}
