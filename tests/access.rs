//! Keys and users from outside: what is shown once, what a terminal does not show, what the page says about roles.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use skep_model::access::{Right, Role};

use crate::support::answer::{Answer, Running};
use crate::support::place::Place;
use crate::support::repository;
use crate::support::wait;

/// Runs a command with `text` on standard input.
fn with_input(mut command: Command, text: &str) -> Answer {
    let mut file = tempfile::tempfile().expect("a file can be made");
    file.write_all(text.as_bytes()).expect("a file can be written");
    std::io::Seek::rewind(&mut file).expect("a file has a beginning");
    command.stdin(Stdio::from(file));
    Running::start(command).end()
}

fn names(listed: &Value, of: &str) -> Vec<(String, String)> {
    let field = |entry: &Value, name: &str| entry[name].to_string().trim_matches('"').to_owned();
    let rows = listed[of].as_array().expect("it is a list").iter();
    rows.map(|entry| (field(entry, "name"), field(entry, if of == "keys" { "state" } else { "disabled" }))).collect()
}

#[test]
fn a_secret_is_printed_once_and_alone() {
    let place = Place::new();
    let grants = ["--role", "operator", "--role", "approver", "--workflow", "deploy/*", "--workflow", "backup"];
    let answer = place.skep(&[&["key", "create", "ci", "--expires", "90d"][..], &grants[..]].concat()).exits(0);
    let secret = answer.out.trim_end();
    assert!(answer.out.lines().count() == 1 && secret.len() == 48 && secret.starts_with("skep_"), "{answer}");
    assert!(answer.err.contains("not shown again") && !answer.err.contains(secret), "{answer}");
    let json = place.json(&["key", "create", "grafana", "--role", "viewer"], 0);
    assert!(json["secret"].as_str().is_some_and(|secret| secret.len() == 48), "{json}");
    assert_eq!(json["key"]["grants"], json!([{"role": "viewer", "workflows": ["**"]}]));

    let listed = place.json(&["key", "list"], 0);
    let workflows = json!(["deploy/*", "backup"]);
    let expected = json!([{"role": "operator", "workflows": workflows}, {"role": "approver", "workflows": workflows}]);
    assert_eq!(listed["keys"][0]["grants"], expected);
    assert_eq!(listed["keys"][0]["prefix"], secret[..8]);
    let records = place.skep(&["audit", "export"]).exits(0).lines();
    let made = records.iter().find(|record| record["event_type"] == "key_created").expect("it is recorded");
    assert_eq!(listed["keys"][0]["created_by"], made["actor"]["name"]);
    assert_eq!((&made["details"]["key"], &made["details"]["prefix"]), (&json!("ci"), &json!(secret[..8])));
    let shown = place.skep(&["key", "list"]).exits(0).out;
    assert!(shown.contains("operator on deploy/*, backup; approver on deploy/*, backup"), "{shown}");

    assert_eq!(place.json(&["key", "revoke", "ci"], 0)["state"], "revoked");
    assert_eq!(
        names(&place.json(&["key", "list"], 0), "keys"),
        [("ci".to_owned(), "revoked".to_owned()), ("grafana".to_owned(), "active".to_owned())]
    );
    for seen in [listed.to_string(), shown, place.skep(&["audit", "export"]).exits(0).out] {
        assert!(!seen.contains(secret) && seen.contains("ci"), "{seen}");
    }
}

