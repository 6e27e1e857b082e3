//! What a start brings to the store: its plan and its text, once.

use skep_model::ids::LocalId;
use skep_model::time::Timestamp;
use skep_store::{ArchivedRow, Reader, Retire, Row};
use tokio::sync::oneshot;

use super::world::{World, creation};
use crate::driver::Input;

const NOOP: &str = "steps: [{id: a, uses: noop}]";

fn create(id: &str) -> Input {
    Input::Create(Box::new(creation(NOOP, id)), oneshot::channel().0)
}

fn drop_unused() -> Input {
    Input::Rows(vec![Row::Retire(Retire::Unused)], oneshot::channel().0)
}

fn has_sources(world: &World, local: LocalId) -> bool {
    let row = world.outside.store.execution_by_local(local).unwrap().unwrap();
    let plan = world.outside.store.plan(row.plan_hash).unwrap();
    let definition = world.outside.store.definition(row.definition_hash).unwrap();
    assert_eq!(plan.is_some(), definition.is_some());
    plan.is_some()
}

fn archive(world: &World, local: LocalId) -> Input {
    let row = world.outside.store.execution_by_local(local).unwrap().unwrap();
    let (id, at) = (row.id, Timestamp(1));
    let archived = ArchivedRow { id, local, file: "f".to_owned(), turns: row.seq, ended_at: at, archived_at: at };
    Input::Rows(vec![Row::Retire(Retire::Archived(archived))], oneshot::channel().0)
}

#[test]
fn the_plan_comes_with_the_first_start_and_again_when_the_store_dropped_it() {
    let mut world = World::new(9);
    let first = world.start(NOOP);
    assert!(has_sources(&world, first));
    let gone = archive(&world, first);
    world.give(vec![gone, drop_unused()]);
    let second = world.start(NOOP);
    assert!(has_sources(&world, second));
}

#[test]
fn what_a_start_on_its_way_uses_is_not_dropped() {
    let mut world = World::new(9);
    let first = world.start(NOOP);
    let gone = archive(&world, first);
    // The store knows of the second start by its row, which goes before.
    world.give(vec![gone, create("execution-a"), drop_unused(), create("execution-b")]);
    assert!([LocalId(first.0 + 1), LocalId(first.0 + 2)].into_iter().all(|local| has_sources(&world, local)));
}
