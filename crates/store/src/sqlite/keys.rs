//! Keys and users in SQLite.

use rusqlite::{Result, Row, params};
use skep_model::ids::Hash;
use skep_model::time::Timestamp;

use super::decode;
use super::reader::SqliteReader;
use super::rows::Rows;
use super::trouble::{is_constraint, trouble};
use crate::access::{AccessChange, KeyRow, UserRow};
use crate::error::{Committed, Error, Named};
use crate::reader::ACCESS_ROWS_MAX;

const KEY_COLUMNS: &str = "name, prefix, hash, grants, created_at, created_by, expires_at, last_used_at, revoked_at";
const USER_COLUMNS: &str = "name, grants, password, disabled, created_at";
const INSERT_KEY: &str = "INSERT INTO access_key(name, prefix, hash, grants, created_at, created_by, expires_at, \
    last_used_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const KEY_USED: &str =
    "UPDATE access_key SET last_used_at = ?2 WHERE name = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
const REVOKE_KEY: &str = "UPDATE access_key SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL";
const INSERT_USER: &str =
    "INSERT INTO access_user(name, grants, password, disabled, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
const DISABLE_USER: &str = "UPDATE access_user SET disabled = ?2 WHERE name = ?1";
const SET_PASSWORD: &str = "UPDATE access_user SET password = ?2 WHERE name = ?1";

impl Rows<'_> {
    pub(super) fn change_access(&self, change: &AccessChange) -> std::result::Result<(), Error> {
        match change {
            AccessChange::KeyCreated(row) => self.create_key(row),
            AccessChange::KeyUsed { name, at } => self.run("recording the use of a key", KEY_USED, params![name, at.0]),
            AccessChange::KeyRevoked { name, at } => self.run("revoking a key", REVOKE_KEY, params![name, at.0]),
            AccessChange::UserCreated(row) => self.create_user(row),
            AccessChange::UserDisabled { name, disabled } => {
                self.run("changing a user", DISABLE_USER, params![name, disabled])
            }
            AccessChange::PasswordSet { name, password } => {
                self.run("setting a password", SET_PASSWORD, params![name, password])
            }
        }
    }

    fn create_key(&self, row: &KeyRow) -> std::result::Result<(), Error> {
        let values = params![
            row.name,
            row.prefix,
            row.hash.to_string(),
            row.grants,
            row.created_at.0,
            row.created_by,
            row.expires_at.map(|at| at.0),
            row.last_used_at.map(|at| at.0),
            row.revoked_at.map(|at| at.0),
        ];
        self.create("creating a key", Named::Key, &row.name, self.execute(INSERT_KEY, values))
    }

    fn create_user(&self, row: &UserRow) -> std::result::Result<(), Error> {
        let values = params![row.name, row.grants, row.password, row.disabled, row.created_at.0];
        self.create("creating a user", Named::User, &row.name, self.execute(INSERT_USER, values))
    }

    fn create(
        &self,
        attempt: &'static str,
        named: Named,
        name: &str,
        done: Result<usize>,
    ) -> std::result::Result<(), Error> {
        done.map(|_| ()).map_err(|error| match is_constraint(&error) {
            true => Error::NameTaken { write: self.write, named, name: name.to_owned() },
            false => trouble(attempt, self.file, Committed::Nothing)(error),
        })
    }
}

impl SqliteReader {
    pub(super) fn all_keys(&self) -> std::result::Result<Vec<KeyRow>, Error> {
        let sql = format!("SELECT {KEY_COLUMNS} FROM access_key ORDER BY name LIMIT {ACCESS_ROWS_MAX}");
        self.answer("reading keys", self.many(&sql, [], key))
    }

    pub(super) fn key_named(&self, name: &str) -> std::result::Result<Option<KeyRow>, Error> {
        let sql = format!("SELECT {KEY_COLUMNS} FROM access_key WHERE name = ?1");
        self.answer("reading a key", self.one(&sql, [name], key))
    }

    pub(super) fn key_with(&self, hash: Hash) -> std::result::Result<Option<KeyRow>, Error> {
        let sql = format!("SELECT {KEY_COLUMNS} FROM access_key WHERE hash = ?1");
        self.answer("looking for a key", self.one(&sql, [hash.to_string()], key))
    }

    pub(super) fn all_users(&self) -> std::result::Result<Vec<UserRow>, Error> {
        let sql = format!("SELECT {USER_COLUMNS} FROM access_user ORDER BY name LIMIT {ACCESS_ROWS_MAX}");
        self.answer("reading users", self.many(&sql, [], user))
    }

    pub(super) fn user_named(&self, name: &str) -> std::result::Result<Option<UserRow>, Error> {
        let sql = format!("SELECT {USER_COLUMNS} FROM access_user WHERE name = ?1");
        self.answer("reading a user", self.one(&sql, [name], user))
    }
}

fn key(row: &Row<'_>) -> Result<KeyRow> {
    let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp));
    Ok(KeyRow {
        name: row.get(0)?,
        prefix: row.get(1)?,
        hash: decode::hash(row, 2)?,
        grants: row.get(3)?,
        created_at: Timestamp(row.get(4)?),
        created_by: row.get(5)?,
        expires_at: at(6)?,
        last_used_at: at(7)?,
        revoked_at: at(8)?,
    })
}

fn user(row: &Row<'_>) -> Result<UserRow> {
    Ok(UserRow {
        name: row.get(0)?,
        grants: row.get(1)?,
        password: row.get(2)?,
        disabled: row.get(3)?,
        created_at: Timestamp(row.get(4)?),
    })
}
