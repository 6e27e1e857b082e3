//! Workflows for the property tests: every field, nested structures, nasty texts.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use skep_model::Map;
use skep_model::decision::Autonomy;
use skep_model::error::{Class, Kind as FailureKind};
use skep_model::plan::{Backoff, Join, OnCancel, OnReject, OnSilence, OnTimeout, Order, RetryOn};

use crate::keys::{self, Role};
use crate::workflow::*;

/// Texts that some reader of YAML misreads.
const MISREAD: &[&str] = &[
    "no",
    "on",
    "~",
    "",
    " ",
    "1.10",
    "0755",
    "1e3",
    "- x",
    "*.conf",
    "@x",
    "a: b",
    "a #b",
    "x:",
    "'",
    "\"",
    "\\",
    "a\nb",
    "a\n",
    "\n",
    "a\n\n b\n\n",
    " a\nb",
    "\ta\n",
    "a\r\nb",
    "${{ inputs.x }}",
    "{a}",
    "[a]",
    "a, b",
    "%x",
    "!x",
    "&x",
    "|",
    ">",
    "?",
    "---",
    "...",
    "---\n",
    "a\n---\nb",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "é",
    "😀",
    "\0",
    "<<",
    "=",
    "# x",
    "null",
    "0x1F",
    "2026-12-01",
    ".",
    "..",
    "-",
    "+1",
    "1_000",
    "a\t",
    "\u{7f}",
    "x\n# y\n",
    "line\n  indented\n\nlast",
    "trailing \nblank\n",
    "a\n \n",
];

