//! The cases of the contract. Each gets an empty store.

use skep_model::ids::{ExecutionId, Hash, LocalId, Position, Token};
use skep_model::limits::VALIDATIONS_KEPT_MAX;
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

use super::samples::{
    breaker, change, child, created, execution_row, idle, permit, snapshot, start_key, turn, validation, version, write,
};
use super::{Fixture, access, bounds};
use crate::error::{Committed, Error};
use crate::journal::{NewAct, Row, Write};
use crate::reader::{Filter, Found, PAGE_BYTES_MAX, PREFIX_CANDIDATES_MAX, Reader, StatusCount};
use crate::retire::{ArchivedRow, Retire};
use crate::rows::WorkflowVersion;

type Case = fn(&mut dyn Fixture);

const CASES: &[Case] = &[
    empty_store,
    turns_come_back_in_order,
    rows_are_written_before_their_turn,
    a_group_is_all_or_nothing,
    refused_writes_are_named,
    positions_and_numbers_survive_a_reopening,
    execution_rows_change,
    an_id_prefix_finds_one_or_names_several,
    lists_are_filtered_and_paged,
    open_executions_come_oldest_first,
    the_journal_is_read_by_position,
    a_page_of_turns_is_bounded_by_bytes,
    plans_and_definitions_are_written_once,
    the_library_counts_versions_per_path,
    children_come_and_go,
    bounds::a_snapshot_lives_as_long_as_its_execution,
    bounds::idle_and_busy_executions_are_told_apart,
    places_in_groups_come_in_the_order_in_which_they_are_served,
    breakers_are_replaced,
    the_first_start_of_a_key_stays,
    validations_stay_with_their_definition,
    what_is_old_leaves_in_steps,
    acts_are_numbered_for_ever,
    access::a_key_is_found_by_name_and_by_hash,
    access::a_key_is_used_and_revoked_once,
    access::names_of_keys_and_users_are_taken_for_ever,
    access::users_change,
];

/// Runs every case on a fresh store.
pub(crate) fn run_all<F: Fixture>(fresh: impl Fn() -> F) {
    for case in CASES {
        case(&mut fresh());
    }
}

pub(super) fn commit(store: &mut dyn Fixture, group: &[Write]) -> Vec<Option<Position>> {
    store.journal().commit(group).expect("the group is good")
}

fn at(position: i64) -> Option<Position> {
    Some(Position(position))
}

fn locals(rows: &[crate::rows::ExecutionRow]) -> Vec<i64> {
    rows.iter().map(|row| row.local.0).collect()
}

fn empty_store(store: &mut dyn Fixture) {
    assert_eq!(commit(store, &[]), []);
    assert_eq!(commit(store, &[Write::default()]), [None]);
    let reader = store.reader();
    assert_eq!(reader.newest_execution().unwrap(), None);
    assert_eq!(reader.execution(&ExecutionId::new("id-1")).unwrap(), None);
    assert_eq!(reader.execution_by_local(LocalId(1)).unwrap(), None);
    assert_eq!(reader.journal(Position(1), 10).unwrap(), []);
    assert_eq!(reader.last_at().unwrap(), None);
    assert_eq!(reader.last_position().unwrap(), Position(0));
    assert_eq!(reader.next_local_id().unwrap(), LocalId(1));
    assert_eq!(reader.plan(Hash::of(b"no")).unwrap(), None);
    assert_eq!(reader.definition(Hash::of(b"no")).unwrap(), None);
    assert_eq!(reader.workflow("a/b", None).unwrap(), None);
    assert!(reader.counts().unwrap().iter().all(|count| count.executions == 0));
    assert_eq!(reader.counts().unwrap().len(), Status::ALL.len());
}

fn turns_come_back_in_order(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2)]);
    assert_eq!(commit(store, &[turn(1, 1), turn(2, 1), turn(1, 2)]), [at(1), at(2), at(3)]);
    assert_eq!(commit(store, &[turn(1, 3)]), [at(4)]);
    let reader = store.reader();
    let turns = reader.turns(LocalId(1), 2, 10).unwrap();
    let found: Vec<_> = turns.iter().map(|turn| (turn.position.0, turn.seq, turn.at.0)).collect();
    assert_eq!(found, [(3, 2, 20), (4, 3, 30)]);
    assert_eq!(turns[0].events, r#"[{"t":"completed","p":"step-2"}]"#);
    assert_eq!(turns[0].execution, LocalId(1));
    assert_eq!(reader.turns(LocalId(1), 1, 2).unwrap().len(), 2);
    assert_eq!(reader.turns(LocalId(1), 4, 10).unwrap(), []);
    assert_eq!(reader.last_at().unwrap(), Some(Timestamp(30)));
}

