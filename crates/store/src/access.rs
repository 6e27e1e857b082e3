//! Rows of keys and users: who may call, and how they prove that it is them.
//!
//! No secret is here: a key is known by the hash of its secret, a password by its argon2id text.

use std::fmt;

use skep_model::ids::Hash;
use skep_model::time::Timestamp;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Unique for ever, revoked ones included.
    pub name: String,
    /// How its secret begins, for people who look for it.
    pub prefix: String,
    /// Of its secret. Unique.
    pub hash: Hash,
    /// JSON of the node; opaque here.
    pub grants: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, as a label.
    pub created_by: String,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was last seen, with a minute's precision.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A person who signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Unique for ever.
    pub name: String,
    /// JSON of the node; opaque here.
    pub grants: String,
    /// The argon2id hash of their password as PHC text, if they have one.
    pub password: Option<String>,
    /// They may not sign in.
    pub disabled: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

impl fmt::Debug for UserRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hash of a password can be tried against: it does not belong into a log.
        out.debug_struct("UserRow")
            .field("name", &self.name)
            .field("grants", &self.grants)
            .field("has_password", &self.password.is_some())
            .field("disabled", &self.disabled)
            .field("created_at", &self.created_at)
            .finish()
    }
}

/// What changes about keys and users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// A new key. Refused if its name or its hash is taken.
    KeyCreated(KeyRow),
    /// A key was seen; an older moment than the one on record changes nothing, nor does a name that no key has.
    KeyUsed {
        /// Which.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// A key is refused from now on; nothing happens if it is revoked already or there is none.
    KeyRevoked {
        /// Which.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// A new user. Refused if the name is taken.
    UserCreated(UserRow),
    /// A user may sign in, or not; nothing happens if there is none.
    UserDisabled {
        /// Who.
        name: String,
        /// They may not.
        disabled: bool,
    },
    /// A user has another password; nothing happens if there is no such user.
    PasswordSet {
        /// Who.
        name: String,
        /// The argon2id hash as PHC text.
        password: String,
    },
}

impl AccessChange {
    /// About how many bytes it adds to the store.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::KeyCreated(row) => row.name.len() + row.grants.len() + row.created_by.len(),
            Self::KeyUsed { .. } | Self::KeyRevoked { .. } | Self::UserDisabled { .. } => 0,
            Self::UserCreated(row) => row.name.len() + row.grants.len() + row.password.as_ref().map_or(0, String::len),
            Self::PasswordSet { password, .. } => password.len(),
        }
    }
}
