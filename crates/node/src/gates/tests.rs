//! The gates as tables.

use skep_model::ids::LocalId;
use skep_model::permit::{Answer, Verdict};
use skep_model::plan::{Breaker as Settings, Concurrency, Priority, WhenFull};
use skep_model::time::Timestamp;
use skep_store::{BreakerRow, PermitRow, PermitState};

use super::groups::{Groups, Moves};
use super::{Gates, Holder, group_key};

fn who(local: i64) -> Holder {
    Holder { local: LocalId(local), path: Some("a".into()) }
}

fn at(milliseconds: u64) -> Timestamp {
    Timestamp(0).plus_ms(milliseconds)
}

fn settings(failures: u32, threshold: Option<f64>, window_ms: Option<u64>) -> Settings {
    Settings { name: "api".to_owned(), failures, threshold, window_ms, reset_ms: 1_000 }
}

/// Plays a script: `?1` = execution 1 asks, `+1` success, `-1` failure, `.1` nothing, `@500` the time in ms. Answers
/// with one word per asking: `go`, `probe`, `no(retry_after_ms)`.
fn play(settings: &Settings, script: &str) -> String {
    let mut gates = Gates::default();
    let (mut now, mut answers) = (at(0), Vec::new());
    for word in script.split_whitespace() {
        let (what, number) = word.split_at(1);
        let number: i64 = number.parse().unwrap();
        let verdict = match what {
            "@" => {
                now = at(number.unsigned_abs());
                continue;
            }
            "?" => {
                let (answer, _) = gates.ask_breaker(settings, &who(number), now);
                answers.push(match answer {
                    Answer::Granted { probe: true } => "probe".to_owned(),
                    Answer::Granted { probe: false } => "go".to_owned(),
                    Answer::Refused(failure) => format!("no({})", failure.retry_after_ms.unwrap()),
                    Answer::Skipped => panic!("a breaker leaves nobody out"),
                });
                continue;
            }
            "+" => Verdict::Success,
            "-" => Verdict::Failure,
            "." => Verdict::Nothing,
            other => panic!("{other}"),
        };
        let row = gates.attempt_ended(settings, &who(number), verdict, now);
        // What stands in the store is what the next owner goes on with.
        let mut next = Gates::default();
        row.iter().for_each(|row| next.restore(&row.name, Some(row)));
        assert!(row.is_none() || next.breaker("api") == gates.breaker("api"));
    }
    answers.join(" ")
}

#[test]
fn a_breaker_follows_its_table() {
    let check = |settings: &Settings, script: &str, expected: &str| {
        assert_eq!(play(settings, script), expected, "{script}");
    };
    let in_a_row = settings(2, None, None);
    check(&in_a_row, "?1 -1 ?1 +1 ?1 -1 ?1", "go go go go");
    check(&in_a_row, "?1 -1 ?1 -1 ?1 @400 ?2", "go go no(1000) no(600)");
    check(&in_a_row, "-1 -1 @999 ?1 @1000 ?1 ?2 ?1", "no(1) probe no(1000) probe");
    check(&in_a_row, "-1 -1 @1000 ?1 +1 ?2 -2 ?2", "probe go go");
    check(&in_a_row, "-1 -1 @1000 ?1 -1 ?2 @1999 ?2 @2000 ?2", "probe no(1000) no(1) probe");
    check(&in_a_row, "-1 -1 @1000 ?1 .1 ?2", "probe probe");
    check(&in_a_row, "-1 -1 @1000 ?1 +2 -2 .2 ?2", "probe no(1000)");
    check(&in_a_row, "-1 -1 +1 +2 ?1", "no(1000)");
    check(&in_a_row, "-1 .1 -1 ?1", "no(1000)");
    let windowed = settings(2, None, Some(500));
    check(&windowed, "-1 @100 +1 @200 -1 ?1", "no(1000)");
    check(&windowed, "-1 @501 -1 ?1", "go");
    let share = settings(4, Some(0.5), Some(10_000));
    check(&share, "-1 -1 -1 ?1 +1 ?1 -1 ?1", "go go no(1000)");
    check(&share, "+1 +1 +1 +1 -1 -1 -1 ?1 -1 ?1", "go no(1000)");
}