fn rows_are_written_before_their_turn(store: &mut dyn Fixture) {
    let start = Write { rows: created(1).rows, ..turn(1, 1) };
    assert_eq!(commit(store, &[start]), [at(1)]);
    assert_eq!(store.reader().execution_by_local(LocalId(1)).unwrap(), Some(execution_row(1)));
}

fn a_group_is_all_or_nothing(store: &mut dyn Fixture) {
    commit(store, &[created(1), turn(1, 1)]);
    let group = [created(2), turn(2, 1), write(version("a/b", "one")), turn(1, 3), turn(2, 2)];
    let error = store.journal().commit(&group).unwrap_err();
    assert!(
        matches!(error, Error::SequenceConflict { write: 3, execution: LocalId(1), expected: 2, got: 3 }),
        "{error}"
    );
    assert_eq!(error.committed(), Committed::Nothing);
    let reader = store.reader();
    assert_eq!(reader.execution_by_local(LocalId(2)).unwrap(), None);
    assert_eq!(reader.workflows().unwrap(), []);
    assert_eq!(reader.last_position().unwrap(), Position(1));
    // The next group continues without a gap and without the refused execution.
    assert_eq!(commit(store, &[created(2), turn(2, 1), turn(1, 2)]), [None, at(2), at(3)]);
}

fn refused_writes_are_named(store: &mut dyn Fixture) {
    commit(store, &[created(1), turn(1, 1)]);
    let mut same_id = execution_row(5);
    same_id.id = ExecutionId::new("id-1");
    let refused: [(Write, &str); 11] = [
        (turn(1, 1), "SKEP-T001"),
        (turn(1, 3), "SKEP-T001"),
        (turn(1, 0), "SKEP-T001"),
        (turn(9, 1), "SKEP-T002"),
        (write(change(9, Status::Running, 1)), "SKEP-T002"),
        (write(child(9, "token", 5)), "SKEP-T002"),
        (write(snapshot(9, 1)), "SKEP-T002"),
        (write(idle(9, true, None)), "SKEP-T002"),
        (created(1), "SKEP-T003"),
        (write(Row::ExecutionCreated(same_id)), "SKEP-T003"),
        (Write { turn: turn(9, 1).turn, rows: created(8).rows }, "SKEP-T002"),
    ];
    for (bad, code) in refused {
        let error = store.journal().commit(&[created(7), bad]).unwrap_err();
        assert_eq!((error.code().id, error.culprit()), (code, Some(1)), "{error}");
    }
    assert_eq!(store.reader().next_local_id().unwrap(), LocalId(2));
    assert_eq!(commit(store, &[turn(1, 2)]), [at(2)]);
}

fn positions_and_numbers_survive_a_reopening(store: &mut dyn Fixture) {
    commit(store, &[created(1), turn(1, 1), created(2), turn(2, 1), turn(2, 2)]);
    store.reopen();
    assert_eq!(store.reader().next_local_id().unwrap(), LocalId(3));
    let error = store.journal().commit(&[turn(2, 2)]).unwrap_err();
    assert!(matches!(error, Error::SequenceConflict { expected: 3, got: 2, .. }), "{error}");
    assert_eq!(commit(store, &[turn(2, 3), turn(1, 2)]), [at(4), at(5)]);
    assert_eq!(store.reader().last_position().unwrap(), Position(5));
}

