//! Random sequences of operations on a store and on the oracle must give the same answers and leave the same
//! content. `SKEP_SEED` chooses the sequences; a failure prints the smallest one that shows it.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use skep_model::ids::{Hash, LocalId, Position, Token};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::Fixture;
use super::dump::dump;
use super::samples::{
    access, breaker, change, child, execution_row, idle, key_row, permit, snapshot, start_key, turn, user, validation,
    version, write,
};
use crate::access::{AccessChange, KeyRow};
use crate::error::Error;
use crate::journal::{Journal, Row, Write};
use crate::memory::Memory;

/// Sequences per run: each costs up to 25 fsyncs.
const SEQUENCES: u32 = 40;
const PATHS: &[&str] = &["a/y", "b/x"];
const TEXTS: &[&str] = &["one", "two"];

/// One thing to do. Numbers are small, so that writes meet.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Piece>),
    Reopen,
}

/// A part of a group. Turns name their distance from the right sequence number.
#[derive(Clone, Debug)]
enum Piece {
    Create { local: i64, id: i64, path: Option<usize> },
    Turn { local: i64, off: i8 },
    Change { local: i64, status: usize },
    Plan { text: usize },
    Definition { text: usize },
    Add { path: usize, text: usize },
    Remove { path: usize },
    Child { local: i64, token: u8, pid: i32 },
    Gone { token: u8 },
    Snapshot { local: i64, seq: u64 },
    Idle { local: i64, idle: bool, wake: Option<i64> },
    Permit { local: i64, text: usize, held: bool, priority: i32 },
    GiveBack { local: i64, text: usize },
    Breaker { text: usize, state: usize },
    Key { local: i64, text: usize },
    Validated { text: usize, at: i64 },
    ApiKey { text: usize, secret: usize },
    KeyUsed { text: usize, at: i64 },
    KeyRevoked { text: usize, at: i64 },
    User { text: usize },
    UserChanged { text: usize, disabled: bool },
}

