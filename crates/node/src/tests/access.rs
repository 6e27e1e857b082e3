//! Keys and users over a real store: who is recognised, what is kept, what is recorded.

use skep_model::access::{Grant, Principal, Right, Role, Secret};
use skep_model::actor::Actor;
use skep_model::audit::EventType;
use skep_model::time::Timestamp;

use super::{ada, open};
use crate::service::{AuditQuery, Denied, KeyState, NewKey, NewUser, audit_list};
use crate::{Error, ErrorClass, Node, clock};

const MINUTE_US: i64 = 60_000_000;

fn operator(name: &str, workflows: &str) -> NewKey {
    let workflows = vec![workflows.parse().unwrap()];
    NewKey { name: name.to_owned(), grants: vec![Grant { role: Role::Operator, workflows }], expires_at: None }
}

fn user(name: &str, password: &str) -> NewUser {
    let grants = vec![Grant::everywhere(Role::Approver)];
    NewUser { name: name.to_owned(), grants, password: Some(Secret::new(password)) }
}

fn later(us: i64) -> Timestamp {
    Timestamp(clock::now().0 + us)
}

fn denied(node: &Node, secret: &str, now: Timestamp) -> String {
    node.authenticate(secret, now).unwrap_err().to_string()
}

#[test]
fn a_key_is_recognised_until_it_expires_or_is_revoked() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    let end = later(60 * MINUTE_US);
    let new = NewKey { expires_at: Some(end), ..operator("ci", "deploy/*") };
    let (entry, secret) = node.create_key(new, &ada()).unwrap();
    assert!(secret.expose().starts_with(&entry.prefix));
    assert_eq!((entry.created_by.as_str(), entry.last_used_at, entry.expires_at), ("ada", None, Some(end)));
    let principal = node.authenticate(secret.expose(), later(0)).unwrap();
    assert_eq!(principal.actor, Actor::Key { name: "ci".to_owned() });
    assert!(principal.may(Right::Run, Some("deploy/release")) && !principal.may(Right::Run, Some("billing")));
    node.close();

    let node = open(place.path());
    assert!(node.authenticate(secret.expose(), Timestamp(end.0 - 1)).is_ok());
    let error = node.authenticate(secret.expose(), end).unwrap_err();
    assert!(matches!(error, Denied::Expired { .. }) && error.name() == Some("ci"), "{error}");
    let (other, other_secret) = node.create_key(operator("other", "**"), &ada()).unwrap();
    assert_eq!(other.state(later(0)), KeyState::Active);
    assert!(node.revoke_key("other", &ada()).unwrap().revoked_at.is_some());
    assert_eq!(denied(&node, other_secret.expose(), later(0)), "the API key `other` was revoked");
    let again = node.revoke_key("other", &ada()).unwrap();
    assert_eq!(again.revoked_at, node.revoke_key("other", &ada()).unwrap().revoked_at);
    let listed = node.reading().list_keys().unwrap();
    let states: Vec<_> = listed.iter().map(|key| (key.name.as_str(), key.state(end).as_str())).collect();
    assert_eq!(states, [("ci", "expired"), ("other", "revoked")]);
    let error = node.revoke_key("none", &ada()).unwrap_err();
    assert_eq!((error.code().id, error.class()), ("SKEP-N060", ErrorClass::NotFound));
    node.close();
}

#[test]
fn what_is_no_secret_is_unknown() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    let (_, secret) = node.create_key(operator("ci", "**"), &ada()).unwrap();
    let mut almost = secret.expose().to_owned();
    almost.pop();
    let (spaced, large) = (format!("{} ", secret.expose()), secret.expose().to_uppercase());
    for wrong in ["", "ci", "skep_", &almost, &spaced, &large, &"x".repeat(100_000)] {
        let error = node.authenticate(wrong, later(0)).unwrap_err();
        assert!(matches!(error, Denied::Unknown), "{error}");
        assert_eq!((error.code().id, error.name()), ("SKEP-N061", None));
    }
    assert!(denied(&node, "your-api-key", later(0)).contains("`skep key create NAME`"));
    node.close();
}

