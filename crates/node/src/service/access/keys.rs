//! API keys: made, listed, revoked, recognised.

use skep_definition::moment;
use skep_model::access::{Grant, Principal, Role, Secret};
use skep_model::actor::Actor;
use skep_model::audit::EventType;
use skep_model::ids::Hash;
use skep_model::time::Timestamp;
use skep_store::{ACCESS_ROWS_MAX, AccessChange, KeyRow, Named, Row};

use super::{Act, Denied, secret};
use crate::clock;
use crate::driver::Input;
use crate::error::Error;
use crate::owner::Node;
use crate::service::Reading;

/// The key that the first start makes.
const FIRST: &str = "admin";
/// Uses of a key closer together than this are one, in milliseconds: a busy caller costs no write per request.
const SEEN_MS: u64 = 60_000;

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// As a step's id: `[A-Za-z_][A-Za-z0-9_-]{0,63}`.
    pub name: String,
    /// What it may do; at least one.
    pub grants: Vec<Grant>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Unique for ever.
    pub name: String,
    /// The first eight characters of its secret.
    pub prefix: String,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, as a label.
    pub created_by: String,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Whether a key is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl KeyState {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyEntry {
    /// How it stands at `now`.
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(at)) if at <= now => KeyState::Expired,
            (None, Some(_) | None) => KeyState::Active,
        }
    }
}

fn entry_of(row: KeyRow) -> Result<KeyEntry, Error> {
    let grants = super::from_text(&format!("the key `{}`", row.name), &row.grants)?;
    Ok(KeyEntry {
        name: row.name,
        prefix: row.prefix,
        grants,
        created_at: row.created_at,
        created_by: row.created_by,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
    })
}

impl Reading {
    /// All keys by name, revoked and expired ones included.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn list_keys(&self) -> Result<Vec<KeyEntry>, Error> {
        self.reader().keys()?.into_iter().map(entry_of).collect()
    }
}

impl Node {
    /// Makes a key. Its secret is in the answer and nowhere else: who loses it makes another key.
    ///
    /// # Errors
    /// A name that is none or is taken, no role, an end in the past, trouble with the store.
    pub fn create_key(&self, new: NewKey, actor: &Actor) -> Result<(KeyEntry, Secret), Error> {
        self.create_key_at(new, actor, clock::now())
    }

