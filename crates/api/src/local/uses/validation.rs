//! Calls about validation.

use skep_definition::check::Level;

use crate::local::convert::{failure_of, validation_of};
use crate::local::desk::{Desk, Perform};
use crate::wire::{Failure, ValidateText, ValidateWorkflow, Validation, Validations, ValidationsOf};

impl Perform for ValidateWorkflow {
    fn perform(&self, desk: &Desk) -> Result<Validation, Failure> {
        let level = self.level.as_deref().map(level).transpose()?;
        let how = (level, self.strict_mode);
        let found =
            desk.node()?.validate_workflow(&self.name, self.version, how, self.path.clone(), self.arguments.clone());
        let found = found.map_err(|error| failure_of(&error))?;
        Ok(validation_of(&found.validation, &found.text, &found.path))
    }
}

impl Perform for ValidateText {
    fn perform(&self, desk: &Desk) -> Result<Validation, Failure> {
        let level = self.level.as_deref().map(level).transpose()?;
        let how = (level, self.strict_mode);
        let found = desk.node()?.validate_text(&self.text, how, self.path.clone(), self.arguments.clone());
        Ok(validation_of(&found, &self.text, "(the definition)"))
    }
}

impl Perform for ValidationsOf {
    fn perform(&self, desk: &Desk) -> Result<Validations, Failure> {
        let found = desk.reading().validations(&self.name, self.version);
        let (path, number, validations) = found.map_err(|error| failure_of(&error))?;
        Ok(Validations { path, number, validations })
    }
}

fn level(word: &str) -> Result<Level, Failure> {
    Level::parse(word).ok_or_else(|| {
        let known: Vec<&str> = Level::ALL.into_iter().map(Level::as_str).collect();
        let (message, hint) =
            (format!("`{word}` is no level of validation"), format!("the levels: {}", known.join(", ")));
        failure_of(&skep_node::Error::BadRequest { message, hint })
    })
}