fn piece() -> impl Strategy<Value = Piece> {
    let (local, text, path) = (1..6_i64, 0..TEXTS.len(), 0..PATHS.len());
    let created = (local.clone(), prop_oneof![9 => Just(0), 1 => 1..6_i64], proptest::option::of(path.clone()));
    let off = prop_oneof![12 => Just(0_i8), 1 => Just(-1_i8), 1 => Just(1_i8)];
    prop_oneof![
        6 => created.prop_map(|(local, id, path)| Piece::Create { local, id, path }),
        12 => (local.clone(), off).prop_map(|(local, off)| Piece::Turn { local, off }),
        4 => (local.clone(), 0..Status::ALL.len()).prop_map(|(local, status)| Piece::Change { local, status }),
        1 => text.clone().prop_map(|text| Piece::Plan { text }),
        1 => text.clone().prop_map(|text| Piece::Definition { text }),
        2 => (path.clone(), text).prop_map(|(path, text)| Piece::Add { path, text }),
        1 => path.prop_map(|path| Piece::Remove { path }),
        3 => (local.clone(), 0..TEXTS.len(), any::<bool>(), 0..3_i32)
            .prop_map(|(local, text, held, priority)| Piece::Permit { local, text, held, priority }),
        1 => (local.clone(), 0..TEXTS.len()).prop_map(|(local, text)| Piece::GiveBack { local, text }),
        1 => (0..TEXTS.len(), 0..TEXTS.len()).prop_map(|(text, state)| Piece::Breaker { text, state }),
        2 => (0..TEXTS.len(), 0..9_i64).prop_map(|(text, at)| Piece::Validated { text, at }),
        1 => (0..TEXTS.len(), 0..TEXTS.len()).prop_map(|(text, secret)| Piece::ApiKey { text, secret }),
        1 => (0..TEXTS.len(), 0..9_i64).prop_map(|(text, at)| Piece::KeyUsed { text, at }),
        1 => (0..TEXTS.len(), 0..9_i64).prop_map(|(text, at)| Piece::KeyRevoked { text, at }),
        1 => (0..TEXTS.len()).prop_map(|text| Piece::User { text }),
        1 => (0..TEXTS.len(), any::<bool>()).prop_map(|(text, disabled)| Piece::UserChanged { text, disabled }),
        1 => (local.clone(), 0..TEXTS.len()).prop_map(|(local, text)| Piece::Key { local, text }),
        2 => (local, 0..3_u8, 1..200_i32).prop_map(|(local, token, pid)| Piece::Child { local, token, pid }),
        1 => (0..3_u8).prop_map(|token| Piece::Gone { token }),
        2 => (1..6_i64, 0..9_u64).prop_map(|(local, seq)| Piece::Snapshot { local, seq }),
        2 => (1..6_i64, any::<bool>(), proptest::option::of(0..9_i64))
            .prop_map(|(local, idle, wake)| Piece::Idle { local, idle, wake }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![8 => vec(piece(), 1..4).prop_map(Step::Commit), 1 => Just(Step::Reopen)];
    vec(step, 1..25)
}

/// The sequence numbers that the generated turns refer to.
type Sequences = std::collections::HashMap<i64, u64>;

fn build(piece: &Piece, sequences: &mut Sequences) -> Write {
    match piece {
        Piece::Create { local, id, path } => {
            let mut row = execution_row(*local);
            if *id > 0 {
                row.id = execution_row(*id).id;
            }
            row.workflow_path = path.map(|path| PATHS[path].to_owned());
            write(Row::ExecutionCreated(row))
        }
        Piece::Turn { local, off } => {
            let right = sequences.entry(*local).or_insert(0);
            *right += 1;
            turn(*local, right.saturating_add_signed(i64::from(*off)))
        }
        Piece::Change { local, status } => write(change(*local, Status::ALL[*status], 1)),
        Piece::Plan { text } => {
            let bytes = TEXTS[*text].as_bytes();
            write(Row::Plan { hash: Hash::of(bytes), format: 1, bytes: bytes.to_vec() })
        }
        Piece::Definition { text } => {
            let text = TEXTS[*text].as_bytes();
            write(Row::Definition { hash: Hash::of(text), text: text.to_vec() })
        }
        Piece::Add { path, text } => write(version(PATHS[*path], TEXTS[*text])),
        Piece::Remove { path } => write(Row::WorkflowRemoved { path: PATHS[*path].to_owned() }),
        Piece::Child { local, token, pid } => write(child(*local, &format!("token-{token}"), *pid)),
        Piece::Permit { local, text, held, priority } => write(permit(*local, TEXTS[*text], *held, *priority)),
        Piece::GiveBack { local, text } => write(Row::PermitGone {
            resource: TEXTS[*text].to_owned(),
            execution: LocalId(*local),
            path: "deploy".into(),
        }),
        Piece::Breaker { text, state } => write(breaker(TEXTS[*text], TEXTS[*state])),
        Piece::Key { local, text } => write(start_key(*local, TEXTS[*text])),
        Piece::Validated { text, at } => write(validation(TEXTS[*text], *at)),
        Piece::ApiKey { text, secret } => {
            let hash = Hash::of(TEXTS[*secret].as_bytes());
            access(AccessChange::KeyCreated(KeyRow { hash, ..key_row(TEXTS[*text]) }))
        }
        Piece::KeyUsed { text, at } => {
            access(AccessChange::KeyUsed { name: TEXTS[*text].to_owned(), at: Timestamp(*at) })
        }
        Piece::KeyRevoked { text, at } => {
            access(AccessChange::KeyRevoked { name: TEXTS[*text].to_owned(), at: Timestamp(*at) })
        }
        Piece::User { text } => write(user(TEXTS[*text])),
        Piece::UserChanged { text, disabled } => {
            access(AccessChange::UserDisabled { name: TEXTS[*text].to_owned(), disabled: *disabled })
        }
        Piece::Gone { token } => write(Row::ChildGone { token: Token::new(format!("token-{token}")) }),
        Piece::Snapshot { local, seq } => write(snapshot(*local, *seq)),
        Piece::Idle { local, idle: waits, wake } => write(idle(*local, *waits, *wake)),
    }
}

/// How often each answer was seen.
#[derive(Debug, Default)]
struct Seen {
    committed: u32,
    refused: std::collections::BTreeMap<&'static str, u32>,
    reopened: u32,
}

/// Compares the store that `fresh` makes with the oracle.
pub(crate) fn differ<F: Fixture>(fresh: impl Fn() -> F) {
    let seed: u64 = std::env::var("SKEP_SEED").map_or(1, |text| text.parse().expect("SKEP_SEED is a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let seen = RefCell::new(Seen::default());
    if let Err(failure) = runner.run(&steps(), |steps| run(&mut fresh(), &steps, &seen)) {
        panic!("{failure}\nagain: SKEP_SEED={seed} cargo test -p skep-store differential");
    }
    let seen = seen.into_inner();
    assert!(seen.committed > 50 && seen.reopened > 10, "{seen:?}");
    assert_eq!(seen.refused.keys().copied().collect::<Vec<_>>(), ["SKEP-T001", "SKEP-T002", "SKEP-T003", "SKEP-T025"]);
}

fn run(store: &mut dyn Fixture, steps: &[Step], seen: &RefCell<Seen>) -> Result<(), TestCaseError> {
    let mut oracle = Memory::new();
    let mut sequences = Sequences::new();
    let hashes: Vec<Hash> = TEXTS.iter().map(|text| Hash::of(text.as_bytes())).collect();
    for step in steps {
        match step {
            Step::Reopen => {
                store.reopen();
                seen.borrow_mut().reopened += 1;
            }
            Step::Commit(pieces) => {
                let mut next = sequences.clone();
                let group: Vec<Write> = pieces.iter().map(|piece| build(piece, &mut next)).collect();
                let expected = oracle.commit(&group);
                let found = store.journal().commit(&group);
                prop_assert_eq!(answer(&found), answer(&expected));
                note(&expected, &mut seen.borrow_mut());
                if expected.is_ok() {
                    sequences = next;
                }
            }
        }
        let expected = dump(&oracle, &hashes, PATHS).expect("memory does not fail");
        prop_assert_eq!(dump(&*store.reader(), &hashes, PATHS).expect("the store is read"), expected);
    }
    Ok(())
}

fn answer(outcome: &Result<Vec<Option<Position>>, Error>) -> String {
    format!("{:?}", outcome.as_ref().map_err(ToString::to_string))
        + &format!("{:?}", outcome.as_ref().err().map(Error::culprit))
}

fn note(outcome: &Result<Vec<Option<Position>>, Error>, seen: &mut Seen) {
    match outcome {
        Ok(_) => seen.committed += 1,
        Err(error) => *seen.refused.entry(error.code().id).or_default() += 1,
    }
}
