//! What only the store knows of a wait for a group: the place in the line, and who is in.

use serde_json::{Value, json};
use skep_model::ids::{ExecutionId, LocalId};
use skep_store::{PermitRow, PermitState};

use super::Reading;
use crate::error::Error;
use crate::gates::group_key;
use crate::owner::Node;

/// Holders that an answer names; the rest is counted.
const HOLDERS_SHOWN_MAX: usize = 10;

impl Node {
    /// Adds the scripts that wait for a slot to an answer's `waiting`: only an owner knows them.
    pub fn add_slots(&self, answer: &mut Value) {
        let Some(id) = answer["execution_id"].as_str().map(ExecutionId::new) else { return };
        let Some(entries) = answer["waiting"].as_array_mut() else { return };
        entries.extend(self.watcher().slots().of(&id).into_iter().map(|path| {
            json!({
                "step": *path, "for": "slot", "kind": "slot", "since": null, "until": null,
                "detail": "a slot for its script: as many run as run at a time",
            })
        }));
    }
}

impl Reading {
    /// Adds `place`, `in_line` and `holders` to the entries of an answer's `waiting` that are about groups, and says
    /// it in their `detail`.
    ///
    /// # Errors
    /// Trouble with the store.
    pub(super) fn add_places(&self, local: LocalId, answer: &mut Value) -> Result<(), Error> {
        let Some(entries) = answer["waiting"].as_array_mut() else { return Ok(()) };
        for entry in entries.iter_mut().filter(|entry| entry["for"] == "group") {
            let step = entry["step"].as_str().unwrap_or_default().to_owned();
            let key = group_key(entry["name"].as_str().unwrap_or_default(), !step.is_empty());
            let rows = self.reader().permits_of(&key)?;
            let (held, line): (Vec<PermitRow>, Vec<PermitRow>) =
                rows.into_iter().partition(|row| row.state == PermitState::Held);
            let place = line.iter().position(|row| row.execution == local && *row.path == *step).map(|at| at + 1);
            let mut holders = Vec::new();
            for row in held.iter().take(HOLDERS_SHOWN_MAX) {
                holders.push(self.holder(row)?);
            }
            let detail = entry["detail"].as_str().unwrap_or_default();
            entry["detail"] = json!(format!("{detail}{}", words(place, line.len(), &holders, held.len())));
            entry["place"] = json!(place);
            entry["in_line"] = json!(line.len());
            entry["holders"] = json!(holders);
        }
        Ok(())
    }

    /// `{execution_id, workflow, status, step, since}` of whoever has a place.
    fn holder(&self, row: &PermitRow) -> Result<Value, Error> {
        let execution = self.reader().execution_by_local(row.execution)?;
        let step = Some(&*row.path).filter(|path| !path.is_empty());
        Ok(json!({
            "execution_id": execution.as_ref().map(|found| found.id.to_string()),
            "workflow": execution.as_ref().map(|found| found.workflow.clone()),
            "status": execution.as_ref().map(|found| found.status.as_str()),
            "step": step,
            "since": skep_definition::moment::print(row.since),
        }))
    }
}

fn words(place: Option<usize>, in_line: usize, holders: &[Value], held: usize) -> String {
    let place = place.map_or_else(String::new, |place| format!("; place {place} of {in_line} in line"));
    let mut names: Vec<String> = holders
        .iter()
        .filter_map(|holder| {
            let id = holder["execution_id"].as_str()?;
            Some(holder["step"].as_str().map_or_else(|| id.to_owned(), |step| format!("{id} ({step})")))
        })
        .collect();
    if held > holders.len() {
        names.push(format!("{} more", held - holders.len()));
    }
    let holders = if names.is_empty() { String::new() } else { format!("; taken by {}", names.join(", ")) };
    place + &holders
}