fn execution_rows_change(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2)]);
    commit(store, &[write(change(1, Status::Running, 1))]);
    let row = store.reader().execution(&ExecutionId::new("id-1")).unwrap().unwrap();
    assert_eq!((row.status, row.seq, row.waiting.as_deref()), (Status::Running, 1, Some("waits for ada")));
    commit(store, &[write(change(1, Status::Failed, 2))]);
    let row = store.reader().execution(&ExecutionId::new("id-1")).unwrap().unwrap();
    assert_eq!((row.status, row.waiting, row.error.as_deref()), (Status::Failed, None, Some("exit code 3")));
    assert_eq!((row.ended_at, row.updated_at), (Some(Timestamp(1_002)), Timestamp(1_002)));
    assert_eq!((row.started_at, row.actor.as_str()), (Timestamp(100), "ada"));
    let counts = store.reader().counts().unwrap();
    let counted: Vec<StatusCount> = counts.into_iter().filter(|count| count.executions > 0).collect();
    let expected = |status| StatusCount { status, executions: 1 };
    assert_eq!(counted, [expected(Status::Pending), expected(Status::Failed)]);
}

fn an_id_prefix_finds_one_or_names_several(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2), created(10), created(11)]);
    let reader = store.reader();
    assert_eq!(reader.execution_by_prefix("id-2").unwrap(), Found::One(Box::new(execution_row(2))));
    assert_eq!(reader.execution_by_prefix("id-10").unwrap(), Found::One(Box::new(execution_row(10))));
    for nothing in ["id-3", "d-1", "%", "id-100", "ID-1"] {
        assert_eq!(reader.execution_by_prefix(nothing).unwrap(), Found::None, "{nothing}");
    }
    let ids = |names: &[&str]| Found::Several(names.iter().map(|name| ExecutionId::new(*name)).collect());
    assert_eq!(reader.execution_by_prefix("id-1").unwrap(), ids(&["id-1", "id-10", "id-11"]));
    assert_eq!(reader.newest_execution().unwrap().unwrap().local, LocalId(11));
    commit(store, &(20..40).map(created).collect::<Vec<_>>());
    let Found::Several(named) = store.reader().execution_by_prefix("").unwrap() else { panic!("many fit") };
    assert_eq!(named.len(), PREFIX_CANDIDATES_MAX);
}

fn lists_are_filtered_and_paged(store: &mut dyn Fixture) {
    for local in 1..=6 {
        let mut row = execution_row(local);
        if local % 2 == 0 {
            row.workflow = "backup".to_owned();
            row.workflow_path = Some("nightly/release".to_owned());
        }
        commit(store, &[write(Row::ExecutionCreated(row))]);
    }
    commit(store, &[write(change(2, Status::Completed, 1)), write(change(5, Status::Failed, 1))]);
    let reader = store.reader();
    let list = |filter: &Filter| locals(&reader.list(filter, None, 100).unwrap().rows);
    let of = |statuses: &[Status], workflow: Option<&str>, since: Option<i64>| Filter {
        statuses: statuses.to_vec(),
        workflow: workflow.map(str::to_owned),
        started_since: since.map(Timestamp),
        not_by: None,
    };
    let table = [
        (of(&[], None, None), vec![6, 5, 4, 3, 2, 1]),
        (of(&[Status::Failed, Status::Completed, Status::Failed], None, None), vec![5, 2]),
        (of(&[Status::Pending], None, Some(300)), vec![6, 4, 3]),
        (of(&[], Some("release"), None), vec![5, 3, 1]),
        (of(&[], Some("nightly/release"), None), vec![6, 4, 2]),
        (of(&[Status::Completed, Status::Held], Some("backup"), None), vec![2]),
        (of(&[Status::Completed], Some("release"), None), vec![]),
        (of(&[], None, Some(501)), vec![6]),
    ];
    for (filter, expected) in table {
        assert_eq!(list(&filter), expected, "{filter:?}");
    }
    let others = |actor: &str| Filter { not_by: Some(actor.to_owned()), ..Filter::default() };
    assert_eq!(list(&others("engine")), vec![6, 5, 4, 3, 2, 1]);
    assert_eq!(list(&others("ada")), Vec::<i64>::new());
    pages_join(&*reader, &of(&[Status::Pending, Status::Failed], None, None), &[6, 5, 4, 3, 1]);
}

