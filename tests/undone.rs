//! Undone means undone outside: a workflow changes a folder, an SQLite file and a server. After a rollback that world
//! is what it was, whatever died on the way: owners are killed at every event of the rollback, hundreds of times.
//!
//! The look at the world must be able to fail, so one workflow with a wrong compensation has to be caught by it.

use std::time::Duration;

use serde_json::Value;
use skep_model::status::Execution as Status;

use crate::support::journal;
use crate::support::place::Place;
use crate::support::random::{self, Random};
use crate::support::wait;
use world::World;

mod world;

/// Kills in all; one that finds its owner ended by itself does not count.
const KILLS: usize = 200;
/// Data directories at the same time.
const LANES: usize = 4;
/// An owner is killed up to so many events after its first one.
const EVENTS_MAX: u64 = 4;
/// An owner that records nothing within this time is killed all the same.
const LIFE_MAX: Duration = Duration::from_secs(2);
/// More owners than this for one rollback mean that it makes no progress.
const OWNERS_MAX: usize = 200;

/// How the world is to become what it was.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// The last step fails.
    Failure,
    /// Somebody asks for it after the end.
    Asked(&'static str),
    /// Back to the start, where it stands still.
    ToTheStart,
}

const WAYS: [Way; 4] = [Way::Failure, Way::Asked("immediate"), Way::Asked("graceful"), Way::ToTheStart];

#[test]
fn two_hundred_kills_leave_nothing_undone() {
    let seed = random::seed();
    println!("SKEP_SEED={seed}");
    let lane = |lane: usize| move || run_lane(seed.wrapping_add(lane as u64), KILLS / LANES, lane);
    let threads: Vec<_> = (0..LANES).map(|number| std::thread::spawn(lane(number))).collect();
    // All of them end before the test does, so that none leaves an owner behind.
    let ended: Vec<_> = threads.into_iter().map(std::thread::JoinHandle::join).collect();
    let kills: usize = ended
        .into_iter()
        .map(|lane| lane.unwrap_or_else(|_| panic!("a lane failed; repeat it with SKEP_SEED={seed}")))
        .sum();
    println!("{kills} kills");
    assert!(kills >= KILLS, "{kills} kills");
}

#[test]
fn a_wrong_compensation_is_caught() {
    let mut world = World::new();
    let before = world.look();
    world.place.write("world.yaml", world::definition().replace("rm -f \"things/", "rm -f \"thing/"));
    let mut lane = Lane { random: Random::new(1), kills: 0, wanted: 0 };
    lane.forwards(&world, false);
    lane.undo(&world, Way::Asked("immediate"));
    assert_ne!(world.look(), before, "files are left, and the look at the world has to see them");
}

fn run_lane(seed: u64, kills: usize, number: usize) -> usize {
    let mut lane = Lane { random: Random::new(seed), kills: 0, wanted: kills };
    for way in WAYS.into_iter().cycle().skip(number) {
        if lane.kills >= lane.wanted {
            break;
        }
        let mut world = World::new();
        let before = world.look();
        if !matches!(way, Way::Failure) {
            lane.forwards(&world, false);
            assert_ne!(world.look(), before, "the workflow changes the world");
        }
        lane.undo(&world, way);
        assert_eq!(world.look(), before, "{way:?}: {}", status(&world.place));
    }
    lane.kills
}

struct Lane {
    random: Random,
    kills: usize,
    wanted: usize,
}

impl Lane {
    fn forwards(&mut self, world: &World, fail: bool) {
        let (server, fail) = (format!("server={}", world.url()), format!("fail={fail}"));
        world.place.skep(&["run", "world.yaml", "-i", &server, "-i", &fail]).exits(0);
    }

    /// Owners die until the rollback has come to its end.
    fn undo(&mut self, world: &World, way: Way) {
        let server = format!("server={}", world.url());
        let begin: Vec<&str> = match way {
            Way::Failure => vec!["run", "world.yaml", "-i", &server, "-i", "fail=true"],
            Way::Asked(strategy) => vec!["rollback", "@latest", "--strategy", strategy],
            Way::ToTheStart => vec!["rollback", "@latest", "--to", "0"],
        };
        self.owner(world, &begin);
        for _ in 0..OWNERS_MAX {
            match journal::newest(world.place.data()).map(|journal| journal.status) {
                Some(Status::RolledBack) => return,
                Some(Status::Held) if matches!(way, Way::ToTheStart) => return,
                // It died before its request was durable.
                None | Some(Status::Completed) => self.owner(world, &begin),
                Some(_) => self.owner(world, &["resume", "@latest"]),
            }
        }
        panic!("{way:?}: no end after {OWNERS_MAX} owners: {}", status(&world.place));
    }

    fn owner(&mut self, world: &World, arguments: &[&str]) {
        let data = world.place.data();
        let before = journal::size(data);
        let mut owner = world.place.start(arguments);
        if self.kills >= self.wanted {
            drop(owner.end());
            return;
        }
        let events = before + 1 + self.random.below(EVENTS_MAX);
        wait::try_until(LIFE_MAX, || (owner.has_ended() || journal::size(data) >= events).then_some(()));
        self.kills += usize::from(!owner.has_ended());
        owner.kill();
    }
}

fn status(place: &Place) -> Value {
    place.status()
}
