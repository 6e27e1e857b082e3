//! What the owner of a node configures for its runner. Secrets are here and nowhere in a definition.

use std::fmt;
use std::path::PathBuf;

use skep_model::Map;

/// Configuration of a runner.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Folder for the scratch files of running scripts: absolute, writable, only for this owner.
    pub runtime_dir: PathBuf,
    /// The mail server of the action `email`; without one that action fails and says so.
    pub smtp: Option<Smtp>,
    /// What the action `http` may use by `auth: NAME`.
    pub http_credentials: Map<Credential>,
    /// The program that is started as the spawner; `None`: this executable.
    pub spawner_program: Option<PathBuf>,
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Host name; certificates are checked against it.
    pub host: String,
    /// Port: usually 25, 465 (`Tls::Wrapped`) or 587 (`Tls::StartTls`).
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// User name and password, if it wants any.
    pub login: Option<Login>,
    /// Sender of messages that name none.
    pub from: Option<String>,
}

/// Encryption of a mail connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// None: only for a server on this machine or in a trusted network.
    None,
    /// Plain first, then STARTTLS, which must work.
    StartTls,
    /// TLS from the first byte.
    Wrapped,
}

/// A user name with its password.
#[derive(Clone)]
pub struct Login {
    /// Name.
    pub username: String,
    /// Password; never printed.
    pub password: String,
}

/// How a request shows who it is.
#[derive(Clone)]
pub enum Credential {
    /// `Authorization: Bearer TOKEN`.
    Bearer(String),
    /// HTTP basic authentication.
    Basic(Login),
    /// Any other header.
    Header {
        /// Name of the header, for example `X-Api-Key`.
        name: String,
        /// Its value.
        value: String,
    },
}

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Login({}, ..)", self.username)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bearer(_) => "Bearer(..)",
            Self::Basic(_) => "Basic(..)",
            Self::Header { .. } => "Header(..)",
        })
    }
}
