//! Random workflows of scripts, with the outcome of each attempt of each step written down.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use skep_engine::Program;
use skep_model::rollback::Part;

/// Lists in lists.
const DEPTH_MAX: usize = 2;
/// Steps of a workflow, about.
const STEPS_MAX: usize = 14;
/// Attempts for which outcomes are written down.
const ATTEMPTS_MAX: u32 = 3;
/// Rounds for which outcomes are written down.
const ROUNDS_MAX: usize = 3;
/// Longer than any bound of a generated step.
const TOO_LONG_MS: u64 = 20_000;
/// What every step runs: it does what is written down for its path and attempt.
const SCRIPT: &str = r#"rest=0.001 code=0 out='{"n": 1}'
f="o/$SKEP_STEP.$SKEP_ATTEMPT"
if [ -f "$f" ]; then IFS=' ' read -r rest code out < "$f"; fi
sleep "$rest"
printf '%s' "$out"
exit "$code""#;

/// What one attempt does.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub takes: Duration,
    pub code: u8,
    pub out: String,
}

/// A workflow and its outcomes.
pub(super) struct Generated {
    pub text: String,
    outcomes: HashMap<(String, u32), Outcome>,
}

/// A small seeded generator (SplitMix64).
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give the same numbers one place later.
        let mut first = Self(!seed);
        Self(first.below(u64::MAX))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

impl Generated {
    pub fn new(seed: u64) -> Self {
        let mut writer = Writer { random: Random::new(seed), text: String::new(), steps: 0, outcomes: HashMap::new() };
        let auto = if writer.random.percent(20) { "rollback: {auto: false}\n" } else { "" };
        let place = Place { depth: 0, indent: 2, prefixes: vec![String::new()], alone: true, before: Vec::new() };
        writer.list(&place, 3);
        let main = std::mem::take(&mut writer.text);
        let mut text = format!("name: predicted {seed}\ndescription: Random.\n{auto}steps:\n{main}");
        if writer.random.percent(30) {
            writer.list(&Place { alone: false, before: Vec::new(), ..place }, 1);
            let _ = write!(text, "finally:\n{}", writer.text);
        }
        Self { text, outcomes: writer.outcomes }
    }

    pub fn outcome(&self, path: &str, attempt: u32) -> Outcome {
        let usual = || Outcome { takes: Duration::from_millis(1), code: 0, out: "{\"n\": 1}".to_owned() };
        self.outcomes.get(&(path.to_owned(), attempt)).cloned().unwrap_or_else(usual)
    }

    /// True if an outcome of the step is written down.
    pub fn has_outcomes(&self, path: &str) -> bool {
        self.outcomes.contains_key(&(path.to_owned(), 1))
    }

    /// Makes the attempts of a step fail that succeeded, and the others succeed.
    pub fn turn(&mut self, path: &str) {
        for attempt in 1..=ATTEMPTS_MAX {
            if let Some(outcome) = self.outcomes.get_mut(&(path.to_owned(), attempt)) {
                outcome.code = u8::from(outcome.code == 0);
            }
        }
    }

    pub fn write_down(&self, folder: &Path) {
        let folder = folder.join("o");
        std::fs::create_dir_all(&folder).unwrap();
        for ((path, attempt), outcome) in &self.outcomes {
            let line = format!("{} {} {}\n", outcome.takes.as_secs_f64(), outcome.code, outcome.out);
            std::fs::write(folder.join(format!("{path}.{attempt}")), line).unwrap();
        }
    }

    pub fn program(&self) -> Program {
        let loaded = skep_definition::load::load(&self.text);
        assert!(loaded.is_usable(), "{}\n{:#?}", self.text, loaded.problems);
        let plan = skep_definition::plan::plan(&loaded.workflow.expect("it is usable"), &crate::catalogue::build());
        Program::new(plan.unwrap_or_else(|found| panic!("{}\n{found:#?}", self.text))).expect("a plan compiles")
    }
}

/// Where a list stands.
#[derive(Clone)]
struct Place {
    depth: usize,
    indent: usize,
    /// Of the paths of its steps, one per round of the loops around it.
    prefixes: Vec<String>,
    /// Nothing runs beside it: the order of undoing is certain.
    alone: bool,
    /// Steps whose results its steps can see.
    before: Vec<String>,
}

struct Writer {
    random: Random,
    text: String,
    steps: usize,
    outcomes: HashMap<(String, u32), Outcome>,
}