#[test]
fn a_lost_probe_and_a_broken_row_are_survived() {
    let settings = settings(1, None, None);
    let mut gates = Gates::default();
    let opened = gates.attempt_ended(&settings, &who(1), Verdict::Failure, at(0)).unwrap();
    let (_, probing) = gates.ask_breaker(&settings, &who(1), at(1_000));
    let probing = probing.unwrap();
    let (mut next, _) = Gates::rebuild(Vec::new(), vec![probing.clone()], |_| true);
    assert!(matches!(next.ask_breaker(&settings, &who(2), at(1_001)).0, Answer::Refused(_)), "it is delivered again");
    assert_eq!(next.ask_breaker(&settings, &who(2), at(2_000)).0, Answer::Granted { probe: true }, "nobody did");
    let (mut next, _) = Gates::rebuild(Vec::new(), vec![probing.clone()], |_| true);
    assert!(next.attempt_ended(&settings, &who(1), Verdict::Success, at(1_500)).is_some(), "its outcome counts");
    assert_eq!(next.ask_breaker(&settings, &who(2), at(1_501)).0, Answer::Granted { probe: false });
    let (mut next, _) = Gates::rebuild(Vec::new(), vec![probing], |_| false);
    assert_eq!(next.ask_breaker(&settings, &who(2), at(1_001)).0, Answer::Granted { probe: true }, "it is over");
    let (mut next, _) = Gates::rebuild(Vec::new(), vec![opened], |_| true);
    assert!(matches!(next.ask_breaker(&settings, &who(2), at(999)).0, Answer::Refused(_)), "still open");
    let broken = BreakerRow { name: "api".to_owned(), state: "{".to_owned() };
    let (mut next, _) = Gates::rebuild(Vec::new(), vec![broken], |_| true);
    assert_eq!(next.ask_breaker(&settings, &who(2), at(0)).0, Answer::Granted { probe: false });
}

fn group(limit: u32, when_full: WhenFull) -> Concurrency {
    Concurrency { group: "db".to_owned(), limit, when_full }
}

fn words(moves: &Moves) -> String {
    let answers = moves.answers.iter().map(|(who, _, answer)| match answer {
        Answer::Granted { .. } => format!("in {}", who.local.0),
        Answer::Refused(failure) => format!("fails {} {}", who.local.0, failure.code),
        Answer::Skipped => format!("out {}", who.local.0),
    });
    let cancelled = moves.cancelled.iter().map(|local| format!("cancel {}", local.0));
    answers.chain(cancelled).collect::<Vec<_>>().join(", ")
}

fn ask(groups: &mut Groups, group: &Concurrency, local: i64, priority: i32) -> String {
    words(&groups.ask(group, who(local), Priority(priority), Timestamp(local)))
}

fn release(groups: &mut Groups, local: i64) -> String {
    words(&groups.release("db", &who(local)))
}

#[test]
fn a_line_is_served_by_priority_then_by_arrival() {
    let (mut groups, two) = (Groups::default(), group(2, WhenFull::Queue));
    assert_eq!(ask(&mut groups, &two, 1, 50), "in 1");
    assert_eq!(ask(&mut groups, &two, 1, 50), "in 1", "asking again changes nothing");
    assert_eq!(ask(&mut groups, &two, 2, 50), "in 2");
    for (local, priority) in [(4, 50), (3, 50), (5, 75), (6, 25), (4, 50)] {
        assert_eq!(ask(&mut groups, &two, local, priority), "");
    }
    assert_eq!(release(&mut groups, 3), "", "leaving the line");
    assert_eq!(release(&mut groups, 1), "in 5");
    assert_eq!(release(&mut groups, 1), "", "giving back twice");
    assert_eq!(release(&mut groups, 2), "in 4");
    assert_eq!(release(&mut groups, 5), "in 6");
    assert_eq!((release(&mut groups, 4), release(&mut groups, 6)), (String::new(), String::new()));
    assert!(!groups.holds("db", &who(6)));
}

