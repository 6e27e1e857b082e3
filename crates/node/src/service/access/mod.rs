//! Who may call: keys and users, what they may do, and how a caller is recognised.
//!
//! ```text
//! face --secret--> authenticate    --> Principal --> may(right, workflow) --> the use case, with principal.actor
//!      --password--> verify_password --^
//! ```
//! No secret and no password is stored, logged or recorded: a key is known by the hash of its secret, a password by its
//! argon2id text. Every change is one row with its record for the audit. The face says which right a call needs, limits
//! how often a caller may try, and records refusals with where they came from.

mod denied;
mod keys;
mod secret;
mod users;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_model::access::Grant;
use skep_model::actor::Actor;
use skep_model::audit::{Entry, EventType};
use skep_model::ids::is_step_id;
use skep_model::limits::GRANTS_MAX;
use skep_model::time::Timestamp;
use skep_store::{AccessChange, Row};

pub use denied::Denied;
pub use keys::{KeyEntry, KeyState, NewKey};
pub use users::{NewUser, UserEntry};

use crate::audit;
use crate::error::Error;
use crate::owner::Node;

/// What the owner keeps in memory about callers.
#[derive(Default)]
pub(crate) struct Callers {
    /// Held while a name is looked up and taken.
    naming: Mutex<()>,
    /// When the use of each key was last sent to the store.
    seen: Mutex<HashMap<String, Timestamp>>,
}

impl Callers {
    fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that was done about keys and users.
struct Act<'a> {
    now: Timestamp,
    kind: EventType,
    actor: &'a Actor,
    message: String,
    details: Vec<(&'static str, String)>,
}

impl Node {
    /// Commits a change with its record.
    fn change_access(&self, change: AccessChange, act: Act<'_>) -> Result<(), Error> {
        let entry = audit::by_person(act.now, act.kind, act.actor, act.message);
        let with = |entry: Entry, (name, value): (&str, String)| entry.with(name, value);
        let entry = act.details.into_iter().fold(entry, with);
        self.write_rows(vec![Row::Access(change), audit::act(act.now, &entry)])
    }
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    match is_step_id(name) {
        true => Ok(()),
        false => Err(Error::BadRequest {
            message: format!("`{name}` cannot be the name of a {what}"),
            hint: "begin with a letter or `_`, go on with letters, digits, `_` and `-`, 64 at most: `ci-2`".to_owned(),
        }),
    }
}

fn check_grants(grants: &[Grant]) -> Result<(), Error> {
    let bad = |message: &str, hint: &str| Err(Error::BadRequest { message: message.to_owned(), hint: hint.to_owned() });
    if grants.is_empty() {
        return bad("without a role nothing may be done", "give one with `--role`, such as `viewer`");
    }
    if grants.iter().any(|grant| grant.workflows.is_empty()) {
        return bad("a role without workflows allows nothing", "name workflows, or `**` for all of them");
    }
    if grants.len() > GRANTS_MAX || grants.iter().any(|grant| grant.workflows.len() > GRANTS_MAX) {
        return bad(
            &format!("there are more than {GRANTS_MAX} roles, or more than {GRANTS_MAX} patterns of one role"),
            "use patterns such as `deploy/**`, or several keys",
        );
    }
    Ok(())
}

fn words(grants: &[Grant]) -> String {
    grants.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn to_text(grants: &[Grant]) -> String {
    serde_json::to_string(grants).expect("grants have text keys only")
}

fn from_text(what: &str, text: &str) -> Result<Vec<Grant>, Error> {
    serde_json::from_str(text).map_err(|error| Error::damaged(&what, error))
}
