//! Records of what no execution's journal has: what people did to the data directory, what the owner did itself.

use skep_definition::moment;
use skep_model::actor::Actor;
use skep_model::audit::{Entry, EventType, Severity};
use skep_model::time::Timestamp;
use skep_store::audit::Found;
use skep_store::{NewAct, Row};

/// Something that `actor` did now, through this owner.
pub(crate) fn by_person(now: Timestamp, kind: EventType, actor: &Actor, message: impl Into<String>) -> Entry {
    Entry::new(moment::print(now), kind, actor.clone(), message)
}

/// The row that makes a record of it, for the transaction of the act itself.
pub(crate) fn act(now: Timestamp, entry: &Entry) -> Row {
    Row::Act(NewAct { at: now, entry: serde_json::to_string(entry).expect("an entry has text keys only") })
}

/// What the owner says of itself.
pub(super) fn of_owner(now: Timestamp, kind: EventType, message: impl Into<String>) -> Entry {
    let entry = Entry::new(moment::print(now), kind, Actor::Engine, message);
    entry.with("pid", std::process::id()).with("uid", rustix::process::getuid().as_raw())
}

/// What opening the log found.
pub(crate) fn of_opening(now: Timestamp, found: &Found) -> Vec<Entry> {
    let mut entries = Vec::new();
    if found.cut_bytes > 0 {
        let message = "what a crash left half written was cut off; nothing sealed is missing";
        let entry = of_owner(now, EventType::AuditRepaired, message).with("cut_bytes", found.cut_bytes);
        entries.push(Entry { severity: Severity::Warning, ..entry });
    }
    if let Some(why) = &found.damage {
        let entry = of_owner(now, EventType::AuditDamaged, why.as_str());
        entries.push(Entry { severity: Severity::Critical, outcome: "failed".to_owned(), ..entry });
    }
    entries
}

/// Another user's process, or a key that is not good any more, knocked and was not let in.
pub(super) fn refusal(now: Timestamp, actor: Actor, source: String) -> Entry {
    let entry = Entry::new(moment::print(now), EventType::AccessDenied, actor, "was refused at the door");
    Entry { severity: Severity::Warning, outcome: "refused".to_owned(), source, ..entry }
}

/// So many more of them.
pub(super) fn refusals(now: Timestamp, count: u64) -> Entry {
    let entry = of_owner(now, EventType::AccessDenied, "more callers were refused at the door").with("count", count);
    Entry { severity: Severity::Error, outcome: "refused".to_owned(), ..entry }
}
