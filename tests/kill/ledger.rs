//! The file that the steps write, and what has to be true of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use skep_model::ids::{ExecutionId, StepPath, Token, idempotency_key};

use crate::support::journal::Journal;

/// The generation of a step that nobody reran.
const GENERATION: u32 = 1;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub key: String,
    pub token: String,
    pub is_end: bool,
}

/// The file of one lane.
pub struct Ledger {
    file: PathBuf,
    /// By key: the lines of a step that was completed when an owner died.
    closed: BTreeMap<String, usize>,
    /// Deliveries, by their token, that were outstanding when an owner died.
    interrupted: BTreeSet<String>,
}

impl Ledger {
    pub fn new(file: PathBuf) -> Self {
        Self { file, closed: BTreeMap::new(), interrupted: BTreeSet::new() }
    }

    /// The size of the file, to see it grow.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len())
    }

    /// Every whole line.
    pub fn lines(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "a line is written by one call, so it is whole");
        text.lines().map(line).collect()
    }

    /// An owner died: `lines` were read after that, `journal` after the lines. Gives the deliveries that were
    /// outstanding.
    pub fn check_death(&mut self, lines: &[Line], journal: &Journal) -> Vec<Outstanding> {
        self.check_completed(lines, journal);
        check_recorded(lines, journal);
        check_order(lines, journal);
        let mut outstanding = Vec::new();
        for (path, step) in &journal.steps {
            let Some(delivery) = step.outstanding else { continue };
            let token = token(journal, path, delivery);
            let has_ended = lines.iter().any(|line| line.is_end && line.token == token);
            self.interrupted.insert(token.clone());
            outstanding.push(Outstanding { path: path.clone(), token, has_ended, lost_in_a_row: step.lost_in_a_row });
        }
        outstanding
    }

    /// What was completed at an earlier death has no new line.
    fn check_completed(&mut self, lines: &[Line], journal: &Journal) {
        let count = |key: &str| lines.iter().filter(|line| line.key == key).count();
        for (key, expected) in &self.closed {
            assert_eq!(count(key), *expected, "{key} was completed when an owner died and acted again");
        }
        for (path, _) in journal.steps.iter().filter(|(_, step)| step.completed) {
            let key = key(journal, path);
            let lines = count(&key);
            self.closed.insert(key, lines);
        }
    }

    /// The execution is over: every delivery that was not interrupted acted exactly once, from start to end.
    pub fn check_end(&mut self, journal: &Journal, expected: &BTreeMap<String, u32>) {
        let lines = self.lines();
        self.check_death(&lines, journal);
        let count = |token: &str, is_end| lines.iter().filter(|l| l.token == token && l.is_end == is_end).count();
        for (path, attempts) in expected {
            let Some(step) = journal.steps.get(path.as_str()) else { panic!("{path} was never scheduled") };
            assert!(step.completed, "{path}: {step:?}");
            assert_eq!(step.attempts, *attempts, "{path}: a lost delivery is not an attempt: {step:?}");
            for delivery in 1..=step.deliveries {
                let token = token(journal, path, delivery);
                let (starts, ends) = (count(&token, false), count(&token, true));
                if self.interrupted.contains(&token) {
                    assert!(starts <= 1 && ends <= starts, "{path}, delivery {delivery}: {starts} starts, {ends} ends");
                } else {
                    assert_eq!((starts, ends), (1, 1), "{path}, delivery {delivery} was never interrupted: {step:?}");
                }
            }
            let last = token(journal, path, step.deliveries);
            assert_eq!((count(&last, false), count(&last, true)), (1, 1), "the last delivery of {path}");
        }
        let loops = journal.steps.values().filter(|step| step.deliveries > 0).count();
        assert_eq!(loops, expected.len(), "no other step acted");
    }
}

/// A delivery without an outcome at the death of its owner.
pub struct Outstanding {
    pub path: StepPath,
    pub token: String,
    /// Its process wrote its last line: what was lost is the outcome.
    pub has_ended: bool,
    pub lost_in_a_row: u32,
}

fn line(text: &str) -> Line {
    let words: Vec<&str> = text.split(' ').collect();
    let [key, token, word] = words.as_slice() else { panic!("not a line of a step: {text:?}") };
    Line { key: (*key).to_owned(), token: (*token).to_owned(), is_end: *word == "end" }
}

fn key(journal: &Journal, path: &str) -> String {
    idempotency_key(&ExecutionId::new(journal.execution.as_str()), path, GENERATION)
}

fn token(journal: &Journal, path: &str, delivery: u32) -> String {
    Token::derive(&ExecutionId::new(journal.execution.as_str()), path, GENERATION, delivery).to_string()
}

/// The deliveries in the journal, in the order of each step.
fn recorded(journal: &Journal, path: &StepPath) -> Vec<String> {
    let deliveries = journal.steps.get(path).map_or(0, |step| step.deliveries);
    (1..=deliveries).map(|delivery| token(journal, path, delivery)).collect()
}

/// Every line of the newest execution belongs to a delivery in the journal, and no delivery wrote a line twice.
fn check_recorded(lines: &[Line], journal: &Journal) {
    let tokens: BTreeSet<String> = journal.steps.keys().flat_map(|path| recorded(journal, path)).collect();
    let prefix = format!("{}/", journal.execution);
    let mut seen = BTreeSet::new();
    for line in lines.iter().filter(|line| line.key.starts_with(&prefix)) {
        assert!(tokens.contains(&line.token), "{line:?} acted before its delivery was in the journal");
        assert!(seen.insert((&line.token, line.is_end)), "{line:?} was written twice");
    }
}

/// Per step, the deliveries come in order: none writes after a newer one began.
fn check_order(lines: &[Line], journal: &Journal) {
    for path in journal.steps.keys() {
        let key = key(journal, path);
        let order = recorded(journal, path);
        let place = |line: &Line| order.iter().position(|token| *token == line.token);
        let places: Vec<_> = lines.iter().filter(|line| line.key == key).map(place).collect();
        assert!(places.is_sorted(), "an old delivery of {path} acted beside a newer one: {places:?}");
    }
}
