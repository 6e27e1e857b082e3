//! `config.toml` in the data directory, and the few environment variables beside it.
//!
//! Secrets are never written there: a key that ends in `_env` names the environment variable of the owner
//! that holds the secret.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use skep_definition::check::Level;
use skep_definition::{decisions, diagnostic};
use skep_model::Map;
use skep_model::decision::Rules;
use skep_model::ids::Hash;
use skep_runner::{Config as RunnerConfig, Credential, Login, Smtp, Tls};
use skep_store::DataDir;
use skep_store::audit::Place;

use crate::error::Error;
use crate::recovery::Recovery;
use crate::retention::{self, Retention};

/// Long enough to look into what happened last month.
const ARCHIVE_AFTER: &str = "30d";
const ARCHIVE_AFTER_DOC: &str = "how long finished executions stay in the store; `off`: for ever";
/// Long enough for a yearly look back.
const DELETE_AFTER: &str = "365d";
const DELETE_AFTER_DOC: &str = "how long after their end their archive files stay; `off`: for ever";
/// Room for what runs to come to its end.
const DISK_RESERVE: &str = "256MiB";
const RECOVERY_DOC: &str = "what `skep serve` goes on with at its start: always, rule, ask";
const DISK_RESERVE_DOC: &str = "with less free space nothing new is started";
/// The port of seed 000, for programs on this machine.
const API_LISTEN: &str = "127.0.0.1:8902";
const API_LISTEN_DOC: &str = "addresses of the HTTP API; an empty list: none";
/// As seed 000 has it.
const API_RATE_LIMIT: u32 = 100;
const API_RATE_LIMIT_DOC: &str = "requests per minute and key; 0: any number";
const API_PROXY_DOC: &str = "something before it speaks TLS, so it may listen on more than loopback";
const AUDIT_ENABLED_DOC: &str = "whether who did what is recorded";
/// In the data directory unless somebody names a better place.
const AUDIT_KEY: &str = "audit.key";
const AUDIT_KEY_DOC: &str = "file of the key that seals the records; outside of the data directory is better";

const VALIDATION_LEVEL_DOC: &str = "how closely definitions are looked at: basic, standard, strict, paranoid";
const AUTO_VALIDATE_DOC: &str = "before each start, at that level; false: only what a plan needs";
const STRICT_MODE_DOC: &str = "a warning keeps a workflow from starting, too";

/// Name of the file in the data directory.
pub const FILE: &str = "config.toml";
/// Name of the table of decisions beside it.
pub const RULES_FILE: &str = "decisions.yaml";

/// The configuration of an owner.
#[derive(Clone, Debug, Default)]
pub struct Config {
    file: File,
    origin: Option<PathBuf>,
    /// Of the file's text.
    hash: Option<Hash>,
    /// Of `decisions.yaml`.
    rules: Option<Rules>,
}

/// One key with its value, for `skep config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigRow {
    /// Key as in the file, with dots.
    pub key: String,
    /// Its value; empty if there is none.
    pub value: String,
    /// `default`, `file` or `environment`.
    pub origin: &'static str,
    /// What it does.
    pub doc: &'static str,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    smtp: Option<SmtpTable>,
    http: HttpTable,
    retention: RetentionTable,
    disk_reserve: Option<String>,
    recovery: Option<String>,
    api: ApiTable,
    validation: ValidationTable,
    audit: AuditTable,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ApiTable {
    listen: Option<Vec<String>>,
    rate_limit: Option<u32>,
    behind_proxy: Option<bool>,
}

/// The HTTP faces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where they listen; empty: nowhere.
    pub listen: Vec<SocketAddr>,
    /// Requests per minute and key; `None`: any number.
    pub rate_limit: Option<NonZeroU32>,
    /// Something before it speaks TLS, so it may listen on other addresses than loopback.
    pub behind_proxy: bool,
}

