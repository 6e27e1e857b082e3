//! Why a caller is not who they would have to be.

use skep_definition::moment;
use skep_model::code::Code;
use skep_model::time::Timestamp;

use crate::codes;
use crate::error::Error;

/// A caller who was not recognised. The text is for the caller; only who has the secret learns more than "unknown".
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// No key has this secret.
    #[error("the API key is not known here")]
    Unknown,
    /// The example that stands in documentation.
    #[error("`your-api-key` is the example of the documentation, not a key: make one with `skep key create NAME`")]
    Placeholder,
    /// Its time is over.
    #[error("the API key `{name}` expired on {}", moment::print(*at))]
    Expired {
        /// The key's name.
        name: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody revoked it.
    #[error("the API key `{name}` was revoked")]
    Revoked {
        /// The key's name.
        name: String,
    },
    /// There is no such user, or the password is another one.
    #[error("the name or the password is wrong")]
    WrongPassword,
    /// The password is right, and the user may not sign in.
    #[error("the user `{name}` is disabled")]
    Disabled {
        /// The user's name.
        name: String,
    },
    /// It could not be looked up.
    #[error("the caller could not be looked up: {0}")]
    Unavailable(#[from] Error),
}

impl Denied {
    /// Its stable code.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::Unavailable(error) => error.code(),
            Self::Unknown
            | Self::Placeholder
            | Self::Expired { .. }
            | Self::Revoked { .. }
            | Self::WrongPassword
            | Self::Disabled { .. } => &codes::NOT_RECOGNISED,
        }
    }

    /// The name of the key or user that was recognised and is not accepted any more, for the record of the refusal.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Expired { name, .. } | Self::Revoked { name } | Self::Disabled { name } => Some(name),
            Self::Unknown | Self::Placeholder | Self::WrongPassword | Self::Unavailable(_) => None,
        }
    }
}

impl From<skep_store::Error> for Denied {
    fn from(error: skep_store::Error) -> Self {
        Self::Unavailable(error.into())
    }
}
