//! The journal as it lies on disk, read without an owner.

use std::collections::HashMap;
use std::path::Path;

use skep_model::event::Event;
use skep_model::ids::{LocalId, StepPath};
use skep_model::status::Execution as Status;
use skep_store::{DataDir, Reader, SqliteReader};

/// Turns that are read at once; more than any execution of these tests has.
const TURNS_MAX: usize = 10_000;

/// What the journal says about one step.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Attempts that began.
    pub attempts: u32,
    /// Deliveries that were recorded, over all attempts.
    pub deliveries: u32,
    /// The delivery that has no outcome yet.
    pub outstanding: Option<u32>,
    /// Deliveries of the outstanding attempt that were lost so far.
    pub lost_in_a_row: u32,
    /// It is completed.
    pub completed: bool,
}

/// What the journal says about the newest execution.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The public id.
    pub execution: String,
    /// The status in the list.
    pub status: Status,
    /// By path: the steps that did something.
    pub steps: HashMap<StepPath, Step>,
}

impl Journal {
    /// The step has no delivery that waits for its outcome.
    pub fn is_over(&self, path: &str) -> bool {
        self.steps.get(path).is_none_or(|step| step.outstanding.is_none())
    }
}

/// The newest execution of the data directory, `None` if there is none.
pub fn newest(data: &Path) -> Option<Journal> {
    let directory = DataDir::at(data);
    if !directory.database().exists() {
        return None;
    }
    let reader = match SqliteReader::open(&directory) {
        Ok(reader) => reader,
        // An owner that died before its first commit leaves a file without tables.
        Err(skep_store::Error::NotFound { .. }) => return None,
        Err(error) => panic!("the store of {} cannot be read: {error}", data.display()),
    };
    let row = reader.newest_execution().expect("the list can be read")?;
    let events = events(&reader, row.local);
    let mut steps: HashMap<StepPath, Step> = HashMap::new();
    for event in events.iter().flatten() {
        note(&mut steps, event);
    }
    Some(Journal { execution: row.id.to_string(), status: row.status, steps })
}

/// Events of the newest execution.
pub fn size(data: &Path) -> u64 {
    let directory = DataDir::at(data);
    let reader = if directory.database().exists() { SqliteReader::open(&directory).ok() } else { None };
    let row = reader.as_ref().and_then(|reader| reader.newest_execution().ok().flatten());
    let events = reader.zip(row).map(|(reader, row)| events(&reader, row.local));
    events.unwrap_or_default().iter().map(|turn| turn.len() as u64).sum()
}

fn events(reader: &SqliteReader, local: LocalId) -> Vec<Vec<Event>> {
    let turns = reader.turns(local, 1, TURNS_MAX).expect("the journal can be read");
    for (expected, turn) in (1..).zip(&turns) {
        assert_eq!(turn.seq, expected, "the journal has a gap");
    }
    turns.iter().map(|turn| serde_json::from_str(&turn.events).expect("a turn is a list of events")).collect()
}

fn note(steps: &mut HashMap<StepPath, Step>, event: &Event) {
    match event {
        Event::Scheduled { path, attempt, delivery, .. } => {
            let step = steps.entry(path.clone()).or_default();
            assert!(!step.completed, "{path} is completed and was scheduled again");
            assert_eq!(*delivery, step.deliveries + 1, "deliveries of {path} are counted one by one");
            *step = Step { attempts: *attempt, deliveries: *delivery, outstanding: Some(*delivery), ..Step::default() };
        }
        Event::Redelivered { path, delivery } => {
            let step = steps.get_mut(path).expect("what is delivered again was scheduled");
            assert!(step.outstanding.is_some(), "{path} has an outcome and was delivered again");
            assert_eq!(*delivery, step.deliveries + 1, "deliveries of {path} are counted one by one");
            step.deliveries = *delivery;
            step.outstanding = Some(*delivery);
            step.lost_in_a_row += 1;
        }
        Event::Completed { path, .. } => {
            let step = steps.entry(path.clone()).or_default();
            assert!(!step.completed, "{path} is completed twice");
            step.completed = true;
            step.outstanding = None;
        }
        Event::AttemptFailed { path, .. } | Event::Failed { path, .. } | Event::Cancelled { path } => {
            if let Some(step) = steps.get_mut(path) {
                step.outstanding = None;
            }
        }
        _ => {}
    }
}