/// Those, and any others.
pub fn nasty_text() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(MISREAD.to_vec()).prop_map(str::to_owned), "\\PC{0,24}", "[ -~\\n]{0,40}",]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e9..1.0e9).prop_map(|number: f64| json!(number)),
        nasty_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(nasty_text().prop_filter("a key is a text", |key| !key.is_empty()), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    values().prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn values() -> impl Strategy<Value = Map<Value>> {
    btree_map("[A-Za-z_][A-Za-z0-9_]{0,8}", value(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn texts() -> impl Strategy<Value = Map<String>> {
    btree_map("[A-Z_]{1,8}", nasty_text(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn inputs() -> impl Strategy<Value = Map<Value>> {
    let input = (prop::sample::select(vec!["string", "integer", "choice"]), any::<bool>(), value())
        .prop_map(|(of, required, default)| json!({"type": of, "required": required, "default": default}));
    btree_map("[a-z_]{1,8}", input, 1..3).prop_map(|map| map.into_iter().collect())
}

fn duration() -> impl Strategy<Value = Option<u64>> {
    option::of(0_u64..10_000_000_000)
}

fn order() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![Order::Sequence, Order::Graph])
}

fn retry() -> impl Strategy<Value = Retry> {
    let on = prop_oneof![
        prop::sample::select(Class::ALL.to_vec()).prop_map(RetryOn::Class),
        prop::sample::select(FailureKind::ALL.to_vec()).prop_map(RetryOn::Kind),
        (0..=255).prop_map(RetryOn::ExitCode),
        (300_u16..=599).prop_map(RetryOn::HttpStatus),
    ];
    let backoff = prop::sample::select(vec![Backoff::Fixed, Backoff::Linear, Backoff::Exponential]);
    (option::of(1_u32..1_000), duration(), duration(), option::of(backoff), option::of(any::<bool>()), vec(on, 0..3))
        .prop_map(|(max_attempts, delay_ms, max_delay_ms, backoff, jitter, on)| Retry {
            max_attempts,
            delay_ms,
            max_delay_ms,
            backoff,
            jitter,
            on,
        })
}

fn on_error() -> impl Strategy<Value = OnError> {
    prop_oneof![
        Just(OnError::Fail),
        Just(OnError::Skip),
        option::of(nasty_text()).prop_map(|step| OnError::Compensate { step }),
        asking().prop_map(OnError::Escalate),
    ]
}

fn asking() -> impl Strategy<Value = Asking> {
    let chain = vec((0_u64..1_000_000, nasty_text()), 0..3);
    let end = option::of(option::of(prop::sample::select(vec![OnSilence::Fail, OnSilence::Retry])));
    (option::of(nasty_text()), chain, end).prop_map(|(target, escalate, end)| Asking {
        target,
        escalate,
        timeout_ms: end.map(|_| 1_000_000),
        on_timeout: end.flatten(),
    })
}

/// `may_end`: an approval whose wait ends, which then no step's own timeout may end, too.
fn approval(may_end: bool) -> impl Strategy<Value = Approval> {
    let on_timeout = prop::sample::select(vec![OnTimeout::Reject, OnTimeout::Approve, OnTimeout::Fail]);
    let on_reject = prop::sample::select(vec![OnReject::Fail, OnReject::Continue]);
    let timeout = option::of(Just(1_000_000_u64)).prop_map(move |timeout| timeout.filter(|_| may_end));
    let escalate = vec((0_u64..1_000_000, nasty_text()), 0..3);
    (
        option::of(nasty_text()),
        option::of(nasty_text()),
        timeout,
        escalate,
        option::of(on_timeout),
        option::of(on_reject),
    )
        .prop_map(|(message, assignee, timeout_ms, escalate, on_timeout, on_reject)| Approval {
            message,
            assignee,
            timeout_ms,
            escalate,
            on_timeout,
            on_reject,
        })
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        prop::sample::select(vec!["10m", "${{ inputs.pause }}"]).prop_map(|text| Wait::Duration(text.to_owned())),
        prop::sample::select(vec!["2026-12-01T00:00:00Z", "${{ inputs.at }}"])
            .prop_map(|text| Wait::Moment(text.to_owned())),
        (nasty_text(), duration()).prop_map(|(name, timeout_ms)| Wait::Signal { name, timeout_ms }),
        (nasty_text(), duration(), duration()).prop_map(|(condition, every_ms, timeout_ms)| Wait::Condition {
            condition,
            every_ms,
            timeout_ms
        }),
    ]
}

fn leaf() -> impl Strategy<Value = Kind> {
    let config = |key: &'static str| nasty_text().prop_map(move |text| json!({ key: text }));
    prop_oneof![
        (nasty_text(), option::of(nasty_text())).prop_map(|(script, shell)| Kind::Run { script, shell }),
        (nasty_text(), values()).prop_map(|(action, with)| Kind::Uses { action, with }),
        config("name").prop_map(Kind::Agent),
        config("prompt").prop_map(Kind::Ai),
        config("name").prop_map(Kind::Workflow),
        approval(true).prop_map(Kind::Approval),
        (inputs(), option::of(nasty_text()), option::of(nasty_text()))
            .prop_map(|(fields, message, assignee)| Kind::Input { fields, message, assignee }),
        wait().prop_map(Kind::Wait),
    ]
}

fn steps_of(step: BoxedStrategy<Step>) -> BoxedStrategy<(Order, Vec<Step>)> {
    // `depends_on` only stands in graphs.
    (order(), vec(step, 1..3))
        .prop_map(|(order, mut steps)| {
            if order == Order::Sequence {
                steps.iter_mut().for_each(|step| step.depends_on.clear());
            }
            (order, steps)
        })
        .boxed()
}

fn nested(step: BoxedStrategy<Step>) -> BoxedStrategy<Kind> {
    let steps = steps_of(step);
    let count = || option::of(1_u32..100);
    let flag = || option::of(any::<bool>());
    let items = prop_oneof![Just(json!("${{ inputs.hosts }}")), vec(value(), 0..3).prop_map(Value::from)];
    let branch = btree_map(nasty_text().prop_filter("named", |name| !name.is_empty()), steps.clone(), 1..3);
    let join = prop_oneof![Just(Join::All), Just(Join::Any), Just(Join::Count(1))];
    let case = (nasty_text(), steps.clone()).prop_map(|(when, (order, steps))| Case { when, order, steps });
    let default = steps.clone().prop_map(|(_, mut steps)| {
        steps.iter_mut().for_each(|step| step.depends_on.clear());
        steps
    });
    let times = prop_oneof![Just(json!(3)), Just(json!("${{ inputs.n }}"))];
    let repeat =
        prop_oneof![times.prop_map(|times| (Some(times), None)), nasty_text().prop_map(|until| (None, Some(until))),];
    prop_oneof![
        (items, count(), flag(), count(), steps.clone()).prop_map(
            |(items, max_parallel, fail_fast, max_iterations, (order, steps))| Kind::Foreach {
                items,
                max_parallel,
                fail_fast,
                max_iterations,
                order,
                steps
            }
        ),
        (nasty_text(), count(), steps.clone()).prop_map(|(condition, max_iterations, (order, steps))| Kind::While {
            condition,
            max_iterations,
            order,
            steps
        }),
        (repeat, count(), steps.clone()).prop_map(|((times, until), max_iterations, (order, steps))| Kind::Repeat {
            times,
            until,
            max_iterations,
            order,
            steps
        }),
        (branch, option::of(join), flag()).prop_map(|(branches, join, fail_fast)| Kind::Parallel {
            branches: branches.into_iter().map(|(name, (order, steps))| Branch { name, order, steps }).collect(),
            join,
            fail_fast
        }),
        (vec(case, 1..3), option::of(default)).prop_map(|(cases, default)| Kind::Switch { cases, default }),
    ]
    .boxed()
}

fn later() -> impl Strategy<Value = Map<Value>> {
    let rows: Vec<(String, Value)> = keys::STEP
        .iter()
        .filter(|key| key.role == Role::Later)
        .map(|key| {
            let example = crate::tree::parse(key.example).expect("examples are YAML");
            (key.name.to_owned(), example.get(key.name).expect("of their key").to_value())
        })
        .collect();
    prop::sample::subsequence(rows, 0..4).prop_map(|rows| rows.into_iter().collect())
}

fn notes(names: &'static [&'static str]) -> impl Strategy<Value = Map<Value>> {
    btree_map(prop::sample::select(names.to_vec()), value(), 0..3)
        .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn step(kind: BoxedStrategy<Kind>) -> BoxedStrategy<Step> {
    let people =
        (option::of(nasty_text()), option::of(nasty_text()), vec("[a-z]{1,4}", 0..2), option::of(nasty_text()));
    let flow = (duration(), duration(), option::of(retry()), option::of(on_error()));
    let gate = option::of((any::<bool>(), approval(false)).prop_map(|(before, approval)| Gate { before, approval }));
    let effects =
        (option::of(object()), any::<[bool; 4]>(), option::of(nasty_text()), texts(), option::of(nasty_text()));
    let data = (option::of(values()), later(), notes(&["icon", "tags", "own_note"]));
    (people, flow, gate, effects, data, kind)
        .prop_map(|(people, flow, approve, effects, data, kind)| {
            let waits = matches!(kind, Kind::Approval(_) | Kind::Wait(_));
            let (name, description, depends_on, condition) = people;
            let (timeout_ms, total_timeout_ms, retry, on_error) = flow;
            let (_, [irreversible, read_only, checkpoint, critical], policy, env, working_dir) = effects;
            let (outputs, later, annotations) = data;
            Step {
                id: String::new(),
                name,
                description,
                depends_on,
                condition,
                timeout_ms: timeout_ms.filter(|_| !waits),
                total_timeout_ms,
                retry,
                on_error,
                approve,
                rollback: checkpoint.then(|| json!({"run": "./undo.sh", "timeout": "1m", "verify": {"uses": "http"}})),
                irreversible,
                read_only,
                checkpoint,
                critical,
                policy,
                env,
                working_dir,
                outputs,
                later,
                annotations: annotations
                    .into_iter()
                    .filter(|(name, value)| name != "icon" || value.is_string())
                    .collect(),
                kind,
            }
        })
        .boxed()
}

/// Ids that are unique in the whole workflow.
fn number(steps: &mut [Step], next: &mut usize) {
    for step in steps {
        step.id = format!("s{next}");
        *next += 1;
        match &mut step.kind {
            Kind::Foreach { steps, .. } | Kind::While { steps, .. } | Kind::Repeat { steps, .. } => number(steps, next),
            Kind::Parallel { branches, .. } => branches.iter_mut().for_each(|branch| number(&mut branch.steps, next)),
            Kind::Switch { cases, default } => {
                cases.iter_mut().for_each(|case| number(&mut case.steps, next));
                number(default.as_deref_mut().unwrap_or_default(), next);
            }
            Kind::Run { .. }
            | Kind::Uses { .. }
            | Kind::Agent(_)
            | Kind::Ai(_)
            | Kind::Workflow(_)
            | Kind::Approval(_)
            | Kind::Input { .. }
            | Kind::Wait(_) => {}
        }
    }
}

/// Any workflow.
pub fn workflow() -> impl Strategy<Value = Workflow> {
    let any_step = step(leaf().boxed()).prop_recursive(2, 6, 2, |inner| step(nested(inner.boxed())).boxed()).boxed();
    let head =
        (option::of("[a-z_]{1,8}"), nasty_text(), nasty_text(), option::of(nasty_text()), option::of(nasty_text()));
    let tags = (option::of(nasty_text()), vec(nasty_text(), 0..3));
    let defaults = (duration(), option::of(retry()), option::of(nasty_text()), option::of(nasty_text()));
    let key = prop_oneof![nasty_text().prop_map(Value::from), nasty_text().prop_map(|text| json!({ "key": text })),];
    let policies = (option::of(1_u32..100), duration(), 0..4_usize, option::of(key), option::of(nasty_text()));
    let data = (inputs(), texts(), values(), values(), vec(value(), 0..2));
    let notes = notes(&["monitoring", "ai_config", "own_note"]);
    (head, tags, defaults, policies, data, notes, steps_of(any_step.clone()), vec(any_step, 0..2)).prop_map(
        |(head, (author, tags), defaults, policies, data, annotations, (order, steps), finally)| {
            let (id, name, description, version, category) = head;
            let (timeout_ms, retry, policy, shell) = defaults;
            let (max_parallel, bound_ms, on_cancel, idempotency, sandbox) = policies;
            let (inputs, env, vars, outputs, fallback_actions) = data;
            let mut workflow = Workflow {
                id,
                name,
                description,
                version,
                category,
                author,
                tags,
                inputs,
                defaults: Defaults { timeout_ms, retry, policy, shell: shell.clone(), working_dir: shell },
                concurrency: max_parallel.map(|limit| json!({"group": "g", "limit": limit, "when_full": "skip"})),
                rollback: max_parallel.map(|interval| json!({"enabled": true, "checkpoint_interval": interval})),
                autonomy: max_parallel.map(|number| Autonomy::ALL[number as usize % 3]),
                max_parallel,
                timeout_ms: bound_ms,
                on_cancel: [Some(OnCancel::Finally), Some(OnCancel::Abandon), None, Some(OnCancel::Rollback)]
                    [on_cancel],
                idempotency,
                policy: sandbox,
                env,
                vars,
                outputs,
                triggers: vec![json!({"type": "schedule", "config": {"cron": "0 3 * * *"}})],
                fallback_actions,
                annotations,
                order,
                steps,
                finally,
                places: Places::default(),
            };
            let mut next = 0;
            number(&mut workflow.steps, &mut next);
            workflow.finally.iter_mut().for_each(|step| step.depends_on.clear());
            number(&mut workflow.finally, &mut next);
            workflow
        },
    )
}
