//! Decisions about failed attempts, and how they turned out.

use skep_model::actor::Actor;
use skep_model::decision::{Action, Autonomy, Judged};
use skep_model::error::Kind;
use skep_model::event::{Event, Turn};
use skep_model::status::{Execution as Status, SkipReason};
use skep_model::time::Timestamp;

use super::plans::{completed, failed, failure};
use crate::decisions::{Decision, Decisions, Tally};

fn judged(path: &str, action: Action, autonomy: Option<Autonomy>) -> Event {
    Event::Judged(Box::new(Judged {
        path: path.into(),
        attempt: 1,
        action,
        autonomy,
        rule: format!("rule-{}", action.as_str()),
        reason: "because".to_owned(),
        kind: Kind::Exit,
        facts: None,
        alternatives: Vec::new(),
    }))
}

fn ended(status: Status) -> Event {
    Event::Ended { status, outputs: skep_model::Map::new(), failure: None }
}

fn answered(path: &str, approved: bool) -> Event {
    Event::Answered { path: path.into(), approved, actor: Actor::person("ada"), comment: None }
}

fn skipped(path: &str) -> Event {
    Event::Skipped { path: path.into(), reason: SkipReason::OnError, failure: Some(failure()) }
}

fn follow(events: Vec<Event>) -> Vec<Decision> {
    let mut decisions = Decisions::default();
    decisions.apply(&Turn { seq: 1, at: Timestamp(5), events });
    decisions.into_vec()
}

#[test]
fn how_it_turned_out() {
    use Action::{Abort, Continue, Escalate, Retry, Skip};
    use Autonomy::{Act, Off, Suggest};
    let check = |action, autonomy, then: Vec<Event>, outcome: &str, worth_it| {
        let mut events = vec![judged("b", Abort, None), judged("a", action, autonomy)];
        events.extend(then);
        let decision = follow(events).pop().expect("there are two");
        let found = (decision.outcome.as_deref().unwrap_or("open"), decision.worth_it);
        assert_eq!(found, (outcome, worth_it), "{action:?} {autonomy:?}");
    };
    check(Retry, None, vec![completed("a"), ended(Status::Failed)], "the step completed", Some(true));
    check(Retry, Some(Act), vec![failed("a")], "the step failed all the same", Some(false));
    check(Retry, Some(Act), vec![skipped("a")], "the step was skipped in the end", Some(false));
    check(Retry, None, vec![Event::Cancelled { path: "a".into() }], "the step was cancelled", Some(false));
    check(Retry, None, vec![completed("b")], "open", None);
    check(Retry, None, vec![ended(Status::Cancelled)], "the execution ended cancelled", Some(false));
    check(Skip, Some(Act), vec![skipped("a"), ended(Status::Completed)], "the execution ended completed", Some(true));
    check(Continue, Some(Act), vec![failed("a"), ended(Status::Failed)], "the execution ended failed", Some(false));
    check(Skip, None, vec![skipped("a")], "open", None);
    check(Abort, Some(Act), vec![failed("a"), ended(Status::RolledBack)], "the execution ended rolled_back", None);
    check(Retry, Some(Suggest), vec![answered("a", true), completed("a")], "ada said yes", Some(true));
    check(Skip, Some(Suggest), vec![answered("a", false), failed("a")], "ada said no", Some(false));
    check(Escalate, Some(Off), vec![answered("a", true)], "ada said yes", None);
    check(Escalate, Some(Suggest), vec![answered("a", false)], "ada said no", None);
    check(Escalate, None, vec![answered("b", true)], "open", None);
}

#[test]
fn rules_are_counted() {
    let events = vec![
        judged("a", Action::Retry, None),
        judged("a", Action::Retry, None),
        completed("a"),
        judged("b", Action::Retry, None),
        failed("b"),
        judged("c", Action::Retry, None),
    ];
    let mut tally = Tally::default();
    follow(events).iter().for_each(|decision| tally.add(decision));
    let count = tally.0[&("rule-retry".to_owned(), Action::Retry)];
    assert_eq!((count.decided, count.worth_it, count.not_worth_it), (4, 2, 1));
}