#[test]
fn what_cannot_be_a_key_says_why() {
    let place = Place::new();
    place.json(&["key", "create", "ci", "--role", "viewer"], 0);
    for (arguments, code, error) in [
        (["key", "create", "ci", "--role", "viewer"], 1, "SKEP-T025"),
        (["key", "create", "two words", "--role", "viewer"], 1, "SKEP-N010"),
        (["key", "create", "old", "--role=viewer", "--expires=2020-01-01T00:00:00Z"], 1, "SKEP-N010"),
    ] {
        let answer = place.json(&arguments, code);
        assert_eq!(answer["error"]["code"], error, "{answer}");
        assert!(answer["error"]["hint"].is_string(), "{answer}");
    }
    assert_eq!(place.json(&["key", "revoke", "none"], 1)["error"]["code"], "SKEP-N060");
    assert_eq!(place.json(&["user", "disable", "none"], 1)["error"]["code"], "SKEP-N060");
    for (arguments, says) in [
        (["key", "create", "x", "--role=root"], "viewer, operator, approver, editor, admin, agent"),
        (["key", "create", "x", "--name=y"], "--name"),
        (["key", "create", "--role=admin", "--expires=soon"], "90d"),
        (["user", "add", "x", "--workflow=**"], "--role"),
    ] {
        let answer = place.skep(&arguments).exits(2);
        assert!(answer.err.contains(says), "{answer}");
    }
    assert_eq!(place.json(&["key", "list"], 0)["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_running_owner_makes_them_too() {
    let place = Place::new();
    let serve = place.start(&["serve"]);
    wait::until("the socket", wait::SOON, || place.data().join("skep.sock").exists().then_some(()));
    let secret = place.skep(&["key", "create", "ci", "--role", "operator"]).exits(0).out;
    let added = with_input(place.command(["user", "add", "grace", "--role", "approver"]), "correct horse\n").exits(0);
    assert_eq!(added.out, "added grace (approver)\n");
    assert_eq!(names(&place.json(&["user", "list"], 0), "users"), [("grace".to_owned(), "false".to_owned())]);
    place.json(&["user", "disable", "grace"], 0);
    let changed = with_input(place.command(["user", "password", "grace"]), "battery staple").exits(0);
    assert_eq!(names(&place.json(&["user", "list"], 0), "users"), [("grace".to_owned(), "true".to_owned())]);
    place.json(&["user", "enable", "grace"], 0);
    let records = place.skep(&["audit", "export"]).exits(0);
    let types: Vec<Value> = records.lines().into_iter().map(|record| record["event_type"].clone()).collect();
    for kind in ["key_created", "user_created", "user_disabled", "password_set", "user_enabled"] {
        assert!(types.contains(&json!(kind)), "{kind}: {types:?}");
    }
    place.skep(&["serve", "--stop"]).exits(0);
    let served = serve.end();
    for seen in [&records.out, &served.out, &served.err, &changed.out, &changed.err] {
        let secrets = [secret.trim_end(), "correct horse", "battery staple", "argon2"];
        assert!(!secrets.iter().any(|secret| seen.contains(secret)), "{seen}");
    }
}

#[test]
fn what_is_no_password_is_not_taken() {
    let place = Place::new();
    for (given, says) in [
        ("", "no password was given"),
        ("\n", "no password was given"),
        ("short\n", "a password of 5 bytes is not taken"),
        ("correct horse\nbattery staple\n", "a password is one line"),
        (&"x".repeat(5_000), "is not taken"),
    ] {
        let answer = with_input(place.command(["user", "add", "grace", "--role", "approver"]), given).exits(1);
        assert!(answer.err.contains(says), "{answer}");
    }
    assert_eq!(place.json(&["user", "list"], 0), json!({ "users": [] }));
}

/// A terminal with `skep` on its other side.
struct Terminal {
    screen: File,
    command: Running,
}

impl Terminal {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
        grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("it is ours");
        let name = ptsname(&screen, Vec::new()).expect("it has a name").into_string().expect("a path is text");
        let keyboard = File::options().read(true).write(true).open(name).expect("it can be opened");
        let mut command = place.command(arguments);
        command.stdin(Stdio::from(keyboard));
        Self { screen: File::from(screen), command: Running::start(command) }
    }

    /// Types `text` once `prompt` was asked.
    fn types(&mut self, prompt: &str, text: &str) {
        let errors = || self.command.errors_so_far().contains(prompt).then_some(());
        wait::until(prompt, wait::SOON, errors);
        self.screen.write_all(text.as_bytes()).expect("it takes what is typed");
    }

    /// How the command ended, and what the terminal showed.
    fn end(mut self) -> (Answer, String) {
        let answer = self.command.end();
        let mut shown = vec![0; 4_096];
        // The other side is closed: what is left is read, and then the end of it is an error on Linux.
        let length = self.screen.read(&mut shown).unwrap_or(0);
        (answer, String::from_utf8_lossy(&shown[..length]).into_owned())
    }
}

#[test]
fn a_terminal_does_not_show_a_password() {
    let place = Place::new();
    let mut terminal = Terminal::start(&place, &["user", "add", "grace", "--role", "approver"]);
    terminal.types("Password for grace: ", "correct horse\n");
    terminal.types("The same again: ", "correct horse\n");
    let (answer, shown) = terminal.end();
    assert_eq!(answer.exits(0).out, "added grace (approver)\n");
    assert!(!shown.contains("horse") && shown.contains('\n'), "{shown:?}");

    let mut terminal = Terminal::start(&place, &["user", "password", "grace"]);
    terminal.types("Password for grace: ", "correct horse\n");
    terminal.types("The same again: ", "correct house\n");
    let (answer, shown) = terminal.end();
    assert!(answer.exits(1).err.contains("are not the same"));
    assert!(!shown.contains("hor") && !shown.contains("hou"), "{shown:?}");
}

/// The tables of the page, as they follow from the table of rights.
fn tables() -> [String; 2] {
    let heading: Vec<&str> = Right::ALL.map(Right::as_str).to_vec();
    let mut roles = format!("| role | {} |\n|---|{}\n", heading.join(" | "), "---|".repeat(heading.len()));
    for role in Role::ALL {
        let marks = Right::ALL.map(|right| if role.rights().contains(&right) { "yes" } else { "-" });
        roles.push_str(&format!("| `{role}` | {} |\n", marks.join(" | ")));
    }
    let mut rights = "| right | lets one |\n|---|---|\n".to_owned();
    for right in Right::ALL {
        rights.push_str(&format!("| {} | {} |\n", right.as_str(), right.covers()));
    }
    [roles, rights]
}

#[test]
fn the_page_has_the_table_of_rights_that_is_in_force() {
    let page = std::fs::read_to_string(repository::path("docs/guide/access.md")).expect("the page can be read");
    for table in tables() {
        assert!(page.contains(&table), "docs/guide/access.md must have:\n{table}");
    }
}
