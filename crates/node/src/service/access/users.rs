//! Users: people who sign in with a name and a password.

use skep_model::access::{Grant, Principal, Secret};
use skep_model::actor::Actor;
use skep_model::audit::EventType;
use skep_store::{ACCESS_ROWS_MAX, AccessChange, Named, UserRow};

use super::{Act, Denied, secret};
use crate::clock;
use crate::error::Error;
use crate::owner::Node;
use crate::service::Reading;
use skep_model::time::Timestamp;

/// A user to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// As a step's id: `[A-Za-z_][A-Za-z0-9_-]{0,63}`, and not the label of the engine.
    pub name: String,
    /// What they may do; at least one.
    pub grants: Vec<Grant>,
    /// Without one they cannot sign in until one is set.
    pub password: Option<Secret>,
}

/// A user, without anything of their password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEntry {
    /// Unique for ever.
    pub name: String,
    /// What they may do.
    pub grants: Vec<Grant>,
    /// They have one.
    pub has_password: bool,
    /// They may not sign in.
    pub disabled: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

fn entry_of(row: UserRow) -> Result<UserEntry, Error> {
    let grants = super::from_text(&format!("the user `{}`", row.name), &row.grants)?;
    let has_password = row.password.is_some();
    Ok(UserEntry { name: row.name, grants, has_password, disabled: row.disabled, created_at: row.created_at })
}

impl Reading {
    /// All users by name, disabled ones included.
    ///
    /// # Errors
    /// Trouble with the store.
    pub fn list_users(&self) -> Result<Vec<UserEntry>, Error> {
        self.reader().users()?.into_iter().map(entry_of).collect()
    }
}

impl Node {
    /// Adds a user. Hashing the password takes some tens of milliseconds.
    ///
    /// # Errors
    /// A name that is none or is taken, no role, a password that is too short, trouble with the store.
    pub fn create_user(&self, new: NewUser, actor: &Actor) -> Result<UserEntry, Error> {
        check_name(&new.name)?;
        super::check_grants(&new.grants)?;
        let password = new.password.as_ref().map(secret::hash_password).transpose()?;
        let (now, _naming) = (clock::now(), self.callers.naming());
        let users = self.reading().reader().users()?;
        if users.iter().any(|row| row.name == new.name) {
            let (named, name) = (Named::User, new.name);
            return Err(skep_store::Error::NameTaken { write: 0, named, name }.into());
        }
        if users.len() >= ACCESS_ROWS_MAX {
            return Err(Error::BadRequest {
                message: format!("there are {ACCESS_ROWS_MAX} users, which is as many as there can be"),
                hint: "use several data directories".to_owned(),
            });
        }
        let grants = super::to_text(&new.grants);
        let row = UserRow { name: new.name, grants, password, disabled: false, created_at: now };
        let words = super::words(&new.grants);
        let details = vec![("user", row.name.clone()), ("grants", words.clone())];
        let message = format!("added the user {} ({words})", row.name);
        let act = Act { now, kind: EventType::UserCreated, actor, message, details };
        self.change_access(AccessChange::UserCreated(row.clone()), act)?;
        entry_of(row)
    }

    /// Lets a user sign in no more, or again. One for whom it is so already stays as they are.
    ///
    /// # Errors
    /// No such user, trouble with the store.
    pub fn disable_user(&self, name: &str, disabled: bool, actor: &Actor) -> Result<UserEntry, Error> {
        let (now, _naming) = (clock::now(), self.callers.naming());
        let entry = entry_of(self.user_row(name)?)?;
        if entry.disabled == disabled {
            return Ok(entry);
        }
        let (kind, verb) = match disabled {
            true => (EventType::UserDisabled, "disabled"),
            false => (EventType::UserEnabled, "enabled"),
        };
        let (message, details) = (format!("{verb} the user {name}"), vec![("user", name.to_owned())]);
        let change = AccessChange::UserDisabled { name: name.to_owned(), disabled };
        self.change_access(change, Act { now, kind, actor, message, details })?;
        Ok(UserEntry { disabled, ..entry })
    }

    /// Gives a user another password.
    ///
    /// # Errors
    /// No such user, a password that is too short, trouble with the store.
    pub fn set_password(&self, name: &str, password: &Secret, actor: &Actor) -> Result<UserEntry, Error> {
        let entry = entry_of(self.user_row(name)?)?;
        let (password, now) = (secret::hash_password(password)?, clock::now());
        let message = format!("set the password of the user {name}");
        let details = vec![("user", name.to_owned())];
        let change = AccessChange::PasswordSet { name: name.to_owned(), password };
        self.change_access(change, Act { now, kind: EventType::PasswordSet, actor, message, details })?;
        Ok(UserEntry { has_password: true, ..entry })
    }

    /// Who signs in with this name and this password. Takes some tens of milliseconds and 19 MiB for every answer, so
    /// that nobody learns which names there are; the caller bounds how many are tried at a time.
    ///
    /// # Errors
    /// [`Denied`]: nobody, or a user who is disabled.
    pub fn verify_password(&self, name: &str, password: &Secret) -> Result<Principal, Denied> {
        let row = self.reading().reader().user(name)?;
        let stored = row.as_ref().and_then(|row| row.password.as_deref());
        let is_it = secret::is_password(password, stored)?;
        let row = row.filter(|_| is_it).ok_or(Denied::WrongPassword)?;
        let entry = entry_of(row)?;
        match entry.disabled {
            true => Err(Denied::Disabled { name: entry.name }),
            false => Ok(Principal { actor: Actor::person(entry.name), grants: entry.grants }),
        }
    }

    fn user_row(&self, name: &str) -> Result<UserRow, Error> {
        let found = self.reading().reader().user(name)?;
        found.ok_or_else(|| Error::NoSuchCaller { named: Named::User, given: name.to_owned() })
    }
}

/// A user's label is their name: one that looks like the engine in a record would be believed.
fn check_name(name: &str) -> Result<(), Error> {
    super::check_name("user", name)?;
    match name == Actor::Engine.label() {
        false => Ok(()),
        true => Err(Error::BadRequest {
            message: format!("`{name}` cannot be the name of a user: records use it for Skep itself"),
            hint: "choose another name".to_owned(),
        }),
    }
}