    fn create_key_at(&self, new: NewKey, actor: &Actor, now: Timestamp) -> Result<(KeyEntry, Secret), Error> {
        super::check_name("key", &new.name)?;
        super::check_grants(&new.grants)?;
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::BadRequest {
                message: format!("the key `{}` would have expired already", new.name),
                hint: "give a length of time such as `90d`, or a moment to come".to_owned(),
            });
        }
        let _naming = self.callers.naming();
        let keys = self.reading().reader().keys()?;
        if keys.iter().any(|row| row.name == new.name) {
            let (named, name) = (Named::Key, new.name);
            return Err(skep_store::Error::NameTaken { write: 0, named, name }.into());
        }
        if keys.len() >= ACCESS_ROWS_MAX {
            return Err(Error::BadRequest {
                message: format!("there are {ACCESS_ROWS_MAX} keys, which is as many as there can be"),
                hint: "let several callers share a key, or use several data directories".to_owned(),
            });
        }
        self.store_key(new, actor, now)
    }

    fn store_key(&self, new: NewKey, actor: &Actor, now: Timestamp) -> Result<(KeyEntry, Secret), Error> {
        let secret = secret::new()?;
        let row = KeyRow {
            name: new.name,
            prefix: secret::prefix(&secret),
            hash: secret::hash(secret.expose()),
            grants: super::to_text(&new.grants),
            created_at: now,
            created_by: actor.label(),
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let words = super::words(&new.grants);
        let mut details = vec![("key", row.name.clone()), ("prefix", row.prefix.clone()), ("grants", words.clone())];
        details.extend(row.expires_at.map(|at| ("expires_at", moment::print(at))));
        let message = format!("made the key {} ({words})", row.name);
        let act = Act { now, kind: EventType::KeyCreated, actor, message, details };
        self.change_access(AccessChange::KeyCreated(row.clone()), act)?;
        Ok((entry_of(row)?, secret))
    }

    /// Makes the key `admin`, which may do everything, if there never was any key. Gives its secret, once in the life of
    /// a data directory.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn ensure_admin_key(&self, now: Timestamp) -> Result<Option<Secret>, Error> {
        let _naming = self.callers.naming();
        if !self.reading().reader().keys()?.is_empty() {
            return Ok(None);
        }
        let grants = vec![Grant::everywhere(Role::Admin)];
        let new = NewKey { name: FIRST.to_owned(), grants, expires_at: None };
        self.store_key(new, &Actor::Engine, now).map(|(_, secret)| Some(secret))
    }

    /// Refuses a key from now on. One that is revoked stays as it is.
    ///
    /// # Errors
    /// No such key, trouble with the store.
    pub fn revoke_key(&self, name: &str, actor: &Actor) -> Result<KeyEntry, Error> {
        let (now, _naming) = (clock::now(), self.callers.naming());
        let find = || self.reading().reader().key(name);
        let none = || Error::NoSuchCaller { named: Named::Key, given: name.to_owned() };
        let row = find()?.ok_or_else(none)?;
        if row.revoked_at.is_some() {
            return entry_of(row);
        }
        let details = vec![("key", row.name.clone()), ("prefix", row.prefix)];
        let message = format!("revoked the key {}", row.name);
        let act = Act { now, kind: EventType::KeyRevoked, actor, message, details };
        self.change_access(AccessChange::KeyRevoked { name: row.name, at: now }, act)?;
        entry_of(find()?.ok_or_else(none)?)
    }

    /// Who has this secret. Keeps that the key was used, at most once a minute, without waiting for it.
    ///
    /// # Errors
    /// [`Denied`]: nobody, or a key that is not accepted any more.
    pub fn authenticate(&self, secret: &str, now: Timestamp) -> Result<Principal, Denied> {
        if secret == secret::PLACEHOLDER {
            return Err(Denied::Placeholder);
        }
        let hash = secret::hash(secret);
        let found = self.reading().reader().key_by_hash(hash)?;
        // The index found it by its hash; what decides takes the same time for any other.
        let stored = found.as_ref().map_or_else(|| Hash::of(&[]), |row| row.hash);
        let is_it = stored.is_equal_in_constant_time(&hash);
        let row = found.filter(|_| is_it).ok_or(Denied::Unknown)?;
        let entry = entry_of(row)?;
        match (entry.state(now), entry.expires_at) {
            (KeyState::Revoked, _) => return Err(Denied::Revoked { name: entry.name }),
            (KeyState::Expired, at) => {
                return Err(Denied::Expired { name: entry.name, at: at.unwrap_or(now) });
            }
            (KeyState::Active, _) => {}
        }
        self.note_use(&entry, now);
        Ok(Principal { actor: Actor::Key { name: entry.name }, grants: entry.grants })
    }

    fn note_use(&self, key: &KeyEntry, now: Timestamp) {
        let is_due = |at: Timestamp| now.ms_since(at) >= SEEN_MS;
        if !key.last_used_at.is_none_or(is_due) {
            return;
        }
        let mut seen = self.callers.seen();
        if !seen.get(&key.name).copied().is_none_or(is_due) {
            return;
        }
        seen.insert(key.name.clone(), now);
        let change = AccessChange::KeyUsed { name: key.name.clone(), at: now };
        // Nobody waits for the answer: whether a caller is let in does not depend on a full disk.
        let (reply, _) = tokio::sync::oneshot::channel();
        if let Err(error) = self.send(Input::Rows(vec![Row::Access(change)], reply)) {
            tracing::debug!("the use of a key is not kept: {error}");
        }
    }
}
