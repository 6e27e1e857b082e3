use std::time::Duration;

use serde_json::{Value, json};
use skep_model::error::Kind;
use skep_model::outcome::Ended;

use crate::tests::{World, failure, outputs};

fn world() -> World {
    let world = World::new();
    let statements = json!([
        "create table t (id integer primary key, name text, data)",
        {"query": "insert into t (name, data) values (?1, ?2), (:a, null)", "params": ["o'x", 1.5, "two"]},
    ]);
    let given = outputs(world.run_action("sql", json!({"database": "db", "statements": statements})));
    assert_eq!((&given["rows_affected"], &given["last_insert_id"]), (&json!(2), &json!(2)));
    world
}

#[test]
fn values_are_bound_and_rows_are_objects() {
    let world = world();
    let query = |query: &str, params: Value| {
        outputs(world.run_action("sql", json!({"database": "db", "query": query, "params": params, "read_only": true})))
    };
    let given = query("select * from t where name = :who", json!({"who": "o'x"}));
    assert_eq!(given["rows"], json!([{"id": 1, "name": "o'x", "data": 1.5}]));
    assert_eq!(given["columns"], json!(["id", "name", "data"]));
    assert_eq!(query("select * from t where name = ?", json!(["x' or 1=1 --"]))["row_count"], json!(0));
    let given = query("select ?1 a, ?2 b, x'00ff' c", json!([true, {"k": [1]}]));
    assert_eq!(given["rows"], json!([{"a": 1, "b": "{\"k\":[1]}", "c": "AP8="}]));
}

#[test]
fn statements_are_all_or_none() {
    let world = world();
    let statements = json!(["delete from t", "insert into nonsuch values (1)"]);
    assert_eq!(failure(world.run_action("sql", json!({"database": "db", "statements": statements}))).code, "SKEP-R030");
    let given = outputs(world.run_action("sql", json!({"database": "db", "query": "select count(*) n from t"})));
    assert_eq!(given["rows"], json!([{"n": 2}]));
}

#[test]
fn failures() {
    let world = world();
    let check = |with: Value, kind: Kind, code: &str| {
        let failure = failure(world.run_action("sql", with));
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{}", failure.message);
    };
    check(json!({"database": "db", "query": "selec"}), Kind::Invalid, "SKEP-R030");
    check(json!({"database": "db", "query": "select 1; select 2"}), Kind::Invalid, "SKEP-R030");
    check(json!({"database": "db", "query": "delete from t", "read_only": true}), Kind::Permission, "SKEP-R030");
    check(json!({"database": "no/such/db", "query": "select 1"}), Kind::NotFound, "SKEP-R030");
    check(json!({"database": "db", "query": "select ?1"}), Kind::Invalid, "SKEP-R011");
    check(json!({"database": "db", "query": "select :a", "params": {"b": 1}}), Kind::Invalid, "SKEP-R011");
    check(json!({"database": "db"}), Kind::Invalid, "SKEP-R011");
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
    check(json!({"database": "db", "query": endless}), Kind::ResourceLimit, "SKEP-R032");
}

#[test]
fn an_endless_query_ends_at_its_timeout_and_at_an_abort() {
    let world = world();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let mut task = world.action("sql", json!({"database": "db", "query": endless}));
    task.timeout_ms = Some(100);
    let timed_out = failure(world.run(task));
    assert_eq!((timed_out.kind, timed_out.code.as_str()), (Kind::Timeout, "SKEP-R015"));

    let task = world.action("sql", json!({"database": "db", "query": endless}));
    world.runner.perform(task.clone(), None);
    world.runner.abort(&task.token);
    assert_eq!(world.next().result, Ended::Aborted);
}

#[test]
fn a_busy_database_is_unavailable() {
    let locked = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None);
    assert_eq!(super::classify(&locked).0, Kind::Unavailable);
    assert!(super::BUSY_TIMEOUT > Duration::ZERO);
}
