//! A plan made ready to be simulated with made-up results: which steps are really computed, which results are known from
//! earlier executions, and what is tried for the others.
//!
//! Where a step's `outputs` are made of what its work gave (`${{ json.image }}`), the work would have to be invented so
//! that the output comes out right. Instead the template is replaced by a name of its own (`own_0`), and the value is
//! given beside the work's results.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map as Object, Value, json};
use skep_definition::expr::Names;
use skep_definition::expr::Template;
use skep_definition::inputs::samples;
use skep_definition::wanted::{Shape, Wanted, wanted};
use skep_engine::{BadPlan, Program};
use skep_model::Map;
use skep_model::plan::{BlockIndex, Kind, Plan, Step, StepIndex, Wait};

use super::chance;
use super::history::{History, Past};

/// Values that are tried for one place; further ones come up by chance.
const CANDIDATES_MAX: usize = 8;
/// Lists with different items that are tried for one loop.
const LISTS_MAX: usize = 4;
/// What is computed, not made up.
const COMPUTED: [&str; 3] = ["set", "log", "noop"];

/// A plan ready to be simulated.
pub(super) struct Prepared {
    pub program: Program,
    /// By index of the step.
    pub steps: Vec<Known>,
    pub by_id: HashMap<String, usize>,
    pub wanted: Vec<Wanted>,
    /// What is known of compensations, by `STEP.rollback`.
    pub sides: HashMap<String, Past>,
    /// Variations after which every candidate was tried once.
    pub variations: usize,
}

/// What is known of a step.
#[derive(Default)]
pub(super) struct Known {
    /// Raw names and what is tried for each; for a step that gives something.
    pub raw: Vec<(String, Tree)>,
    /// Outputs as they are called, and the raw names of their own that stand for them.
    pub own: Vec<(String, String)>,
    /// What earlier executions say.
    pub past: Past,
    /// Its result is made up.
    pub is_guessed: bool,
    /// What it does, whether it begins, or how often, depends on what is made up.
    pub rests_on_guesses: bool,
}

/// What is tried for a value.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    /// One of these.
    Any(Vec<Value>),
    /// An object of these.
    Keys(BTreeMap<String, Tree>),
}

/// Which of the candidates are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// For all results.
    pub variation: usize,
    /// For some, another one.
    pub pins: Vec<Pin>,
}

/// One result of one step that varies for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub step: String,
    pub raw: String,
    pub variation: usize,
}

impl Tree {
    /// The value of a variation: the candidates in turn, then by chance.
    pub fn value(&self, words: &[&str], variation: usize) -> Value {
        match self {
            Self::Any(values) => {
                let count = values.len().max(1);
                let at = if variation < CANDIDATES_MAX { variation } else { chance::hash(words, variation) as usize };
                values.get(at % count).cloned().unwrap_or_default()
            }
            Self::Keys(keys) => {
                let value = |(key, tree): (&String, &Self)| {
                    let words: Vec<&str> = words.iter().copied().chain([key.as_str()]).collect();
                    (key.clone(), tree.value(&words, variation))
                };
                Value::Object(keys.iter().map(value).collect())
            }
        }
    }

    pub fn width(&self) -> usize {
        match self {
            Self::Any(values) => values.len(),
            Self::Keys(keys) => keys.values().map(Self::width).max().unwrap_or(1),
        }
    }
}

impl Prepared {
    pub fn new(plan: &Plan, history: &History) -> Result<Self, BadPlan> {
        let wanted = wanted(plan);
        let names = Names::of_plan(plan);
        let wish = Wish { plan, wanted: &wanted };
        let mut plan = plan.clone();
        let steps: Vec<Known> = (0..plan.steps.len())
            .map(|index| {
                let past = history.steps.get(&plan.steps[index].id).cloned().unwrap_or_default();
                let mut known = Known { past, ..Known::default() };
                prepare(&mut plan.steps[index], &mut known, wish, &names);
                known
            })
            .collect();
        let mut prepared = Self {
            by_id: plan.steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect(),
            program: Program::new(plan)?,
            sides: history.steps.iter().map(|(id, past)| (id.clone(), past.clone())).collect(),
            variations: steps.iter().flat_map(|known| &known.raw).map(|(_, tree)| tree.width()).max().unwrap_or(1),
            steps,
            wanted,
        };
        prepared.variations = prepared.variations.clamp(1, CANDIDATES_MAX);
        prepared.mark();
        Ok(prepared)
    }

