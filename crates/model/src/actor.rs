//! Who did something: one type from the first event on.

use serde::{Deserialize, Serialize};

/// Who sent a message or caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person, by the name under which they are known (on the Unix socket: their user name).
    Person {
        /// User name.
        name: String,
        /// The user's number, where the system says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<u32>,
        /// The process that asked for it, where the system says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
    },
    /// An API key, by its name.
    Key {
        /// Name of the key, never the key.
        name: String,
    },
    /// A remote agent.
    Agent {
        /// Name of the agent.
        name: String,
    },
    /// The engine itself (a timer, a timeout).
    Engine,
    /// A trigger of the workflow.
    Trigger {
        /// Which one.
        name: String,
    },
}

impl Actor {
    /// A person of whom nothing but the name is known.
    pub fn person(name: impl Into<String>) -> Self {
        Self::Person { name: name.into(), uid: None, pid: None }
    }

    /// A short name for people: `ada`, `key:ci`, `agent:web-1`, `engine`, `trigger:nightly`.
    pub fn label(&self) -> String {
        match self {
            Self::Person { name, .. } => name.clone(),
            Self::Key { name } => format!("key:{name}"),
            Self::Agent { name } => format!("agent:{name}"),
            Self::Engine => "engine".to_owned(),
            Self::Trigger { name } => format!("trigger:{name}"),
        }
    }
}
