//! Who may do what: roles, the rights that they give, and a caller with their grants.
//!
//! Pure data and one table. Keys, users and passwords are the node's (`node/src/service/access`); which call needs which
//! right is said by the face that takes it.

mod pattern;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use pattern::{NotAPattern, Pattern};

use crate::actor::Actor;

/// What a key or a user is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Runs workflows and steers executions.
    Operator,
    /// Decides what is asked.
    Approver,
    /// Changes the library.
    Editor,
    /// Does everything that people do.
    Admin,
    /// Takes work and brings results: for remote agents.
    Agent,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Viewer, Self::Operator, Self::Approver, Self::Editor, Self::Admin, Self::Agent];

    /// The table of rights.
    pub fn rights(self) -> &'static [Right] {
        match self {
            Self::Viewer => &[Right::Read],
            Self::Operator => &[Right::Read, Right::Run],
            Self::Approver => &[Right::Read, Right::Approve],
            Self::Editor => &[Right::Read, Right::Run, Right::Edit],
            Self::Admin => &[Right::Read, Right::Run, Right::Approve, Right::Edit, Right::Administer],
            Self::Agent => &[Right::Work],
        }
    }

    /// The word on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Agent => "agent",
        }
    }

    /// The one that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// With its article: `a viewer`, `an operator`.
    fn with_article(self) -> String {
        let article = if self.as_str().starts_with(['a', 'e', 'o']) { "an" } else { "a" };
        format!("{article} {}", self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A kind of act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See workflows, executions, logs.
    Read,
    /// Start, cancel, pause, resume, signal, run again, roll back, make rollback points.
    Run,
    /// Decide, fill in forms, answer questions.
    Approve,
    /// Add, change and remove workflows of the library.
    Edit,
    /// Keys, users, the audit, what concerns the whole node.
    Administer,
    /// Take steps to perform them, and say how they ended.
    Work,
}

impl Right {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Read, Self::Run, Self::Approve, Self::Edit, Self::Administer, Self::Work];

    /// The word in JSON and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Administer => "administer",
            Self::Work => "work",
        }
    }

    /// What it lets one do, for pages.
    pub fn covers(self) -> &'static str {
        match self {
            Self::Read => "see workflows, executions and logs",
            Self::Run => "start, cancel, pause, resume, signal, rerun, roll back, make rollback points",
            Self::Approve => "approve and reject, fill in forms, answer questions",
            Self::Edit => "add, change and remove workflows of the library",
            Self::Administer => "keys, users, the audit, what concerns the whole node",
            Self::Work => "take steps, perform them and say how they ended",
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Read => "reading",
            Self::Run => "running",
            Self::Approve => "approving",
            Self::Edit => "editing",
            Self::Administer => "administering",
            Self::Work => "working",
        }
    }

    /// The role that gives it and the least beside it.
    pub fn least_role(self) -> Role {
        let having = Role::ALL.into_iter().filter(|role| role.rights().contains(&self));
        having.min_by_key(|role| role.rights().len()).expect("some role gives each right")
    }
}

/// A role over some workflows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What may be done.
    pub role: Role,
    /// To which workflows: by path in the library, by id if they are not in it. None of them: to no workflow.
    pub workflows: Vec<Pattern>,
}

impl Grant {
    /// Over every workflow.
    pub fn everywhere(role: Role) -> Self {
        Self { role, workflows: vec![Pattern::everything()] }
    }

    fn covers(&self, workflow: Option<&str>) -> bool {
        self.workflows.iter().any(|pattern| match workflow {
            Some(name) => pattern.admits(name),
            None => pattern.is_everything(),
        })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.role.as_str())?;
        match self.workflows.iter().any(Pattern::is_everything) {
            true => Ok(()),
            false => write!(out, " on {}", listed(&self.workflows)),
        }
    }
}

fn listed(patterns: &[Pattern]) -> String {
    match patterns {
        [] => "no workflow".to_owned(),
        patterns => patterns.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// A caller who was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who, as executions and the audit name them.
    pub actor: Actor,
    /// What they may do.
    pub grants: Vec<Grant>,
}

impl Principal {
    /// Somebody who may do everything that people do.
    pub fn admin(actor: Actor) -> Self {
        Self { actor, grants: vec![Grant::everywhere(Role::Admin)] }
    }

    /// True if they may do this to `workflow`: its path in the library, or its id if it is not in it. `None` is for what
    /// concerns no workflow in particular, such as keys: it needs a grant over every workflow (`**`).
    pub fn may(&self, right: Right, workflow: Option<&str>) -> bool {
        self.having(right).any(|grant| grant.covers(workflow))
    }

    /// True if they may do this to some workflow: a list may be asked for, and shows only what [`Principal::may`] admits.
    pub fn may_somewhere(&self, right: Right) -> bool {
        self.having(right).any(|grant| !grant.workflows.is_empty())
    }

    /// The same as [`Principal::may`], with a reason.
    ///
    /// # Errors
    /// [`Denial`], whose text says who may not do what, and what it would need.
    pub fn check(&self, right: Right, workflow: Option<&str>) -> Result<(), Denial> {
        match self.may(right, workflow) {
            true => Ok(()),
            false => Err(self.denial(right, workflow)),
        }
    }

    /// True if `label` (of an execution's starter, see [`Actor::label`]) is them: nobody approves what they started
    /// themselves where a workflow forbids it.
    pub fn is(&self, label: &str) -> bool {
        self.actor.label() == label
    }

    fn having(&self, right: Right) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.role.rights().contains(&right))
    }

    fn denial(&self, right: Right, workflow: Option<&str>) -> Denial {
        let (who, doing) = (self.named(), right.doing());
        let mut patterns = self.having(right).flat_map(|grant| &grant.workflows).cloned().collect::<Vec<_>>();
        patterns.dedup();
        let has_right = self.having(right).next().is_some();
        let reason = match (has_right, workflow) {
            (false, _) => format!("{who} is {}; {doing} needs {}", self.roles(), right.least_role()),
            (true, Some(workflow)) => {
                format!("{doing} is granted to {who} for {}, and `{workflow}` is not among them", listed(&patterns))
            }
            (true, None) => {
                format!("{doing} is granted to {who} for {} only; this needs it for every workflow", listed(&patterns))
            }
        };
        Denial { right, reason }
    }

    fn named(&self) -> String {
        match &self.actor {
            Actor::Person { name, .. } => format!("user `{name}`"),
            Actor::Key { name } => format!("key `{name}`"),
            Actor::Agent { name } => format!("agent `{name}`"),
            Actor::Engine => "the engine".to_owned(),
            Actor::Trigger { name } => format!("trigger `{name}`"),
        }
    }

    fn roles(&self) -> String {
        let mut roles: Vec<Role> = self.grants.iter().map(|grant| grant.role).collect();
        roles.sort();
        roles.dedup();
        match roles.is_empty() {
            true => "without any role".to_owned(),
            false => roles.into_iter().map(Role::with_article).collect::<Vec<_>>().join(" and "),
        }
    }
}

/// Why somebody may not do something, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denial {
    /// What they would need.
    pub right: Right,
    /// One sentence.
    pub reason: String,
}

/// A text that is shown to nobody by accident: a key's secret, a password. Debug output does not have it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests;
