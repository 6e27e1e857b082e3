//! The list of actions.

use std::collections::BTreeMap;

use skep_model::catalogue::Action;

use super::context::{Context, Now, Result};
use super::{email, file, http, log, noop, set, sql};

/// A built-in action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    Noop,
    Log,
    Set,
    File,
    Sql,
    Http,
    Email,
}

/// How an action is performed.
pub(crate) enum Manner {
    /// In microseconds, without waiting for anything.
    Now(fn(Now<'_>) -> Result),
    /// With blocking calls; it looks at [`Context::cancel`].
    Blocking(fn(&Context) -> Result),
    /// Asynchronously; dropping it ends it.
    Request,
}

impl BuiltIn {
    const ALL: [Self; 7] = [Self::Noop, Self::Log, Self::Set, Self::File, Self::Sql, Self::Http, Self::Email];

    /// The action that `uses: name` means.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Log => "log",
            Self::Set => "set",
            Self::File => "file",
            Self::Sql => "sql",
            Self::Http => "http",
            Self::Email => "email",
        }
    }

    /// How it is performed.
    pub fn manner(self) -> Manner {
        match self {
            Self::Noop => Manner::Now(noop::perform),
            Self::Log => Manner::Now(log::perform),
            Self::Set => Manner::Now(set::perform),
            Self::File => Manner::Blocking(file::perform),
            Self::Sql => Manner::Blocking(sql::perform),
            Self::Email => Manner::Blocking(email::perform),
            Self::Http => Manner::Request,
        }
    }

    fn entry(self) -> Action {
        match self {
            Self::Noop => noop::entry(),
            Self::Log => log::entry(),
            Self::Set => set::entry(),
            Self::File => file::entry(),
            Self::Sql => sql::entry(),
            Self::Http => http::entry(),
            Self::Email => email::entry(),
        }
    }
}

/// The built-in actions by name, as the catalogue lists them.
pub fn catalogue_actions() -> BTreeMap<String, Action> {
    BuiltIn::ALL.into_iter().map(|action| (action.name().to_owned(), action.entry())).collect()
}