impl Writer {
    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.text, "{:indent$}{text}", "");
    }

    fn list(&mut self, place: &Place, least: u64) {
        let mut place = place.clone();
        for _ in 0..least + self.random.below(3) {
            let id = format!("s{}", self.steps);
            self.steps += 1;
            let nests = place.depth < DEPTH_MAX && self.steps < STEPS_MAX && self.random.percent(35);
            if nests {
                self.nest(&id, &place);
            } else if self.leaf(&id, &place) {
                place.before.push(id);
            }
        }
    }

    fn condition(&mut self, place: &Place) -> Option<String> {
        let at = usize::try_from(self.random.below(place.before.len().max(1) as u64)).ok()?;
        let id = place.before.get(at)?.clone();
        let limit = self.random.below(8);
        Some(format!("steps.{id}.outputs.n > {limit}"))
    }

    /// A step without steps in it. True if it gives a number `n`.
    fn leaf(&mut self, id: &str, place: &Place) -> bool {
        let kind = self.random.below(12);
        match kind {
            0 => self.line(place.indent, &format!("- {{id: {id}, wait: 3ms}}")),
            1 => self.line(place.indent, &format!("- {{id: {id}, uses: set, with: {{n: {}}}}}", self.steps % 9)),
            _ => self.script(id, place),
        }
        kind > 0
    }

    fn script(&mut self, id: &str, place: &Place) {
        let indent = place.indent + 2;
        self.line(place.indent, &format!("- id: {id}"));
        if let Some(condition) = self.condition(place).filter(|_| self.random.percent(25)) {
            self.line(indent, &format!("if: ${{{{ {condition} }}}}"));
        }
        self.run(indent);
        self.line(indent, "outputs: {n: '${{ json.n }}'}");
        let attempts = 1 + self.random.below(u64::from(ATTEMPTS_MAX));
        if attempts > 1 {
            self.line(
                indent,
                &format!("retry: {{max_attempts: {attempts}, delay: 2ms, backoff: fixed, jitter: false}}"),
            );
        }
        let is_late = self.random.percent(4);
        if is_late {
            self.line(indent, "timeout: 150ms");
        }
        if place.alone && self.random.percent(85) {
            self.line(indent, "rollback:");
            self.run(indent + 2);
            self.outcomes(&Part::Rollback.of(id), place, 5, false);
        }
        match self.random.below(10) {
            0 | 1 => self.line(indent, "on_error: skip"),
            2 if place.alone && place.depth == 0 => self.compensated(id, place),
            _ => {}
        }
        self.outcomes(id, place, 18, is_late);
    }

    /// A step that runs if this one fails for good.
    fn compensated(&mut self, id: &str, place: &Place) {
        self.line(place.indent + 2, &format!("on_error: {{strategy: compensate, compensation_step: {id}_back}}"));
        self.line(place.indent, &format!("- id: {id}_back"));
        self.run(place.indent + 2);
        self.outcomes(&format!("{id}_back"), place, 5, false);
    }

    fn run(&mut self, indent: usize) {
        self.line(indent, "shell: sh");
        self.line(indent, "run: |");
        SCRIPT.lines().for_each(|line| self.line(indent + 2, line));
    }

    /// Writes down what becomes of each attempt in each round.
    fn outcomes(&mut self, id: &str, place: &Place, failing_percent: u64, is_late: bool) {
        for prefix in place.prefixes.clone() {
            for attempt in 1..=ATTEMPTS_MAX {
                let late = is_late && self.random.percent(60);
                let ms = if late { TOO_LONG_MS } else { 1 + self.random.below(8) };
                let code = if self.random.percent(failing_percent) { 1 + self.random.below(3) as u8 } else { 0 };
                let out = format!("{{\"n\": {}}}", self.random.below(10));
                let outcome = Outcome { takes: Duration::from_millis(ms), code, out };
                self.outcomes.insert((format!("{prefix}{id}"), attempt), outcome);
            }
        }
    }

    fn nest(&mut self, id: &str, place: &Place) {
        let (indent, rounds) = (place.indent + 2, 1 + self.random.below(ROUNDS_MAX as u64));
        self.line(place.indent, &format!("- id: {id}"));
        let inner = Place { depth: place.depth + 1, indent: indent + 4, ..place.clone() };
        let of_loop = |alone: bool| {
            let pairs = place.prefixes.iter().flat_map(|outer| (0..ROUNDS_MAX).map(move |round| (outer, round)));
            let prefixes = pairs.map(|(outer, round)| format!("{outer}{id}[{round}].")).collect();
            Place { depth: place.depth + 1, indent: indent + 2, prefixes, alone, before: place.before.clone() }
        };
        match self.random.below(5) {
            0 => {
                self.line(indent, "fail_fast: false");
                self.line(indent, "parallel:");
                for branch in ["left", "right"] {
                    self.line(indent + 2, &format!("{branch}:"));
                    self.list(&Place { alone: false, ..inner.clone() }, 1);
                }
            }
            1 => {
                let items: Vec<u64> = (0..rounds).collect();
                let side_by_side = self.random.percent(40);
                self.line(indent, &format!("foreach: {items:?}"));
                if side_by_side {
                    self.line(indent, "max_parallel: 2");
                    self.line(indent, "fail_fast: false");
                }
                self.line(indent, "steps:");
                self.list(&of_loop(place.alone && !side_by_side), 1);
            }
            2 => {
                self.line(indent, &format!("while: '${{{{ index < {rounds} }}}}'"));
                self.line(indent, "steps:");
                self.list(&of_loop(place.alone), 1);
            }
            3 => {
                self.line(indent, &format!("repeat: {{times: {rounds}}}"));
                self.line(indent, "steps:");
                self.list(&of_loop(place.alone), 1);
            }
            _ => {
                let when = self.condition(place).unwrap_or_else(|| "1 < 2".to_owned());
                self.line(indent, "switch:");
                self.line(indent + 2, "cases:");
                self.line(indent + 4, &format!("- when: ${{{{ {when} }}}}"));
                self.line(indent + 6, "steps:");
                self.list(&Place { indent: indent + 8, ..inner.clone() }, 1);
                self.line(indent + 2, "default:");
                self.list(&Place { indent: indent + 4, ..inner }, 1);
            }
        }
    }
}
