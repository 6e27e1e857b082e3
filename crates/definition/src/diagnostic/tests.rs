use super::*;
use crate::load::load;
use serde_json::json;

const TEXT: &str = "name: é\nsteps:\n  - id: a\n    rnu: make\n    timeout: 10\n";

#[test]
fn a_person_sees_the_line_the_mistake_and_the_remedy() {
    insta::assert_snapshot!(render(&load(TEXT).problems, TEXT, "flow.yaml", false), @r#"
error[SKEP-D020]: a step has no key `rnu`
 --> flow.yaml:4:5
  |
4 |     rnu: make
  |     ^^^
  |
  = help: did you mean `run`?

error[SKEP-D026]: `timeout` is a length of time with its unit, this is the number 10
 --> flow.yaml:5:14
  |
5 |     timeout: 10
  |              ^^
  |
  = help: write the unit: `timeout: 10s` for seconds, `timeout: 10ms` for milliseconds; `timeout_seconds: 10` is seconds, too

warning[SKEP-D035]: the workflow has no `description`
 --> flow.yaml:1:7
  |
1 | name: é
  |       ^
  |
  = help: add one sentence for people: `description: Builds and deploys.`
"#);
}

#[test]
fn colour_is_an_argument() {
    let problems = load(TEXT).problems;
    assert!(render(&problems, TEXT, "flow.yaml", true).contains("\u{1b}["));
    assert!(!render(&problems, TEXT, "flow.yaml", false).contains("\u{1b}["));
}

#[test]
fn programs_see_the_outer_contract() {
    let problem = error(&codes::UNKNOWN_KEY, Some(Place { line: 4, column: 5, start: 30, end: 33 }), "no").hint("yes");
    assert_eq!(
        to_json(&[problem, warning(&codes::EMPTY, None, "nowhere")], "flow.yaml"),
        json!([
            {"code": "SKEP-D020", "message": "no", "file": "flow.yaml", "line": 4, "column": 5, "hint": "yes"},
            {"code": "SKEP-D004", "message": "nowhere", "file": "flow.yaml", "line": null, "column": null, "hint": null},
        ])
    );
}

#[test]
fn errors_come_first_and_the_rest_is_counted() {
    let mut problems = vec![warning(&codes::LEADING_ZERO, None, "w"); PROBLEMS_MAX];
    problems.extend(vec![error(&codes::SYNTAX, None, "e"); 3]);
    let rendered = render(&problems, "", "flow.yaml", false);
    assert!(rendered.starts_with("error[SKEP-D001]: e"), "{rendered}");
    assert!(rendered.ends_with("3 more problems are not shown"), "{rendered}");
    assert_eq!(to_json(&problems, "f").as_array().unwrap().len(), PROBLEMS_MAX);
}

#[test]
fn places_that_fit_no_line_are_told_without_it() {
    let long = format!("a: {}", "x".repeat(100_000));
    let places =
        [Place { line: 1, column: 4, start: 3, end: 9 }, Place { line: 9, column: 1, start: 500_000, end: 500_001 }];
    for place in places {
        let rendered = render(&[error(&codes::SYNTAX, Some(place), "m")], &long, "f", false);
        assert!(rendered.contains(&format!("f:{}:{}", place.line, place.column)) && rendered.len() < 200, "{rendered}");
    }
}

#[test]
fn a_collector_keeps_no_more_than_it_may() {
    let mut collector = Collector::default();
    for _ in 0..=COLLECTED_MAX {
        collector.push(error(&codes::SYNTAX, None, "m"));
    }
    let problems = collector.finish();
    assert_eq!(problems.len(), COLLECTED_MAX + 1);
    assert_eq!(problems[COLLECTED_MAX].message, "1 more problems are not listed");
}

#[test]
fn codes_are_unique_and_have_pages() {
    for (at, code) in codes::ALL.iter().enumerate() {
        assert!(code.id.starts_with("SKEP-D0") && code.id.len() == 9, "{}", code.id);
        assert!(codes::ALL[..at].iter().all(|other| other.id < code.id), "{} is out of order", code.id);
        assert!(code.page.len() > 120 && !code.title.ends_with('.'), "{}", code.id);
    }
}