/// Pages of two rows, one after the other, are the whole list.
fn pages_join(reader: &dyn Reader, filter: &Filter, expected: &[i64]) {
    let (mut found, mut before) = (Vec::new(), None);
    for _ in 0..=expected.len() {
        let page = reader.list(filter, before, 2).unwrap();
        assert!(page.rows.len() <= 2);
        found.extend(locals(&page.rows));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
}

fn open_executions_come_oldest_first(store: &mut dyn Fixture) {
    commit(store, &Status::ALL.iter().zip(1..).map(|(_, local)| created(local)).collect::<Vec<_>>());
    let changes: Vec<Write> =
        Status::ALL.iter().zip(1..).map(|(status, local)| write(change(local, *status, 1))).collect();
    commit(store, &changes);
    let reader = store.reader();
    assert_eq!(locals(&reader.open_executions(None, 100).unwrap()), [1, 2, 3, 4, 5, 6]);
    assert_eq!(locals(&reader.open_executions(Some(LocalId(2)), 3).unwrap()), [3, 4, 5]);
    assert_eq!(reader.open_executions(Some(LocalId(6)), 3).unwrap(), []);
}

fn the_journal_is_read_by_position(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2), turn(1, 1), turn(2, 1), turn(2, 2), turn(1, 2)]);
    let reader = store.reader();
    let rows = reader.journal(Position(2), 2).unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.turn.position.0, row.id.as_str(), row.turn.seq)).collect();
    assert_eq!(found, [(2, "id-2", 1), (3, "id-2", 2)]);
    assert_eq!(reader.journal(Position(4), 10).unwrap().len(), 1);
    assert_eq!(reader.journal(Position(5), 10).unwrap(), []);
}

fn a_page_of_turns_is_bounded_by_bytes(store: &mut dyn Fixture) {
    let large = |seq| {
        let mut write = turn(1, seq);
        write.turn.as_mut().unwrap().events = format!("[\"{}\"]", "x".repeat(PAGE_BYTES_MAX / 2));
        write
    };
    commit(store, &[created(1)]);
    for seq in 1..=3 {
        commit(store, &[large(seq)]);
    }
    let reader = store.reader();
    assert_eq!(reader.turns(LocalId(1), 1, 10).unwrap().len(), 2);
    assert_eq!(reader.turns(LocalId(1), 3, 10).unwrap().len(), 1);
    assert_eq!(reader.journal(Position(1), 10).unwrap().len(), 2);
}

fn plans_and_definitions_are_written_once(store: &mut dyn Fixture) {
    let hash = Hash::of(b"bytes");
    let plan = |bytes: &[u8]| write(Row::Plan { hash, format: 1, bytes: bytes.to_vec() });
    let text = |text: &[u8]| write(Row::Definition { hash, text: text.to_vec() });
    commit(store, &[plan(b"first\0"), text(b"name: a"), plan(b"second")]);
    commit(store, &[text(b"name: b")]);
    let reader = store.reader();
    let stored = reader.plan(hash).unwrap().unwrap();
    assert_eq!((stored.format, stored.bytes.as_slice()), (1, &b"first\0"[..]));
    assert_eq!(reader.definition(hash).unwrap().as_deref(), Some(&b"name: a"[..]));
}

fn the_library_counts_versions_per_path(store: &mut dyn Fixture) {
    let numbers = |versions: &[WorkflowVersion]| -> Vec<(String, u32, String)> {
        versions.iter().map(|found| (found.path.clone(), found.number, found.version.clone())).collect()
    };
    let entry = |path: &str, number: u32, text: &str| (path.to_owned(), number, text.to_owned());
    let add = |path, text| write(version(path, text));
    let remove = |path: &str| write(Row::WorkflowRemoved { path: path.to_owned() });
    commit(store, &[add("b/x", "one"), add("b/x", "two"), add("b/x", "two"), add("a/y", "one"), remove("c/none")]);
    let reader = store.reader();
    assert_eq!(numbers(&reader.workflows().unwrap()), [entry("a/y", 1, "one"), entry("b/x", 2, "two")]);
    let versions = numbers(&reader.workflow_versions("b/x").unwrap());
    assert_eq!(versions, [entry("b/x", 2, "two"), entry("b/x", 1, "one")]);
    assert_eq!(reader.workflow("b/x", Some(1)).unwrap().unwrap().definition_hash, Hash::of(b"one"));
    assert_eq!(reader.workflow("b/x", None).unwrap().unwrap().number, 2);
    assert_eq!(reader.workflow("b/x", Some(3)).unwrap(), None);

    commit(store, &[remove("b/x")]);
    let reader = store.reader();
    assert_eq!(numbers(&reader.workflows().unwrap()), [entry("a/y", 1, "one")]);
    assert_eq!(reader.workflow_versions("b/x").unwrap(), []);
    assert_eq!(reader.workflow("b/x", Some(1)).unwrap(), None);

    // What returns unchanged is the same version; a number is never used twice.
    commit(store, &[add("b/x", "two")]);
    assert_eq!(store.reader().workflow("b/x", None).unwrap().unwrap().number, 2);
    commit(store, &[remove("b/x"), add("b/x", "one")]);
    let versions = numbers(&store.reader().workflow_versions("b/x").unwrap());
    assert_eq!(versions, [entry("b/x", 3, "one"), entry("b/x", 2, "two"), entry("b/x", 1, "one")]);
}

