//! A plan with everything looked up and compiled that every turn would otherwise look up and compile again.
//!
//! Shared by all executions of one plan. It must hold nothing that an execution changes.

use std::sync::OnceLock;

use foldhash::HashMap;
use skep_definition::decisions;
use skep_definition::expr::{self, Names, Template};
use skep_model::Map;
use skep_model::decision::Rules;
use skep_model::ids::{Hash, StepPath};
use skep_model::plan::{
    Approval, Asking, BlockIndex, Escalation, Kind, OnError, Order, Plan, Side, Step, StepIndex, Wait,
};
use skep_model::rollback::Part;

use crate::judge::Recogniser;

/// A plan, ready to execute.
#[derive(Debug)]
pub struct Program {
    plan: Plan,
    hash: Hash,
    step_by_id: HashMap<String, StepIndex>,
    steps: Vec<StepProgram>,
    blocks: Vec<BlockProgram>,
    bodies: HashMap<StepIndex, Vec<StepIndex>>,
    pub(crate) vars: HashMap<String, Template>,
    pub(crate) env: Vec<(String, Template)>,
    pub(crate) outputs: Vec<(String, Template)>,
    /// The name of the workflow's own group.
    pub(crate) group: Option<Template>,
    /// It asks for something that executions share.
    pub(crate) shares: bool,
    no_prefix: StepPath,
    /// What failures look like by the plan's own table, once one was looked at.
    recogniser: OnceLock<Recogniser>,
}

/// A plan whose expressions do not compile: it was made by another version, or by hand.
#[derive(Debug, thiserror::Error)]
#[error("the plan's {place} does not compile: {message}")]
pub struct BadPlan {
    /// Where in the plan.
    pub place: String,
    /// The first problem.
    pub message: String,
}

/// What a step needs beside its plan entry.
#[derive(Debug)]
pub(crate) struct StepProgram {
    /// Its path outside of loops.
    pub path: StepPath,
    /// How many loops are around it.
    pub depth: usize,
    pub condition: Option<Template>,
    pub outputs: Option<Vec<(String, Template)>>,
    pub env: Vec<(String, Template)>,
    pub working_dir: Option<Template>,
    pub kind: KindProgram,
    pub gate: Option<Question>,
    /// Its compensation.
    pub rollback: Option<SideProgram>,
    /// The verification of its compensation.
    pub rollback_verify: Option<SideProgram>,
    /// Its own verification.
    pub verify: Option<SideProgram>,
    /// Who is asked when it failed.
    pub asking: Option<Whom>,
    /// `success_criteria`, as written and compiled.
    pub criteria: Vec<(String, Template)>,
    /// `output_schema`.
    pub schema: Option<jsonschema::Validator>,
    /// The name of its group.
    pub group: Option<Template>,
    /// The name of its breaker.
    pub breaker: Option<Template>,
}

/// A piece of work beside a step.
#[derive(Debug)]
pub(crate) struct SideProgram {
    pub kind: KindProgram,
    pub env: Vec<(String, Template)>,
    pub working_dir: Option<Template>,
}

/// Who is asked about a failure, and who later.
#[derive(Debug)]
pub(crate) struct Whom {
    pub to: Template,
    /// Milliseconds from the start of the wait, in order.
    pub escalate: Vec<(u64, Template)>,
}

/// By what failures of a plan's steps are judged.
fn rules_of(plan: &Plan) -> &Rules {
    plan.rules.as_deref().unwrap_or_else(|| decisions::builtin())
}

/// Compiled templates of a step kind.
#[derive(Debug)]
pub(crate) enum KindProgram {
    Run {
        values: Vec<(String, Template)>,
    },
    Uses {
        with: Template,
    },
    Approval(Question),
    Input {
        message: Template,
        assignee: Template,
    },
    Wait(Template),
    Switch {
        cases: Vec<Template>,
    },
    Foreach {
        items: Template,
    },
    While {
        condition: Template,
    },
    Repeat {
        times: Option<Template>,
        until: Option<Template>,
    },
    /// Nothing to compile, or not executed by this build.
    Plain,
    WaitCondition(Template),
    Workflow {
        inputs: Template,
    },
}

/// The texts of an approval.
#[derive(Debug)]
pub(crate) struct Question {
    pub message: Template,
    pub assignee: Template,
    pub escalate: Vec<(u64, Template)>,
}

