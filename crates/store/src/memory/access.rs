//! Keys and users in memory.

use std::collections::BTreeSet;

use skep_model::ids::Hash;

use super::state::State;
use crate::access::AccessChange;
use crate::error::{Error, Named};

/// What a group has created so far.
#[derive(Default)]
pub(super) struct Created<'a> {
    keys: BTreeSet<&'a str>,
    hashes: BTreeSet<Hash>,
    users: BTreeSet<&'a str>,
}

impl<'a> Created<'a> {
    /// Refuses a name, or a hash, that somebody has.
    pub(super) fn check(&mut self, state: &State, write: usize, change: &'a AccessChange) -> Result<(), Error> {
        let (named, name, is_taken) = match change {
            AccessChange::KeyCreated(row) => {
                let stored = state.keys.values().any(|old| old.name == row.name || old.hash == row.hash);
                // Both are noted, whatever the first says.
                let (name, hash) = (self.keys.insert(&row.name), self.hashes.insert(row.hash));
                (Named::Key, &row.name, stored || !name || !hash)
            }
            AccessChange::UserCreated(row) => {
                let stored = state.users.contains_key(&row.name);
                (Named::User, &row.name, !self.users.insert(&row.name) || stored)
            }
            AccessChange::KeyUsed { .. }
            | AccessChange::KeyRevoked { .. }
            | AccessChange::UserDisabled { .. }
            | AccessChange::PasswordSet { .. } => return Ok(()),
        };
        match is_taken {
            true => Err(Error::NameTaken { write, named, name: name.clone() }),
            false => Ok(()),
        }
    }
}

impl State {
    pub(super) fn change_access(&mut self, change: &AccessChange) {
        match change {
            AccessChange::KeyCreated(row) => drop(self.keys.insert(row.name.clone(), row.clone())),
            AccessChange::KeyUsed { name, at } => {
                if let Some(row) = self.keys.get_mut(name) {
                    row.last_used_at = row.last_used_at.max(Some(*at));
                }
            }
            AccessChange::KeyRevoked { name, at } => {
                if let Some(row) = self.keys.get_mut(name) {
                    row.revoked_at = row.revoked_at.or(Some(*at));
                }
            }
            AccessChange::UserCreated(row) => drop(self.users.insert(row.name.clone(), row.clone())),
            AccessChange::UserDisabled { name, disabled } => {
                if let Some(row) = self.users.get_mut(name) {
                    row.disabled = *disabled;
                }
            }
            AccessChange::PasswordSet { name, password } => {
                if let Some(row) = self.users.get_mut(name) {
                    row.password = Some(password.clone());
                }
            }
        }
    }
}