fn children_come_and_go(store: &mut dyn Fixture) {
    let gone = |token: &str| write(Row::ChildGone { token: Token::new(token) });
    commit(store, &[created(1), write(child(1, "b", 200)), write(child(1, "a", 7)), write(child(1, "b", 201))]);
    store.reopen();
    let children = store.reader().children().unwrap();
    let expected: Vec<Row> = vec![child(1, "a", 7), child(1, "b", 201)];
    assert_eq!(children.into_iter().map(Row::Child).collect::<Vec<_>>(), expected);
    commit(store, &[gone("b"), gone("nobody")]);
    assert_eq!(store.reader().children().unwrap().len(), 1);
}

fn places_in_groups_come_in_the_order_in_which_they_are_served(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2), created(3), created(4)]);
    let rows =
        [permit(1, "db", true, 0), permit(4, "db", false, 50), permit(3, "db", false, 50), permit(2, "db", false, 75)];
    let rows = rows.into_iter().chain([permit(4, "api", true, 0)]);
    commit(store, &rows.map(write).collect::<Vec<_>>());
    let order = |store: &dyn Fixture| -> Vec<i64> {
        store.reader().permits_of("db").unwrap().iter().map(|row| row.execution.0).collect()
    };
    assert_eq!(order(store), [1, 2, 3, 4]);
    assert_eq!(store.reader().permits().unwrap()[0].resource, "api");
    let gone = |local| Row::PermitGone { resource: "db".to_owned(), execution: LocalId(local), path: "deploy".into() };
    commit(store, &[write(gone(1)), write(permit(4, "db", true, 50)), write(gone(1))]);
    store.reopen();
    assert_eq!(order(store), [4, 2, 3], "a row is replaced, and one that is gone may go again");
    let error = store.journal().commit(&[write(permit(9, "db", true, 0))]).unwrap_err();
    assert_eq!(error.culprit(), Some(0));
}

fn breakers_are_replaced(store: &mut dyn Fixture) {
    commit(store, &[write(breaker("b", "1")), write(breaker("a", "2")), write(breaker("b", "3"))]);
    store.reopen();
    let rows = store.reader().breakers().unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.state.as_str())).collect();
    assert_eq!(found, [("a", "2"), ("b", "3")]);
}

fn the_first_start_of_a_key_stays(store: &mut dyn Fixture) {
    commit(store, &[created(1), created(2)]);
    commit(store, &[write(start_key(1, "k")), write(start_key(2, "k")), write(start_key(2, "other"))]);
    let reader = store.reader();
    let found = |key| reader.start_key("release", key).unwrap().map(|row| row.execution.0);
    assert_eq!((found("k"), found("other"), found("none")), (Some(1), Some(2), None));
    assert_eq!(reader.start_key("deploy", "k").unwrap(), None);
    let error = store.journal().commit(&[write(start_key(9, "x"))]).unwrap_err();
    assert_eq!(error.culprit(), Some(0));
}

fn validations_stay_with_their_definition(store: &mut dyn Fixture) {
    let definition = write(Row::Definition { hash: Hash::of(b"text"), text: b"text".to_vec() });
    commit(store, &[write(validation("text", 0))]);
    assert_eq!(store.reader().validations(Hash::of(b"text")).unwrap(), [], "there is no such definition");
    let more = i64::from(VALIDATIONS_KEPT_MAX) + 3;
    commit(store, &[definition]);
    for at in 1..=more {
        commit(store, &[write(validation("text", at)), write(validation("other", at))]);
    }
    store.reopen();
    let kept = store.reader().validations(Hash::of(b"text")).unwrap();
    let at: Vec<i64> = kept.iter().map(|row| row.at.0).collect();
    assert_eq!((at[0], at.len()), (more, VALIDATIONS_KEPT_MAX as usize), "the newest comes first, old ones go");
    commit(store, &[write(Row::Retire(Retire::Unused))]);
    assert_eq!(store.reader().validations(Hash::of(b"text")).unwrap(), []);
}