    pub fn plan(&self) -> &Plan {
        self.program.plan()
    }

    pub fn of_path(&self, path: &str) -> Option<(&Step, &Known)> {
        let index = *self.by_id.get(super::step_of(super::id_of(path)))?;
        Some((&self.plan().steps[index], &self.steps[index]))
    }

    /// Finds the steps that rest on what is made up, directly or through others.
    fn mark(&mut self) {
        let plan = self.program.plan();
        // Each with whether its results are named, or only its status.
        let mut named: Vec<BTreeSet<(usize, bool)>> = vec![BTreeSet::new(); plan.steps.len()];
        for it in &self.wanted {
            if let ([root, id, rest @ ..], Some(by)) = (it.path.as_slice(), it.by)
                && root == "steps"
            {
                let results = rest.first().is_none_or(|part| part == "outputs");
                named[by as usize].extend(self.by_id.get(id).map(|index| (*index, results)));
            }
        }
        // What decides about a list decides about what stands in it.
        let owners = |mut block: BlockIndex| {
            let mut found: Vec<usize> = Vec::new();
            while let Some(owner) = plan.blocks[block as usize].owner {
                found.push(owner as usize);
                block = plan.steps[owner as usize].block;
            }
            found
        };
        let around: Vec<Vec<usize>> = plan.steps.iter().map(|step| owners(step.block)).collect();
        let depends = |step: &Step| step.depends_on.iter().map(|on| *on as usize).collect::<Vec<_>>();
        let before: Vec<Vec<usize>> = plan.steps.iter().map(depends).collect();
        loop {
            let mut changed = false;
            for index in 0..self.steps.len() {
                let rests = |other: &usize| self.steps[*other].rests_on_guesses;
                let uses =
                    |(other, results): &(usize, bool)| (*results && self.steps[*other].is_guessed) || rests(other);
                let now = named[index].iter().any(uses)
                    || around[index].iter().any(rests)
                    || before[index].iter().any(|other| rests(other) && plan.steps[*other].condition.is_some());
                if now && !self.steps[index].rests_on_guesses {
                    self.steps[index].rests_on_guesses = true;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}

/// Decides what a step gives, and takes out of it what a made-up result could not fulfil.
fn prepare(step: &mut Step, known: &mut Known, wish: Wish<'_>, names: &Names) {
    if matches!(step.kind, Kind::Agent { .. } | Kind::Ai { .. }) {
        // What this node does not execute gives a result all the same, one that is made up.
        step.kind = Kind::Uses { action: step.kind.word().into(), with: json!({}) };
    }
    let raw: Vec<String> = match &step.kind {
        Kind::Run { .. } => ["stdout", "stderr", "exit_code", "json"].map(str::to_owned).to_vec(),
        Kind::Uses { action, .. } if COMPUTED.contains(&&**action) => return,
        Kind::Uses { action, .. } => {
            let actions = skep_runner::catalogue_actions();
            actions.get(&**action).map_or_else(|| step.output_names.clone(), |action| action.outputs.clone())
        }
        Kind::Workflow { .. } => Vec::new(),
        Kind::Wait(Wait::Signal { .. }) => vec!["payload".to_owned()],
        Kind::Input(form) => {
            let fields = form.fields.iter();
            known.raw = fields.map(|(name, field)| (name.clone(), Tree::Any(samples(&field.schema)))).collect();
            known.is_guessed = known.past.outputs.is_empty();
            return;
        }
        Kind::Approval(_)
        | Kind::Wait(_)
        | Kind::Switch { .. }
        | Kind::Parallel { .. }
        | Kind::Foreach { .. }
        | Kind::While { .. }
        | Kind::Repeat { .. } => return,
        Kind::Agent { .. } | Kind::Ai { .. } => step.output_names.clone(),
    };
    known.is_guessed = known.past.outputs.is_empty();
    let schema = step.output_schema.take();
    let property = |name: &str| schema.as_ref().and_then(|schema| schema.get("properties")?.get(name)).map(samples);
    if let Some(outputs) = &mut step.outputs {
        for (name, template) in outputs.iter_mut() {
            if !is_of_the_work(template, names, &raw) {
                continue;
            }
            let own = format!("own_{}", known.own.len());
            *template = json!(format!("${{{{ {own} }}}}"));
            known.raw.push((own.clone(), wish.tree(&step.id, name, property(name))));
            known.own.push((name.clone(), own));
        }
        known.raw.extend(raw.iter().map(|name| (name.clone(), plain(name))));
    } else {
        let asked = wish.wanted.iter().filter_map(|it| match it.path.as_slice() {
            [root, id, outputs, name] if root == "steps" && *id == step.id && outputs == "outputs" => Some(name),
            _ => None,
        });
        let all: BTreeSet<&String> = raw.iter().chain(&step.output_names).chain(asked).collect();
        known.raw = all.into_iter().map(|name| (name.clone(), wish.tree(&step.id, name, property(name)))).collect();
    }
    // The scenario says whether it succeeds.
    step.success_criteria.clear();
}

/// True for a template that names what the work gave, or what is not known here at all.
fn is_of_the_work(template: &Value, names: &Names, raw: &[String]) -> bool {
    let known = ["steps", "inputs", "vars", "env", "item", "index", "execution", "event"];
    let Ok(compiled) = Template::compile(template, names) else { return true };
    compiled
        .references()
        .iter()
        .filter_map(|reference| reference.path.first())
        .any(|root| raw.contains(root) || !known.contains(&root.as_str()))
}

/// A raw result that no later step sees.
fn plain(name: &str) -> Tree {
    Tree::Any(vec![usual(name).unwrap_or_default()])
}

fn usual(name: &str) -> Option<Value> {
    Some(match name {
        "exit_code" => json!(0),
        "status" => json!(200),
        "stdout" => json!("text"),
        "stderr" | "body" => json!(""),
        "headers" => json!({}),
        _ => return None,
    })
}

/// What is wanted of values, and the plan that wants it.
#[derive(Clone, Copy)]
struct Wish<'a> {
    plan: &'a Plan,
    wanted: &'a [Wanted],
}

/// Something wanted of a value, with the keys that are still to be read.
type Part<'a> = (&'a [String], &'a Wanted);

impl<'a> Wish<'a> {
    /// What is tried for the output `name` of step `id`.
    fn tree(self, id: &str, name: &str, of_schema: Option<Vec<Value>>) -> Tree {
        if let Some(values) = of_schema.filter(|values| !values.is_empty()) {
            return Tree::Any(values);
        }
        if matches!(name, "exit_code" | "stderr") {
            return plain(name);
        }
        let is_it = |it: &&Wanted| {
            matches!(it.path.as_slice(), [root, step, outputs, output]
                if root == "steps" && step == id && outputs == "outputs" && output == name)
        };
        let of_it: Vec<Part<'a>> = self.wanted.iter().filter(is_it).map(|it| (it.keys.as_slice(), it)).collect();
        if of_it.is_empty() {
            return plain(name);
        }
        self.grow(name, &of_it)
    }

    fn grow(self, name: &str, wanted: &[Part<'a>]) -> Tree {
        let mut below: BTreeMap<&str, Vec<Part<'a>>> = BTreeMap::new();
        for (keys, it) in wanted {
            if let Some((first, rest)) = keys.split_first() {
                below.entry(first).or_default().push((rest, it));
            }
        }
        if !below.is_empty() {
            return Tree::Keys(below.iter().map(|(key, parts)| ((*key).to_owned(), self.grow(key, parts))).collect());
        }
        let mut values: Vec<Value> = Vec::new();
        let mut add = |value: Value| {
            if values.len() < CANDIDATES_MAX && !values.contains(&value) {
                values.push(value);
            }
        };
        wanted.iter().flat_map(|(_, it)| &it.values).for_each(|value| add(value.clone()));
        wanted.iter().flat_map(|(_, it)| self.lists(it)).for_each(&mut add);
        let shapes: Vec<Shape> = wanted.iter().filter_map(|(_, it)| it.shape).collect();
        for shape in &shapes {
            defaults(*shape).into_iter().for_each(&mut add);
        }
        if shapes.is_empty() {
            usual(name).into_iter().for_each(&mut add);
            [json!("text"), json!(1), json!(true), json!(["text"]), json!(Object::new())]
                .into_iter()
                .for_each(&mut add);
        }
        Tree::Any(values)
    }

    /// Lists with what the steps in a loop want of its items, if it is the items of a loop that are wanted.
    fn lists(self, items: &Wanted) -> Vec<Value> {
        let of_loop = items.by.filter(|by| matches!(self.plan.steps[*by as usize].kind, Kind::Foreach { .. }));
        let Some(of_loop) = of_loop.filter(|_| items.shape == Some(Shape::List)) else { return Vec::new() };
        let is_item = |it: &&Wanted| {
            it.path.first().is_some_and(|root| root == "item")
                && it.by.and_then(|by| self.loop_around(by)) == Some(of_loop)
        };
        let parts: Vec<Part<'a>> = self.wanted.iter().filter(is_item).map(|it| (it.keys.as_slice(), it)).collect();
        if parts.is_empty() {
            return Vec::new();
        }
        let element = self.grow("item", &parts);
        (0..element.width().min(LISTS_MAX)).map(|variation| json!([element.value(&["item"], variation)])).collect()
    }

    /// The innermost loop over items around a step.
    fn loop_around(self, step: StepIndex) -> Option<StepIndex> {
        let mut owner = self.plan.blocks[self.plan.steps[step as usize].block as usize].owner;
        while let Some(index) = owner {
            let step = &self.plan.steps[index as usize];
            if matches!(step.kind, Kind::Foreach { .. }) {
                return Some(index);
            }
            owner = self.plan.blocks[step.block as usize].owner;
        }
        None
    }
}

fn defaults(shape: Shape) -> Vec<Value> {
    match shape {
        Shape::Number => vec![json!(1), json!(0)],
        Shape::Text => vec![json!("text"), json!("")],
        Shape::Numeral => vec![json!("1"), json!("0")],
        Shape::Json => vec![json!("{}")],
        Shape::List => vec![json!(["text"]), json!([])],
        Shape::Boolean => vec![json!(true), json!(false)],
    }
}

impl Known {
    /// The raw results of a variation; `call` counts how often the step was performed before.
    pub fn guessed(&self, id: &str, tried: &Tried, call: usize) -> Map<Value> {
        let value = |(name, tree): &(String, Tree)| {
            let pin = tried.pins.iter().find(|pin| pin.step == id && pin.raw == *name);
            let variation = pin.map_or(tried.variation, |pin| pin.variation);
            (name.clone(), tree.value(&[id, name], variation + call))
        };
        self.raw.iter().map(value).collect()
    }

    /// The raw name that stands for an output.
    pub fn raw_of<'k>(&'k self, output: &'k str) -> &'k str {
        self.own.iter().find(|(name, _)| name == output).map_or(output, |(_, own)| own)
    }

    /// The raw results that give `outputs`, as far as they follow from them.
    pub fn giving(&self, id: &str, outputs: &Map<Value>) -> Map<Value> {
        let mut raw = self.guessed(id, &Tried::default(), 0);
        raw.extend(outputs.iter().map(|(name, value)| (self.raw_of(name).to_owned(), value.clone())));
        raw
    }
}

/// Steps inside the list of a step, those of lists in it included, in the order of the text.
pub(super) fn inside(plan: &Plan, step: &Step) -> Vec<StepIndex> {
    let mut found = Vec::new();
    for block in step.kind.blocks() {
        for index in &plan.blocks[block as usize].steps {
            found.push(*index);
            found.extend(inside(plan, &plan.steps[*index as usize]));
        }
    }
    found
}