/// What a list of steps needs beside its plan entry.
#[derive(Debug)]
pub(crate) struct BlockProgram {
    /// Position of each step in the block, by step index.
    pub position: HashMap<StepIndex, u32>,
    /// Graph: positions that depend on a position.
    pub dependents: Vec<Vec<u32>>,
    /// Sequence: the last position whose `if` asks for the status; later ones need not be looked at after a failure.
    pub last_status_aware: Option<usize>,
}

impl Program {
    /// Compiles a plan.
    ///
    /// # Errors
    /// [`BadPlan`] if an expression of it does not compile.
    pub fn new(plan: Plan) -> Result<Self, BadPlan> {
        let names = Names::of_plan(&plan);
        let compiler = Compiler { names: &names, rules: rules_of(&plan) };
        let mut steps = Vec::with_capacity(plan.steps.len());
        let mut bodies: HashMap<StepIndex, Vec<StepIndex>> = HashMap::default();
        for (index, step) in plan.steps.iter().enumerate() {
            let loops = plan.loops_around(index as StepIndex);
            if let Some(around) = loops.last().filter(|_| !step.kind.is_loop()) {
                bodies.entry(*around).or_default().push(index as StepIndex);
            }
            steps.push(compiler.step(step, loops.len())?);
        }
        let vars = compiler.values("vars", &plan.vars)?.into_iter().collect();
        let env = compiler.texts("env", &plan.env)?;
        let outputs = compiler.values("outputs", &plan.outputs)?;
        let blocks = (0..plan.blocks.len()).map(|index| block_program(&plan, index as BlockIndex)).collect();
        let step_by_id = plan.steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at as StepIndex)).collect();
        let group = plan.concurrency.as_ref().map(|group| compiler.text("concurrency", &group.group)).transpose()?;
        let shares = group.is_some() || steps.iter().any(|step| step.group.is_some() || step.breaker.is_some());
        let no_prefix = StepPath::from("");
        Ok(Self {
            hash: plan.hash(),
            plan,
            step_by_id,
            steps,
            blocks,
            bodies,
            vars,
            env,
            outputs,
            group,
            shares,
            no_prefix,
            recogniser: OnceLock::new(),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// By what failures are judged.
    pub(crate) fn rules(&self) -> &Rules {
        rules_of(&self.plan)
    }

    /// What failures look like.
    pub(crate) fn recogniser(&self) -> &Recogniser {
        match &self.plan.rules {
            None => Recogniser::builtin(),
            Some(rules) => self.recogniser.get_or_init(|| Recogniser::new(rules)),
        }
    }

    /// Who is asked when a step failed for good, and until when.
    pub(crate) fn asking(&self, step: StepIndex) -> Option<&Asking> {
        match &self.step(step).on_error {
            OnError::Escalate(asking) => Some(asking),
            OnError::Open => Some(&self.rules().escalation),
            OnError::Fail | OnError::Skip | OnError::Compensate { .. } => None,
        }
    }

    /// The loop prefix of what is in no loop.
    pub(crate) fn no_prefix(&self) -> &StepPath {
        &self.no_prefix
    }

    /// The plan's hash.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    pub(crate) fn step(&self, index: StepIndex) -> &Step {
        &self.plan.steps[index as usize]
    }

    pub(crate) fn step_program(&self, index: StepIndex) -> &StepProgram {
        &self.steps[index as usize]
    }

    /// The steps inside a loop, but not inside a loop of it, that are no loops.
    pub(crate) fn body(&self, index: StepIndex) -> &[StepIndex] {
        self.bodies.get(&index).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn block(&self, index: BlockIndex) -> &BlockProgram {
        &self.blocks[index as usize]
    }

    pub(crate) fn block_steps(&self, index: BlockIndex) -> &[StepIndex] {
        &self.plan.blocks[index as usize].steps
    }

    pub(crate) fn order(&self, index: BlockIndex) -> Order {
        self.plan.blocks[index as usize].order
    }

    pub(crate) fn step_by_id(&self, id: &str) -> Option<StepIndex> {
        self.step_by_id.get(id).copied()
    }

    /// The step that a path names, and the path's loop prefix.
    pub(crate) fn split_path<'p>(&self, path: &'p str) -> Option<(&'p str, StepIndex)> {
        // Most paths are in no loop, and a character is found more quickly than a text.
        let in_loop = path.rfind(']').is_some();
        let at = if in_loop { path.rfind("].").map_or(0, |at| at + 2) } else { 0 };
        self.step_by_id(&path[at..]).map(|step| (&path[..at], step))
    }

    /// The step that a task path belongs to, and which part of it the path names.
    pub(crate) fn split_part<'p>(&self, path: &'p str) -> Option<(&'p str, StepIndex, Part)> {
        let (step_path, part) = Part::split(path);
        self.split_path(step_path).map(|(_, step)| (step_path, step, part))
    }
}