#[test]
fn a_key_that_makes_no_sense_is_not_made() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    node.create_key(operator("ci", "**"), &ada()).unwrap();
    let no_role = NewKey { grants: Vec::new(), ..operator("a", "**") };
    let nowhere = vec![Grant { role: Role::Admin, workflows: Vec::new() }];
    let many = vec![Grant::everywhere(Role::Viewer); skep_model::limits::GRANTS_MAX + 1];
    for (bad, says) in [
        (operator("", "**"), "cannot be the name of a key"),
        (operator("two words", "**"), "cannot be the name of a key"),
        (operator("key:ci", "**"), "cannot be the name of a key"),
        (operator("ci", "**"), "key `ci` was not created: the name is taken"),
        (no_role, "without a role"),
        (NewKey { grants: nowhere, ..operator("a", "**") }, "a role without workflows"),
        (NewKey { grants: many, ..operator("a", "**") }, "more than 64 roles"),
        (NewKey { expires_at: Some(Timestamp(1)), ..operator("a", "**") }, "would have expired already"),
    ] {
        let error = node.create_key(bad, &ada()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    node.revoke_key("ci", &ada()).unwrap();
    let error = node.create_key(operator("ci", "**"), &ada()).unwrap_err();
    assert_eq!((error.code().id, error.class()), ("SKEP-T025", ErrorClass::Conflict));
    assert_eq!(node.reading().list_keys().unwrap().len(), 1);
    node.close();
}

#[test]
fn the_use_of_a_key_is_kept_once_a_minute() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    let (_, secret) = node.create_key(operator("ci", "**"), &ada()).unwrap();
    let (began, rows) = (later(0), node.stats().rows);
    let mut settled = 0;
    // What is committed after a use is committed after its row.
    let mut last_used = || {
        settled += 1;
        node.create_key(operator(&format!("mark-{settled}"), "**"), &ada()).unwrap();
        node.reading().list_keys().unwrap().into_iter().find(|key| key.name == "ci").unwrap().last_used_at
    };
    for (after_us, kept_us) in
        [(0, 0), (1, 0), (MINUTE_US - 1, 0), (MINUTE_US, MINUTE_US), (MINUTE_US + 5, MINUTE_US), (0, MINUTE_US)]
    {
        node.authenticate(secret.expose(), Timestamp(began.0 + after_us)).unwrap();
        assert_eq!(last_used(), Some(Timestamp(began.0 + kept_us)), "after {after_us}");
    }
    assert_eq!(node.stats().rows - rows, 2 + 6 * 2, "two uses, and each mark with its record");
    node.close();
}

#[test]
fn the_first_start_makes_the_first_key_and_no_other_does() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    let secret = node.ensure_admin_key(later(0)).unwrap().unwrap();
    let principal = node.authenticate(secret.expose(), later(0)).unwrap();
    assert_eq!(principal, Principal::admin(Actor::Key { name: "admin".to_owned() }));
    assert_eq!(node.ensure_admin_key(later(0)).unwrap(), None);
    node.revoke_key("admin", &ada()).unwrap();
    node.close();
    let node = open(place.path());
    assert_eq!(node.ensure_admin_key(later(0)).unwrap(), None);
    node.close();
}

#[test]
fn a_user_signs_in_with_their_password() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    node.create_user(user("grace", "correct horse"), &ada()).unwrap();
    node.create_user(NewUser { password: None, ..user("later", "") }, &ada()).unwrap();
    let sign_in = |name: &str, password: &str| node.verify_password(name, &Secret::new(password));
    let principal = sign_in("grace", "correct horse").unwrap();
    assert_eq!(principal.actor, Actor::person("grace"));
    assert!(principal.may(Right::Approve, None) && principal.is("grace"));
    for (name, password) in [("grace", "correct hors"), ("grace", ""), ("Grace", "correct horse"), ("later", "")] {
        let error = sign_in(name, password).unwrap_err();
        assert!(matches!(error, Denied::WrongPassword), "{name}: {error}");
    }
    node.set_password("grace", &Secret::new("battery staple"), &ada()).unwrap();
    assert!(sign_in("grace", "correct horse").is_err() && sign_in("grace", "battery staple").is_ok());
    assert!(node.disable_user("grace", true, &ada()).unwrap().disabled);
    assert!(matches!(sign_in("grace", "battery staple"), Err(Denied::Disabled { .. })));
    assert!(matches!(sign_in("grace", "wrong horse"), Err(Denied::WrongPassword)));
    assert!(!node.disable_user("grace", false, &ada()).unwrap().disabled);
    assert!(sign_in("grace", "battery staple").is_ok());
    let listed: Vec<_> =
        node.reading().list_users().unwrap().into_iter().map(|user| (user.name, user.has_password)).collect();
    assert_eq!(listed, [("grace".to_owned(), true), ("later".to_owned(), false)]);
    node.close();
}

