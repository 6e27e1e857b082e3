//! Small values for the tests of this crate.

use skep_model::ids::{ExecutionId, Hash, LocalId, Token};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use crate::access::{AccessChange, KeyRow, UserRow};
use crate::idle::IdleChange;
use crate::journal::{NewTurn, NewVersion, Row, Write};
use crate::rows::{
    BreakerRow, ChildRow, ExecutionChange, ExecutionRow, PermitRow, PermitState, StartKeyRow, ValidationRow,
};
use crate::snapshot::StoredSnapshot;

/// The row of execution number `local`, id `id-LOCAL`, pending, of workflow `release`.
pub(crate) fn execution_row(local: i64) -> ExecutionRow {
    ExecutionRow {
        local: LocalId(local),
        id: ExecutionId::new(format!("id-{local}")),
        workflow: "release".to_owned(),
        workflow_path: None,
        version: "1.0.0".to_owned(),
        plan_hash: Hash::of(b"plan"),
        definition_hash: Hash::of(b"definition"),
        status: Status::Pending,
        started_at: Timestamp(local * 100),
        updated_at: Timestamp(local * 100),
        ended_at: None,
        base_dir: Some("/home/ada".to_owned()),
        waiting: None,
        error: None,
        actor: "ada".to_owned(),
        seq: 0,
    }
}

/// A write that creates execution number `local`.
pub(crate) fn created(local: i64) -> Write {
    Write { turn: None, rows: vec![Row::ExecutionCreated(execution_row(local))] }
}

/// A write of turn `seq` of execution number `local`.
pub(crate) fn turn(local: i64, seq: u64) -> Write {
    let at = Timestamp(seq.cast_signed() * 10);
    let events = format!(r#"[{{"t":"completed","p":"step-{seq}"}}]"#);
    Write { turn: Some(NewTurn { execution: LocalId(local), seq, at, events }), rows: Vec::new() }
}

/// A write of one row.
pub(crate) fn write(row: Row) -> Write {
    Write { turn: None, rows: vec![row] }
}

pub(crate) fn change(local: i64, status: Status, seq: u64) -> Row {
    let at = Timestamp(1_000 + seq.cast_signed());
    Row::ExecutionChanged(ExecutionChange {
        local: LocalId(local),
        status,
        updated_at: at,
        ended_at: status.is_terminal().then_some(at),
        waiting: (status == Status::Running).then(|| "waits for ada".to_owned()),
        error: (status == Status::Failed).then(|| "exit code 3".to_owned()),
        seq,
    })
}

pub(crate) fn version(path: &str, text: &str) -> Row {
    Row::WorkflowAdded(NewVersion {
        path: path.to_owned(),
        workflow: "release".to_owned(),
        name: "Release".to_owned(),
        description: String::new(),
        version: text.to_owned(),
        definition_hash: Hash::of(text.as_bytes()),
        added_at: Timestamp(7),
        actor: "ada".to_owned(),
    })
}

pub(crate) fn child(local: i64, token: &str, pid: i32) -> Row {
    Row::Child(ChildRow {
        execution: LocalId(local),
        path: "rollout[0].deploy".into(),
        token: Token::new(token),
        pid,
        started_ticks: 123_456,
        boot_id: "boot".to_owned(),
        cgroup: (pid > 100).then(|| "/sys/fs/cgroup/skep/a".to_owned()),
    })
}

pub(crate) fn snapshot(local: i64, seq: u64) -> Row {
    let bytes = format!("state {seq}").into_bytes();
    Row::Snapshot(StoredSnapshot { execution: LocalId(local), seq, format: 1, bytes })
}

/// Idle executions with a wake wait for people too.
pub(crate) fn idle(local: i64, idle: bool, wake: Option<i64>) -> Row {
    let next_wake = wake.map(Timestamp);
    Row::Idle(IdleChange { local: LocalId(local), idle, next_wake, for_people: idle && wake.is_some() })
}

/// A place of the step `deploy` of an execution, asked for at its number.
pub(crate) fn permit(local: i64, resource: &str, held: bool, priority: i32) -> Row {
    Row::Permit(PermitRow {
        resource: resource.to_owned(),
        execution: LocalId(local),
        path: "deploy".into(),
        state: if held { PermitState::Held } else { PermitState::Waiting },
        priority,
        since: Timestamp(local),
    })
}

pub(crate) fn breaker(name: &str, state: &str) -> Row {
    Row::Breaker(BreakerRow { name: name.to_owned(), state: state.to_owned() })
}

/// A validation of the definition `text` at some time.
pub(crate) fn validation(text: &str, at: i64) -> Row {
    let definition_hash = Hash::of(text.as_bytes());
    Row::Validated(ValidationRow { definition_hash, at: Timestamp(at), report: format!("{{\"at\":{at}}}") })
}

/// A key for workflow `release`, with a digest of the execution's number.
pub(crate) fn start_key(local: i64, key: &str) -> Row {
    let digest = Hash::of(&local.to_le_bytes());
    Row::StartKey(StartKeyRow {
        workflow: "release".to_owned(),
        key: key.to_owned(),
        execution: LocalId(local),
        digest,
    })
}

/// A write of a change about keys and users.
pub(crate) fn access(change: AccessChange) -> Write {
    write(Row::Access(change))
}

/// A key that nobody used, with the secret `secret of NAME`.
pub(crate) fn key_row(name: &str) -> KeyRow {
    KeyRow {
        name: name.to_owned(),
        prefix: "skep_abc".to_owned(),
        hash: Hash::of(format!("secret of {name}").as_bytes()),
        grants: "[]".to_owned(),
        created_at: Timestamp(3),
        created_by: "ada".to_owned(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

pub(crate) fn key(name: &str) -> Row {
    Row::Access(AccessChange::KeyCreated(key_row(name)))
}

/// A user with a password.
pub(crate) fn user_row(name: &str) -> UserRow {
    UserRow {
        name: name.to_owned(),
        grants: "[]".to_owned(),
        password: Some(format!("$argon2id${name}")),
        disabled: false,
        created_at: Timestamp(4),
    }
}

pub(crate) fn user(name: &str) -> Row {
    Row::Access(AccessChange::UserCreated(user_row(name)))
}