fn block_program(plan: &Plan, index: BlockIndex) -> BlockProgram {
    let block = &plan.blocks[index as usize];
    let position: HashMap<StepIndex, u32> =
        block.steps.iter().enumerate().map(|(at, step)| (*step, at as u32)).collect();
    let mut dependents = vec![Vec::new(); if block.order == Order::Graph { block.steps.len() } else { 0 }];
    let mut last_status_aware = None;
    for (at, step) in block.steps.iter().enumerate() {
        let step = &plan.steps[*step as usize];
        if step.condition.as_ref().is_some_and(|condition| condition.status_aware) {
            last_status_aware = Some(at);
        }
        if block.order == Order::Graph {
            for dependency in &step.depends_on {
                dependents[position[dependency] as usize].push(at as u32);
            }
        }
    }
    BlockProgram { position, dependents, last_status_aware }
}

struct Compiler<'a> {
    rules: &'a Rules,
    names: &'a Names,
}

impl Compiler<'_> {
    fn step(&self, step: &Step, depth: usize) -> Result<StepProgram, BadPlan> {
        let place = |part: &str| format!("step `{}`, `{part}`", step.id);
        let condition = step.condition.as_ref().map(|condition| self.condition(&place("if"), &condition.expression));
        let outputs = step.outputs.as_ref().map(|outputs| self.values(&place("outputs"), outputs));
        Ok(StepProgram {
            path: step.id.as_str().into(),
            depth,
            condition: condition.transpose()?,
            outputs: outputs.transpose()?,
            env: self.texts(&place("env"), &step.env)?,
            working_dir: step.working_dir.as_ref().map(|text| self.text(&place("working_dir"), text)).transpose()?,
            gate: step.approve.as_ref().map(|gate| self.question(&place("approve"), &gate.approval)).transpose()?,
            kind: self.kind(&step.kind, &place(step.kind.word()))?,
            rollback: self.side(&place("rollback"), step.compensation.as_ref().map(|undo| &undo.work))?,
            rollback_verify: self
                .side(&place("rollback.verify"), step.compensation.as_ref().and_then(|undo| undo.verify.as_ref()))?,
            verify: self.side(&place("verify"), step.verify.as_deref())?,
            asking: match &step.on_error {
                OnError::Escalate(asking) => Some(self.whom(&place("on_error"), asking)?),
                OnError::Open => Some(self.whom("decisions.yaml", &self.rules.escalation)?),
                OnError::Fail | OnError::Skip | OnError::Compensate { .. } => None,
            },
            criteria: self.criteria(&place("success_criteria"), &step.success_criteria)?,
            schema: step.output_schema.as_ref().map(|it| schema(&place("output_schema"), it)).transpose()?,
            group: (step.concurrency.as_ref())
                .map(|group| self.text(&place("concurrency"), &group.group))
                .transpose()?,
            breaker: (step.circuit_breaker.as_ref())
                .map(|breaker| self.text(&place("circuit_breaker"), &breaker.name))
                .transpose()?,
        })
    }

    fn whom(&self, place: &str, asking: &Asking) -> Result<Whom, BadPlan> {
        let hop = |hop: &Escalation| Ok((hop.after_ms, self.text(place, &hop.to)?));
        let escalate = asking.escalate.iter().map(hop).collect::<Result<_, BadPlan>>()?;
        Ok(Whom { to: self.text(place, &asking.to)?, escalate })
    }

    fn side(&self, place: &str, side: Option<&Side>) -> Result<Option<SideProgram>, BadPlan> {
        let Some(side) = side else { return Ok(None) };
        Ok(Some(SideProgram {
            kind: self.kind(&side.kind, place)?,
            env: self.texts(place, &side.env)?,
            working_dir: side.working_dir.as_ref().map(|text| self.text(place, text)).transpose()?,
        }))
    }

    fn kind(&self, kind: &Kind, place: &str) -> Result<KindProgram, BadPlan> {
        Ok(match kind {
            Kind::Run { values, .. } => KindProgram::Run { values: self.texts(place, values)? },
            Kind::Uses { with, .. } => KindProgram::Uses { with: self.value(place, with)? },
            Kind::Approval(approval) => KindProgram::Approval(self.question(place, approval)?),
            Kind::Input(form) => KindProgram::Input {
                message: self.text(place, &form.message)?,
                assignee: self.text(place, &form.assignee)?,
            },
            Kind::Wait(wait) => self.wait(place, wait)?,
            Kind::Switch { cases, .. } => KindProgram::Switch {
                cases: cases.iter().map(|case| self.condition(place, &case.when)).collect::<Result<_, _>>()?,
            },
            Kind::Foreach { items, .. } => KindProgram::Foreach { items: self.value(place, items)? },
            Kind::While { condition, .. } => KindProgram::While { condition: self.condition(place, condition)? },
            Kind::Repeat { times, until, .. } => KindProgram::Repeat {
                times: times.as_ref().map(|times| self.value(place, times)).transpose()?,
                until: until.as_ref().map(|until| self.condition(place, until)).transpose()?,
            },
            Kind::Workflow { inputs, .. } => KindProgram::Workflow { inputs: self.value(place, inputs)? },
            Kind::Parallel { .. } | Kind::Agent { .. } | Kind::Ai { .. } => KindProgram::Plain,
        })
    }

    fn wait(&self, place: &str, wait: &Wait) -> Result<KindProgram, BadPlan> {
        Ok(match wait {
            Wait::Duration { duration: text } | Wait::Moment { until: text } | Wait::Signal { name: text, .. } => {
                KindProgram::Wait(self.text(place, text)?)
            }
            Wait::Condition { condition, .. } => KindProgram::WaitCondition(self.condition(place, condition)?),
        })
    }

    fn criteria(&self, place: &str, criteria: &[String]) -> Result<Vec<(String, Template)>, BadPlan> {
        criteria.iter().map(|text| Ok((text.clone(), self.condition(place, text)?))).collect()
    }

    fn question(&self, place: &str, approval: &Approval) -> Result<Question, BadPlan> {
        let mut escalate = Vec::new();
        for escalation in &approval.escalate {
            escalate.push((escalation.after_ms, self.text(place, &escalation.to)?));
        }
        let message = self.text(place, &approval.message)?;
        Ok(Question { message, assignee: self.text(place, &approval.assignee)?, escalate })
    }

    fn texts(&self, place: &str, texts: &Map<String>) -> Result<Vec<(String, Template)>, BadPlan> {
        texts.iter().map(|(name, text)| Ok((name.clone(), self.text(place, text)?))).collect()
    }

    fn values(&self, place: &str, values: &Map<serde_json::Value>) -> Result<Vec<(String, Template)>, BadPlan> {
        values.iter().map(|(name, value)| Ok((name.clone(), self.value(place, value)?))).collect()
    }

    fn text(&self, place: &str, text: &str) -> Result<Template, BadPlan> {
        Template::compile_text(text, self.names).map_err(|errors| bad_plan(place, &errors))
    }

    fn value(&self, place: &str, value: &serde_json::Value) -> Result<Template, BadPlan> {
        Template::compile(value, self.names).map_err(|errors| bad_plan(place, &errors))
    }

    fn condition(&self, place: &str, text: &str) -> Result<Template, BadPlan> {
        Template::compile_condition(text, self.names).map_err(|errors| bad_plan(place, &errors))
    }
}

fn schema(place: &str, schema: &serde_json::Value) -> Result<jsonschema::Validator, BadPlan> {
    skep_definition::inputs::compile(schema).map_err(|message| BadPlan { place: place.to_owned(), message })
}

fn bad_plan(place: &str, errors: &[expr::Error]) -> BadPlan {
    let message = errors.first().map_or_else(String::new, |error| error.message.clone());
    BadPlan { place: place.to_owned(), message }
}
