//! Use cases of the library of workflows.

use serde::{Deserialize, Serialize};

use super::call::{Call, Needs};

/// Adds a workflow, or a new version of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddWorkflow {
    /// The definition.
    pub text: String,
    /// Its name for messages.
    #[serde(default)]
    pub file: Option<String>,
    /// Where in the library; `category/name` if `None`.
    #[serde(default)]
    pub path: Option<String>,
}

/// Lists the newest version of each workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListWorkflows {}

/// Gives one workflow with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowWorkflow {
    /// A path, or the end of one.
    pub name: String,
    /// From 1; the newest if `None`.
    #[serde(default)]
    pub version: Option<u32>,
}

/// Lists the versions of one workflow, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowVersions {
    /// A path, or the end of one.
    pub name: String,
}

/// Takes a workflow out of the library; its executions stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveWorkflow {
    /// A path, or the end of one.
    pub name: String,
}

/// One version of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// Where it lies in the library.
    pub path: String,
    /// From 1.
    pub number: u32,
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The version that the definition declares.
    pub version: String,
    /// blake3 of its text.
    pub definition_hash: String,
    /// When it was added, RFC 3339 in UTC.
    pub added_at: String,
    /// Who added it.
    pub actor: String,
}

/// A workflow and its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowText {
    /// Which.
    pub workflow: Workflow,
    /// Its definition as it was added.
    pub text: String,
}

/// Several of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflows {
    /// In the order of their paths, or newest first for the versions of one.
    pub workflows: Vec<Workflow>,
}

/// One was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Where it lay.
    pub path: String,
}

impl Call for AddWorkflow {
    const NAME: &'static str = "workflow-add";
    const NEEDS: Needs = Needs::Owner;
    type Answer = Workflow;
}

impl Call for ListWorkflows {
    const NAME: &'static str = "workflow-list";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Workflows;
}

impl Call for ShowWorkflow {
    const NAME: &'static str = "workflow-show";
    const NEEDS: Needs = Needs::Reading;
    type Answer = WorkflowText;
}

impl Call for WorkflowVersions {
    const NAME: &'static str = "workflow-versions";
    const NEEDS: Needs = Needs::Reading;
    type Answer = Workflows;
}

impl Call for RemoveWorkflow {
    const NAME: &'static str = "workflow-remove";
    const NEEDS: Needs = Needs::Owner;
    type Answer = Removed;
}