fn what_is_old_leaves_in_steps(store: &mut dyn Fixture) {
    let plan = |text: &[u8]| write(Row::Plan { hash: Hash::of(text), format: 1, bytes: text.to_vec() });
    commit(store, &[plan(b"plan"), plan(b"unused"), created(1), created(2), child_of_first(), turn(1, 1), turn(2, 1)]);
    commit(store, &[turn(1, 2), turn(1, 3), write(change(1, Status::Completed, 3))]);
    assert_eq!(store.reader().finished_before(Timestamp(1_003), 10).unwrap(), []);
    let old = store.reader().finished_before(Timestamp(1_004), 10).unwrap();
    assert_eq!(locals(&old), [1]);
    let retire = |retire: Retire| write(Row::Retire(retire));
    let turns = |limit| retire(Retire::Turns { execution: LocalId(1), limit });
    commit(store, &[turns(10)]);
    assert_eq!(store.reader().turns(LocalId(1), 1, 10).unwrap().len(), 3, "it is not archived yet");
    let row = ArchivedRow {
        id: ExecutionId::new("id-1"),
        local: LocalId(1),
        file: "2026/01/id-1.jsonl".to_owned(),
        turns: 3,
        ended_at: Timestamp(1_003),
        archived_at: Timestamp(2_000),
    };
    commit(store, &[retire(Retire::Archived(row.clone())), turns(2)]);
    let again = store.journal().commit(&[retire(Retire::Archived(row.clone()))]).unwrap_err();
    assert!(matches!(again, Error::UnknownExecution { .. }), "{again}");
    let reader = store.reader();
    assert_eq!(reader.execution_by_local(LocalId(1)).unwrap(), None);
    assert_eq!(reader.children().unwrap(), []);
    assert_eq!(reader.archived("id-").unwrap(), std::slice::from_ref(&row));
    assert_eq!(reader.archived("id-2").unwrap(), []);
    assert_eq!(reader.leaving(10).unwrap(), std::slice::from_ref(&row));
    drop(reader);
    store.reopen();
    commit(store, &[turns(2), retire(Retire::Unused)]);
    let reader = store.reader();
    assert_eq!(reader.leaving(10).unwrap(), []);
    assert_eq!((reader.next_local_id().unwrap(), reader.last_position().unwrap()), (LocalId(3), Position(4)));
    assert!(reader.plan(Hash::of(b"plan")).unwrap().is_some() && reader.plan(Hash::of(b"unused")).unwrap().is_none());
    assert_eq!(reader.archived_before(Timestamp(1_003), 10).unwrap(), []);
    assert_eq!(reader.archived_before(Timestamp(1_004), 10).unwrap(), [row]);
    drop(reader);
    commit(store, &[retire(Retire::Gone { id: ExecutionId::new("id-1") }), turn(2, 2)]);
    assert_eq!(store.reader().archived("").unwrap(), []);
    assert_eq!(store.reader().last_position().unwrap(), Position(5));
}

fn acts_are_numbered_for_ever(store: &mut dyn Fixture) {
    let act = |text: &str| write(Row::Act(NewAct { at: Timestamp(5), entry: text.to_owned() }));
    commit(store, &[act("one"), act("two")]);
    let acts = |store: &mut dyn Fixture, after| -> Vec<(i64, String)> {
        let rows = store.reader().acts(after, 10).unwrap();
        rows.into_iter().map(|row| (row.id, row.entry)).collect()
    };
    assert_eq!(acts(store, 0), [(1, "one".to_owned()), (2, "two".to_owned())]);
    assert_eq!(acts(store, 1), [(2, "two".to_owned())]);
    assert_eq!(store.reader().acts(0, 1).unwrap().len(), 1);
    commit(store, &[write(Row::Retire(Retire::Acts { through: 2 }))]);
    store.reopen();
    commit(store, &[act("three")]);
    assert_eq!(acts(store, 0), [(3, "three".to_owned())], "a number is never used twice");
}

fn child_of_first() -> Write {
    write(child(1, "token", 7))
}
