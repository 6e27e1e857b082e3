//! Calls about the library.

use crate::local::convert::{failure_of, workflow_of};
use crate::local::desk::{Desk, Perform};
use crate::wire::{
    AddWorkflow, Failure, ListWorkflows, RemoveWorkflow, Removed, ShowWorkflow, Workflow, WorkflowText,
    WorkflowVersions, Workflows,
};

impl Perform for AddWorkflow {
    fn perform(&self, desk: &Desk) -> Result<Workflow, Failure> {
        let added = desk.node()?.add_workflow(self.text.clone(), self.file.clone(), self.path.clone(), desk.person());
        added.map(workflow_of).map_err(|error| failure_of(&error))
    }
}

impl Perform for ListWorkflows {
    fn perform(&self, desk: &Desk) -> Result<Workflows, Failure> {
        let entries = desk.reading().workflows().map_err(|error| failure_of(&error))?;
        Ok(Workflows { workflows: entries.into_iter().map(workflow_of).collect() })
    }
}

impl Perform for ShowWorkflow {
    fn perform(&self, desk: &Desk) -> Result<WorkflowText, Failure> {
        let found = desk.reading().workflow(&self.name, self.version);
        let (entry, text) = found.map_err(|error| failure_of(&error))?;
        Ok(WorkflowText { workflow: workflow_of(entry), text })
    }
}

impl Perform for WorkflowVersions {
    fn perform(&self, desk: &Desk) -> Result<Workflows, Failure> {
        let entries = desk.reading().workflow_versions(&self.name).map_err(|error| failure_of(&error))?;
        Ok(Workflows { workflows: entries.into_iter().map(workflow_of).collect() })
    }
}

impl Perform for RemoveWorkflow {
    fn perform(&self, desk: &Desk) -> Result<Removed, Failure> {
        let path = desk.node()?.remove_workflow(&self.name, &desk.person()).map_err(|error| failure_of(&error))?;
        Ok(Removed { path })
    }
}
