//! Micro-benchmarks of what is pure: `cargo xtask bench --criterion`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use skep_bench::pure::{Prepared, Run, SEQUENCE};
use skep_definition::expr::{Names, Reference, Scope, ScopeError, StatusFlags, Template};
use skep_engine::{State, apply_turn, decide};
use skep_model::event::{Event, Turn};
use skep_model::time::Timestamp;

const LOOP: &str = "\
name: loop
description: A thousand rounds of two steps.
steps:
  - id: rounds
    repeat: {times: 1000}
    steps:
      - {id: a, uses: noop}
      - {id: b, uses: noop}
";
/// Turns of [`SEQUENCE`] before the outcome that is measured: it is in the middle.
const TURNS_BEFORE: usize = 5;
/// Later than everything in the turns.
const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn prepared(text: &str) -> Prepared {
    Prepared::new(text).expect("the benchmark's workflow has no errors")
}

fn half_way(prepared: &Prepared) -> (Run<'_>, Vec<Turn>) {
    let mut run = Run::new(prepared, 0);
    let turn = |run: &mut Run<'_>| run.turn().expect("the engine decides").expect("it has not ended");
    let turns = (0..TURNS_BEFORE).map(|_| turn(&mut run)).collect();
    (run, turns)
}

fn engine(criterion: &mut Criterion) {
    let sequence = prepared(SEQUENCE);
    let (run, _) = half_way(&sequence);
    let message = run.next_message().expect("a step is at work").clone();
    criterion.bench_function("decide: the outcome of a step, the next is scheduled", |bencher| {
        let state = || run.state().clone();
        let decide = |mut state: State| {
            let decision = decide(&mut state, sequence.program(), &message, NOW, &());
            (state, decision.expect("the engine decides"))
        };
        bencher.iter_batched(state, decide, BatchSize::SmallInput);
    });
    let (mut next, turns) = half_way(&sequence);
    let turn = next.turn().expect("the engine decides").expect("it has not ended");
    let mut before = State::default();
    turns.iter().for_each(|turn| apply(&mut before, &sequence, turn));
    criterion.bench_function("apply: the turn of that outcome", |bencher| {
        let fold = |mut state: State| {
            apply(&mut state, &sequence, &turn);
            state
        };
        bencher.iter_batched(|| before.clone(), fold, BatchSize::SmallInput);
    });
}

fn fold(criterion: &mut Criterion) {
    let rounds = prepared(LOOP);
    let turns = Run::new(&rounds, 0).to_the_end().expect("the loop comes to its end");
    let write = |turn: &Turn| serde_json::to_string(&turn.events).expect("events are plain data");
    let journal: Vec<(u64, Timestamp, String)> = turns.iter().map(|turn| (turn.seq, turn.at, write(turn))).collect();
    criterion.bench_function("fold: a loop of 1,000 rounds from its journal", |bencher| {
        bencher.iter(|| {
            let mut state = State::default();
            for (seq, at, text) in &journal {
                let events: Vec<Event> = serde_json::from_str(text).expect("it was written so");
                apply(&mut state, &rounds, &Turn { seq: *seq, at: *at, events });
            }
            state
        });
    });
}

fn apply(state: &mut State, prepared: &Prepared, turn: &Turn) {
    apply_turn(state, prepared.program(), turn).expect("the turn fits");
}

/// Values as an execution has them.
struct Values(Value);

impl Scope for Values {
    fn resolve(&mut self, reference: &Reference) -> Result<Value, ScopeError> {
        let value = reference.path.iter().try_fold(&self.0, |value, name| value.get(name));
        let unknown = || ScopeError::Unknown { message: reference.path.join("."), hint: None };
        value.cloned().ok_or_else(unknown)
    }

    fn status(&self) -> StatusFlags {
        StatusFlags::default()
    }
}

fn expressions(criterion: &mut Criterion) {
    let mut values = Values(json!({
        "inputs": {"host": "db-1", "limit": 80},
        "vars": {"region": "eu-1"},
        "steps": {"look": {"outputs": {"percent": 91, "names": ["b", "a", "c"]}}},
    }));
    let texts = [
        ("a reference", "${{ steps.look.outputs.percent }}"),
        ("a comparison", "${{ steps.look.outputs.percent > inputs.limit }}"),
        ("a text with three values", "${{ inputs.host }} in ${{ vars.region }}: ${{ inputs.limit }} %"),
        ("a filter", "${{ steps.look.outputs.names | sort | join(', ') }}"),
    ];
    for (name, text) in texts {
        let text = Value::String(text.to_owned());
        let compile = || Template::compile(&text, &Names::default()).expect("the expression compiles");
        criterion.bench_function(&format!("expression: compile {name}"), |bencher| bencher.iter(compile));
        let template = compile();
        criterion.bench_function(&format!("expression: evaluate {name}"), |bencher| {
            bencher.iter(|| template.evaluate(black_box(&mut values)).expect("every name is known"));
        });
    }
}

criterion_group!(benches, engine, fold, expressions);
criterion_main!(benches);
