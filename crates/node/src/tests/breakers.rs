//! What becomes of breakers when commits are lost.

use skep_model::status::Execution as Status;
use skep_store::Reader;

use super::world::World;

const CALLS: &str =
    "steps: [{id: call, uses: log, with: {message: x}, circuit_breaker: {name: other, failures: 1, reset: 1m}}]";

fn is_open(world: &World) -> bool {
    world.outside.store.breakers().unwrap().iter().any(|row| row.name == "other" && row.state.contains("open"))
}

#[test]
fn a_failure_that_found_the_breaker_open_keeps_it_open_without_the_one_that_opened_it() {
    let mut world = World::new(8);
    let (first, second) = (world.start(CALLS), world.start(CALLS));
    assert!(!is_open(&world));
    world.hold(true);
    world.fail_oldest();
    world.fail_oldest();
    world.lose_first();
    assert_eq!((world.status(first), world.status(second)), (Status::Running, Status::Failed));
    assert!(is_open(&world), "a failure is on record, and one is enough: {:?}", world.outside.store.breakers());
    let refused = {
        world.settle();
        world.start(CALLS)
    };
    assert_eq!((world.status(first), world.status(refused)), (Status::Failed, Status::Failed));
}