#[test]
fn a_user_that_makes_no_sense_is_not_added() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    node.create_user(NewUser { password: None, ..user("grace", "") }, &ada()).unwrap();
    for (bad, says) in [
        (user("two words", "long enough"), "cannot be the name of a user"),
        (user("engine", "long enough"), "records use it for Skep itself"),
        (user("grace", "long enough"), "user `grace` was not created: the name is taken"),
        (user("eve", "short"), "a password of 5 bytes is not taken"),
        (NewUser { grants: Vec::new(), ..user("eve", "long enough") }, "without a role"),
    ] {
        let error = node.create_user(bad, &ada()).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let nobody = [
        node.disable_user("eve", true, &ada()).unwrap_err(),
        node.set_password("eve", &Secret::new("long enough"), &ada()).unwrap_err(),
    ];
    assert!(nobody.iter().all(|error| matches!(error, Error::NoSuchCaller { .. })), "{nobody:?}");
    node.close();
}

#[test]
fn every_act_is_recorded_and_no_secret_is_on_disk() {
    let place = tempfile::tempdir().unwrap();
    let node = open(place.path());
    let admin = node.ensure_admin_key(later(0)).unwrap().unwrap();
    let (_, secret) = node.create_key(operator("ci", "deploy/*"), &ada()).unwrap();
    node.revoke_key("ci", &ada()).unwrap();
    node.create_user(user("grace", "correct horse"), &ada()).unwrap();
    node.set_password("grace", &Secret::new("battery staple"), &ada()).unwrap();
    // What changes nothing is no act.
    node.disable_user("grace", false, &ada()).unwrap();
    node.revoke_key("ci", &ada()).unwrap();
    node.disable_user("grace", true, &ada()).unwrap();
    node.disable_user("grace", false, &ada()).unwrap();
    let directory = node.directory().clone();
    node.close();
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    let records = audit_list(&directory, &query).unwrap();
    let acts: Vec<_> = records
        .iter()
        .rev()
        .filter(|record| record.event_id.starts_with("act-"))
        .map(|record| (record.entry.event_type, record.entry.actor.label(), record.entry.message.as_str()))
        .collect();
    let by = |who: &str, kind, message| (kind, who.to_owned(), message);
    assert_eq!(
        acts,
        [
            by("engine", EventType::KeyCreated, "made the key admin (admin)"),
            by("ada", EventType::KeyCreated, "made the key ci (operator on deploy/*)"),
            by("ada", EventType::KeyRevoked, "revoked the key ci"),
            by("ada", EventType::UserCreated, "added the user grace (approver)"),
            by("ada", EventType::PasswordSet, "set the password of the user grace"),
            by("ada", EventType::UserDisabled, "disabled the user grace"),
            by("ada", EventType::UserEnabled, "enabled the user grace"),
        ]
    );
    let secrets = [admin.expose(), secret.expose(), "correct horse", "battery staple"];
    let searched = files_without(place.path(), &secrets);
    assert!(searched > 3, "{searched} files");
}

/// Counts the files below `folder`, none of which may hold any of `texts`.
fn files_without(folder: &std::path::Path, texts: &[&str]) -> usize {
    let mut searched = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            searched += files_without(&path, texts);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!texts.iter().any(|text| holds(text)), "{}", path.display());
            searched += 1;
        }
    }
    searched
}