#[test]
fn a_full_group_leaves_out_fails_or_cancels_the_oldest() {
    let mut groups = Groups::default();
    assert_eq!(ask(&mut groups, &group(1, WhenFull::Skip), 1, 50), "in 1");
    assert_eq!(ask(&mut groups, &group(1, WhenFull::Skip), 2, 50), "out 2");
    assert_eq!(ask(&mut groups, &group(1, WhenFull::Fail), 3, 50), "fails 3 SKEP-N030");
    assert_eq!(ask(&mut groups, &group(1, WhenFull::Queue), 4, 99), "");
    assert_eq!(ask(&mut groups, &group(1, WhenFull::CancelOld), 5, 50), "cancel 1");
    assert_eq!(ask(&mut groups, &group(1, WhenFull::CancelOld), 6, 50), "cancel 1, cancel 5");
    assert_eq!(release(&mut groups, 5), "");
    assert_eq!(release(&mut groups, 1), "in 6", "before those that wait for their turn");
    assert_eq!(release(&mut groups, 6), "in 4");
    let (mut groups, two) = (Groups::default(), group(2, WhenFull::CancelOld));
    assert_eq!(ask(&mut groups, &two, 1, 50), "in 1");
    assert_eq!(ask(&mut groups, &two, 2, 50), "in 2");
    assert_eq!(ask(&mut groups, &two, 3, 50), "cancel 1", "the newest that fit stay");
}

#[test]
fn a_line_has_an_end() {
    let (mut groups, one) = (Groups::default(), group(1, WhenFull::Queue));
    let most = i64::try_from(skep_model::limits::PERMITS_WAITING_MAX).unwrap();
    assert_eq!(ask(&mut groups, &one, 0, 50), "in 0");
    for local in 1..=most {
        assert_eq!(ask(&mut groups, &one, local, 50), "");
    }
    assert_eq!(ask(&mut groups, &one, most + 1, 99), format!("fails {} SKEP-N030", most + 1));
    assert_eq!(ask(&mut groups, &one, most, 50), "", "whoever is in line stays in it");
    assert_eq!(release(&mut groups, 0), "in 1");
}

#[test]
fn a_new_owner_honours_places_that_are_taken_and_drops_those_of_ended_executions() {
    let row = |local, state| PermitRow {
        resource: group_key("db", true),
        execution: LocalId(local),
        path: "a".into(),
        state,
        priority: 50,
        since: Timestamp(local),
    };
    let rows = vec![row(1, PermitState::Held), row(2, PermitState::Held), row(3, PermitState::Waiting)];
    let (mut gates, stale) = Gates::rebuild(rows, Vec::new(), |local| local != LocalId(2));
    assert_eq!(stale.iter().map(|row| row.execution.0).collect::<Vec<_>>(), [2]);
    let one = group(1, WhenFull::Queue);
    assert_eq!(ask(&mut gates.groups, &one, 4, 99), "", "the one that nobody performs keeps its place");
    assert_eq!(ask(&mut gates.groups, &one, 1, 50), "in 1");
    assert_eq!(ask(&mut gates.groups, &one, 3, 50), "");
    assert_eq!(release(&mut gates.groups, 1), "in 4");
    let of_execution = Holder { local: LocalId(9), path: None };
    let moves = gates.groups.ask(&one, of_execution, Priority(50), Timestamp(9));
    assert_eq!(words(&moves), "in 9", "a workflow's group and a step's are two");
}
