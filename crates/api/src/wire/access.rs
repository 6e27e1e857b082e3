//! Use cases of keys and users.

use serde::{Deserialize, Serialize};
use skep_model::access::{Role, Secret};

use super::call::{Call, Needs};

/// A role over some workflows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// `viewer`, `operator`, `approver`, `editor`, `admin` or `agent`.
    pub role: Role,
    /// Patterns for paths of the library and ids of workflows: `deploy/*`, `**` for all.
    pub workflows: Vec<String>,
}

/// Makes an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateKey {
    /// As a step's id.
    pub name: String,
    /// What it may do; at least one.
    pub grants: Vec<Grant>,
    /// From when on it is refused, in microseconds since 1970 UTC; never if `None`.
    #[serde(default)]
    pub expires_at_us: Option<i64>,
}

/// A key with its secret, which is in no other answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    /// The key.
    pub key: Key,
    /// What callers send: `skep_` and 43 characters.
    pub secret: Secret,
}

/// Lists all keys by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListKeys {}

/// Several keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// By name, revoked and expired ones included.
    pub keys: Vec<Key>,
}

/// Refuses a key from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeKey {
    /// Which.
    pub name: String,
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Unique for ever.
    pub name: String,
    /// The first eight characters of its secret.
    pub prefix: String,
    /// `active`, `expired` or `revoked`.
    pub state: String,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// Who made it.
    pub created_by: String,
    /// From when on it is refused, RFC 3339 in UTC.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute, RFC 3339 in UTC.
    pub last_used_at: Option<String>,
    /// When it was revoked, RFC 3339 in UTC.
    pub revoked_at: Option<String>,
}

/// Adds a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    /// As a step's id.
    pub name: String,
    /// What they may do; at least one.
    pub grants: Vec<Grant>,
    /// 8 to 1,024 bytes; without one they cannot sign in until one is set.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// Lists all users by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListUsers {}

/// Several users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// By name, disabled ones included.
    pub users: Vec<User>,
}

/// Lets a user sign in no more, or again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisableUser {
    /// Who.
    pub name: String,
    /// They may not.
    pub disabled: bool,
}

/// Gives a user another password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPassword {
    /// Who.
    pub name: String,
    /// 8 to 1,024 bytes.
    pub password: Secret,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Unique for ever.
    pub name: String,
    /// What they may do.
    pub grants: Vec<Grant>,
    /// They have one.
    pub has_password: bool,
    /// They may not sign in.
    pub disabled: bool,
    /// When they were added, RFC 3339 in UTC.
    pub created_at: String,
}

super::writes::calls! {
    CreateKey "key-create" Owner -> KeyCreated;
    ListKeys "key-list" Reading -> Keys;
    RevokeKey "key-revoke" Owner -> Key;
    CreateUser "user-create" Owner -> User;
    ListUsers "user-list" Reading -> Users;
    DisableUser "user-disable" Owner -> User;
    SetPassword "user-password" Owner -> User;
}
