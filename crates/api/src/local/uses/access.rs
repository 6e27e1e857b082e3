//! Calls about keys and users.

use skep_definition::moment;
use skep_model::access;
use skep_model::time::Timestamp;
use skep_node::clock;
use skep_node::service::{KeyEntry, NewKey, NewUser, UserEntry};

use crate::local::convert::failure_of;
use crate::local::desk::{Desk, Perform};
use crate::wire::{
    Class, CreateKey, CreateUser, DisableUser, Failure, Grant, Key, KeyCreated, Keys, ListKeys, ListUsers, RevokeKey,
    SetPassword, User, Users,
};

impl Perform for CreateKey {
    fn perform(&self, desk: &Desk) -> Result<KeyCreated, Failure> {
        let new = NewKey {
            name: self.name.clone(),
            grants: grants_of(&self.grants)?,
            expires_at: self.expires_at_us.map(Timestamp),
        };
        let (key, secret) = desk.node()?.create_key(new, &desk.person()).map_err(|error| failure_of(&error))?;
        Ok(KeyCreated { key: key_of(key), secret })
    }
}

impl Perform for ListKeys {
    fn perform(&self, desk: &Desk) -> Result<Keys, Failure> {
        let keys = desk.reading().list_keys().map_err(|error| failure_of(&error))?;
        Ok(Keys { keys: keys.into_iter().map(key_of).collect() })
    }
}

impl Perform for RevokeKey {
    fn perform(&self, desk: &Desk) -> Result<Key, Failure> {
        desk.node()?.revoke_key(&self.name, &desk.person()).map(key_of).map_err(|error| failure_of(&error))
    }
}

impl Perform for CreateUser {
    fn perform(&self, desk: &Desk) -> Result<User, Failure> {
        let grants = grants_of(&self.grants)?;
        let new = NewUser { name: self.name.clone(), grants, password: self.password.clone() };
        desk.node()?.create_user(new, &desk.person()).map(user_of).map_err(|error| failure_of(&error))
    }
}

impl Perform for ListUsers {
    fn perform(&self, desk: &Desk) -> Result<Users, Failure> {
        let users = desk.reading().list_users().map_err(|error| failure_of(&error))?;
        Ok(Users { users: users.into_iter().map(user_of).collect() })
    }
}

impl Perform for DisableUser {
    fn perform(&self, desk: &Desk) -> Result<User, Failure> {
        let changed = desk.node()?.disable_user(&self.name, self.disabled, &desk.person());
        changed.map(user_of).map_err(|error| failure_of(&error))
    }
}

impl Perform for SetPassword {
    fn perform(&self, desk: &Desk) -> Result<User, Failure> {
        let changed = desk.node()?.set_password(&self.name, &self.password, &desk.person());
        changed.map(user_of).map_err(|error| failure_of(&error))
    }
}

fn grants_of(grants: &[Grant]) -> Result<Vec<access::Grant>, Failure> {
    let pattern = |text: &String| {
        text.parse().map_err(|error: access::NotAPattern| {
            Failure::new("SKEP-N010", Class::User, error.to_string(), "such as `deploy/*`, or `**` for all of them")
        })
    };
    let grant = |grant: &Grant| {
        let workflows = grant.workflows.iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(access::Grant { role: grant.role, workflows })
    };
    grants.iter().map(grant).collect()
}

fn wired(grants: Vec<access::Grant>) -> Vec<Grant> {
    let words = |grant: &access::Grant| grant.workflows.iter().map(ToString::to_string).collect();
    grants.iter().map(|grant| Grant { role: grant.role, workflows: words(grant) }).collect()
}

fn key_of(entry: KeyEntry) -> Key {
    Key {
        state: entry.state(clock::now()).as_str().to_owned(),
        name: entry.name,
        prefix: entry.prefix,
        grants: wired(entry.grants),
        created_at: moment::print(entry.created_at),
        created_by: entry.created_by,
        expires_at: entry.expires_at.map(moment::print),
        last_used_at: entry.last_used_at.map(moment::print),
        revoked_at: entry.revoked_at.map(moment::print),
    }
}

fn user_of(entry: UserEntry) -> User {
    User {
        name: entry.name,
        grants: wired(entry.grants),
        has_password: entry.has_password,
        disabled: entry.disabled,
        created_at: moment::print(entry.created_at),
    }
}