impl Api {
    /// Addresses as people write them; `off` is none.
    ///
    /// # Errors
    /// What is wrong with one: not an address, or reachable from other machines without TLS before it.
    pub fn addresses(words: &[String], behind_proxy: bool) -> Result<Vec<SocketAddr>, String> {
        let mut found = Vec::new();
        for word in words.iter().map(|word| word.trim()).filter(|word| !word.is_empty() && *word != "off") {
            let address: SocketAddr =
                word.parse().map_err(|_| format!("`{word}` is no address with a port, such as 127.0.0.1:8902"))?;
            if !address.ip().is_loopback() && !behind_proxy {
                return Err(format!(
                    "{address} can be reached from other machines, and keys would travel unencrypted: listen on loopback \
                     behind a proxy that speaks TLS, or say `behind_proxy = true` under [api] if one is before it"
                ));
            }
            found.push(address);
        }
        Ok(found)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AuditTable {
    enabled: Option<bool>,
    key: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RetentionTable {
    archive_after: Option<String>,
    delete_after: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ValidationTable {
    level: Option<String>,
    auto_validate: Option<bool>,
    strict_mode: Option<bool>,
}

/// How definitions are validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validation {
    /// How closely.
    pub level: Level,
    /// Before each start.
    pub auto_validate: bool,
    /// A warning blocks, too.
    pub strict_mode: bool,
}

impl Default for Validation {
    fn default() -> Self {
        Self { level: Level::Standard, auto_validate: true, strict_mode: false }
    }
}

impl Validation {
    /// What holds before a start: without `auto_validate` no more than what a plan needs.
    pub(crate) fn at_start(self) -> Self {
        match self.auto_validate {
            true => self,
            false => Self { level: Level::Basic, strict_mode: false, ..self },
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SmtpTable {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: TlsWord,
    username: Option<String>,
    password_env: Option<String>,
    from: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsWord {
    None,
    #[default]
    StartTls,
    Tls,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpTable {
    credentials: Map<CredentialTable>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialTable {
    #[serde(rename = "type")]
    kind: CredentialKind,
    /// The variable with the token, the password or the header's value.
    value_env: String,
    username: Option<String>,
    header: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CredentialKind {
    Bearer,
    Basic,
    Header,
}

/// The table of decisions of a data directory, if it has one.
fn load_rules(data_dir: &Path) -> Result<Option<Rules>, Error> {
    let path = data_dir.join(RULES_FILE);
    let error = |problem: String| Error::Config { file: path.display().to_string(), problem };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(found) if found.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(found) => return Err(error(found.to_string())),
    };
    decisions::read(&text).map(Some).map_err(|problems| {
        let name = path.display().to_string();
        error(format!("it is not in order\n{}", diagnostic::render(&problems, &text, &name, false)))
    })
}

impl Config {
    /// Where the file of a data directory is.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE)
    }

    /// Reads the files of a data directory; missing ones give the defaults.
    ///
    /// # Errors
    /// [`Error::Config`] with the place of the problem.
    pub fn load(data_dir: &Path) -> Result<Self, Error> {
        let path = Self::path(data_dir);
        let config_error = |problem: String| Error::Config { file: path.display().to_string(), problem };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { rules: load_rules(data_dir)?, ..Self::default() });
            }
            Err(error) => return Err(config_error(error.to_string())),
        };
        let file = toml::from_str(&text).map_err(|error| config_error(error.to_string()))?;
        let (origin, hash) = (Some(path.clone()), Some(Hash::of(text.as_bytes())));
        let config = Self { file, origin, hash, rules: load_rules(data_dir)? };
        config.retention()?;
        config.disk_reserve_bytes()?;
        config.validation()?;
        config.recovery()?;
        config.api()?;
        Ok(config)
    }

    /// The table of decisions, if there is one of one's own.
    pub fn rules(&self) -> Option<&Rules> {
        self.rules.as_ref()
    }

    /// The runner's part, with secrets taken from the environment of this process.
    ///
    /// # Errors
    /// [`Error::Config`] if a named variable is not set, or a table lacks what its type needs.
    pub(crate) fn runner(&self, runtime_dir: PathBuf, spawner: Option<PathBuf>) -> Result<RunnerConfig, Error> {
        let smtp = self.file.smtp.as_ref().map(|table| self.smtp(table)).transpose()?;
        let mut http_credentials = Map::new();
        for (name, table) in &self.file.http.credentials {
            http_credentials.insert(name.clone(), self.credential(name, table)?);
        }
        Ok(RunnerConfig { runtime_dir, smtp, http_credentials, spawner_program: spawner })
    }

    /// When old executions leave.
    ///
    /// # Errors
    /// [`Error::Config`] if a value is neither a length of time nor `off`.
    pub fn retention(&self) -> Result<Retention, Error> {
        let after = |key: &str, given: &Option<String>, default: &str| {
            let text = given.as_deref().unwrap_or(default);
            retention::after(text).ok_or_else(|| {
                self.error(&format!("{key} is a length of time such as `{default}`, or `off`, not {text:?}"))
            })
        };
        let table = &self.file.retention;
        Ok(Retention {
            archive_after_ms: after("retention.archive_after", &table.archive_after, ARCHIVE_AFTER)?,
            delete_after_ms: after("retention.delete_after", &table.delete_after, DELETE_AFTER)?,
        })
    }

    /// Free space below which nothing new is started, in bytes.
    ///
    /// # Errors
    /// [`Error::Config`] if it is no size.
    pub fn disk_reserve_bytes(&self) -> Result<u64, Error> {
        let text = self.file.disk_reserve.as_deref().unwrap_or(DISK_RESERVE);
        retention::bytes(text).ok_or_else(|| {
            self.error(&format!("disk_reserve is a size such as `{DISK_RESERVE}`, or `0`, not {text:?}"))
        })
    }

    /// What `skep serve` does at its start with what is under way.
    ///
    /// # Errors
    /// [`Error::Config`] if the word is none.
    pub fn recovery(&self) -> Result<Recovery, Error> {
        let Some(word) = self.file.recovery.as_deref() else { return Ok(Recovery::default()) };
        Recovery::parse(word).ok_or_else(|| {
            let known: Vec<&str> = Recovery::ALL.into_iter().map(Recovery::as_str).collect();
            self.error(&format!("recovery is one of {}, not {word:?}", known.join(", ")))
        })
    }

    /// The HTTP faces.
    ///
    /// # Errors
    /// [`Error::Config`] for an address that is none, or that would be unsafe.
    pub fn api(&self) -> Result<Api, Error> {
        let table = &self.file.api;
        let behind_proxy = table.behind_proxy.unwrap_or(false);
        let default = || vec![API_LISTEN.to_owned()];
        let words = table.listen.clone().unwrap_or_else(default);
        let listen =
            Api::addresses(&words, behind_proxy).map_err(|problem| self.error(&format!("api.listen: {problem}")))?;
        let rate_limit = NonZeroU32::new(table.rate_limit.unwrap_or(API_RATE_LIMIT));
        Ok(Api { listen, rate_limit, behind_proxy })
    }

    /// How definitions are validated.
    ///
    /// # Errors
    /// [`Error::Config`] if the level is none.
    pub fn validation(&self) -> Result<Validation, Error> {
        let (table, default) = (&self.file.validation, Validation::default());
        let level = match table.level.as_deref() {
            None => default.level,
            Some(word) => Level::parse(word).ok_or_else(|| {
                let known: Vec<&str> = Level::ALL.into_iter().map(Level::as_str).collect();
                self.error(&format!("validation.level is one of {}, not {word:?}", known.join(", ")))
            })?,
        };
        Ok(Validation {
            level,
            auto_validate: table.auto_validate.unwrap_or(default.auto_validate),
            strict_mode: table.strict_mode.unwrap_or(default.strict_mode),
        })
    }

    /// Where the audit of a data directory and its key are; `None` if nothing is recorded.
    pub fn audit(&self, directory: &DataDir) -> Option<Place> {
        self.file.audit.enabled.unwrap_or(true).then(|| self.audit_place(directory))
    }

    /// The same, whether anything is recorded now or not.
    pub fn audit_place(&self, directory: &DataDir) -> Place {
        Place::of(directory, Some(self.file.audit.key.as_deref().unwrap_or(Path::new(AUDIT_KEY))))
    }

    /// Changes with every change of the file; the word `default` without one.
    pub(crate) fn fingerprint(&self) -> String {
        self.hash.map_or_else(|| "default".to_owned(), |hash| hash.to_string())
    }

    fn smtp(&self, table: &SmtpTable) -> Result<Smtp, Error> {
        let tls = match table.tls {
            TlsWord::None => Tls::None,
            TlsWord::StartTls => Tls::StartTls,
            TlsWord::Tls => Tls::Wrapped,
        };
        let default_port = match tls {
            Tls::None => 25,
            Tls::StartTls => 587,
            Tls::Wrapped => 465,
        };
        let login = match (&table.username, &table.password_env) {
            (Some(username), Some(variable)) => {
                Some(Login { username: username.clone(), password: self.secret("smtp.password_env", variable)? })
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(self.error("smtp needs both `username` and `password_env`, or neither"));
            }
        };
        let port = table.port.unwrap_or(default_port);
        Ok(Smtp { host: table.host.clone(), port, tls, login, from: table.from.clone() })
    }

    fn credential(&self, name: &str, table: &CredentialTable) -> Result<Credential, Error> {
        let key = format!("http.credentials.{name}");
        let secret = self.secret(&format!("{key}.value_env"), &table.value_env)?;
        match (table.kind, &table.username, &table.header) {
            (CredentialKind::Bearer, _, _) => Ok(Credential::Bearer(secret)),
            (CredentialKind::Basic, Some(username), _) => {
                Ok(Credential::Basic(Login { username: username.clone(), password: secret }))
            }
            (CredentialKind::Header, _, Some(header)) => Ok(Credential::Header { name: header.clone(), value: secret }),
            (CredentialKind::Basic, None, _) => Err(self.error(&format!("{key} of type basic needs `username`"))),
            (CredentialKind::Header, _, None) => Err(self.error(&format!("{key} of type header needs `header`"))),
        }
    }

    fn secret(&self, key: &str, variable: &str) -> Result<String, Error> {
        std::env::var(variable).map_err(|_| {
            self.error(&format!("{key} names the environment variable {variable}, which is not set for this process"))
        })
    }

    fn api_rows(&self) -> [ConfigRow; 3] {
        let table = &self.file.api;
        [
            with_default(
                "api.listen",
                &table.listen.as_ref().map(|words| words.join(", ")),
                API_LISTEN,
                API_LISTEN_DOC,
            ),
            with_default(
                "api.rate_limit",
                &table.rate_limit.map(|count| count.to_string()),
                &API_RATE_LIMIT.to_string(),
                API_RATE_LIMIT_DOC,
            ),
            with_default("api.behind_proxy", &table.behind_proxy.map(|on| on.to_string()), "false", API_PROXY_DOC),
        ]
    }

    fn error(&self, problem: &str) -> Error {
        let file = self.origin.as_ref().map_or_else(|| FILE.to_owned(), |path| path.display().to_string());
        Error::Config { file, problem: problem.to_owned() }
    }

    /// Every key that is known, with its value and where it came from; secrets are not shown.
    pub fn rows(&self) -> Vec<ConfigRow> {
        let smtp = self.file.smtp.as_ref();
        let mut rows = vec![
            row("smtp.host", smtp.map(|table| table.host.clone()), "mail server of the action `email`"),
            row("smtp.port", smtp.and_then(|table| table.port).map(|port| port.to_string()), "its port (25, 587, 465)"),
            row("smtp.tls", smtp.map(|table| format!("{:?}", table.tls).to_lowercase()), "none, starttls or tls"),
            row("smtp.username", smtp.and_then(|table| table.username.clone()), "user name at the mail server"),
            row(
                "smtp.password_env",
                smtp.and_then(|t| t.password_env.clone()),
                "environment variable with its password",
            ),
            row("smtp.from", smtp.and_then(|table| table.from.clone()), "sender of mails that name none"),
        ];
        let kept = &self.file.retention;
        let audit_key = self.file.audit.key.as_ref().map(|path| path.display().to_string());
        rows.extend([
            with_default("retention.archive_after", &kept.archive_after, ARCHIVE_AFTER, ARCHIVE_AFTER_DOC),
            with_default("retention.delete_after", &kept.delete_after, DELETE_AFTER, DELETE_AFTER_DOC),
            with_default("disk_reserve", &self.file.disk_reserve, DISK_RESERVE, DISK_RESERVE_DOC),
            with_default("recovery", &self.file.recovery, Recovery::default().as_str(), RECOVERY_DOC),
            with_default("audit.enabled", &self.file.audit.enabled.map(|on| on.to_string()), "true", AUDIT_ENABLED_DOC),
            with_default("audit.key", &audit_key, AUDIT_KEY, AUDIT_KEY_DOC),
        ]);
        rows.extend(self.api_rows());
        let (validation, default) = (&self.file.validation, Validation::default());
        let word = |flag: Option<bool>| flag.map(|flag| flag.to_string());
        rows.extend([
            with_default("validation.level", &validation.level, default.level.as_str(), VALIDATION_LEVEL_DOC),
            with_default("validation.auto_validate", &word(validation.auto_validate), "true", AUTO_VALIDATE_DOC),
            with_default("validation.strict_mode", &word(validation.strict_mode), "false", STRICT_MODE_DOC),
        ]);
        for (name, table) in &self.file.http.credentials {
            let key = format!("http.credentials.{name}");
            let value = format!("{:?} from ${}", table.kind, table.value_env).to_lowercase();
            rows.push(row(&key, Some(value), "what `http` steps use by `auth: NAME`"));
        }
        rows
    }
}

fn row(key: &str, value: Option<String>, doc: &'static str) -> ConfigRow {
    let origin = if value.is_some() { "file" } else { "default" };
    ConfigRow { key: key.to_owned(), origin, value: value.unwrap_or_default(), doc }
}

fn with_default(key: &str, value: &Option<String>, default: &str, doc: &'static str) -> ConfigRow {
    ConfigRow { value: value.clone().unwrap_or_else(|| default.to_owned()), ..row(key, value.clone(), doc) }
}
