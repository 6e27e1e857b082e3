use super::*;
use crate::suggest::nearest;

fn tables() -> Vec<&'static [Key]> {
    vec![
        WORKFLOW,
        DEFAULTS,
        ROLLBACK,
        TRIGGER,
        ERROR_HANDLING,
        STEP,
        RETRY,
        ON_ERROR,
        CONCURRENCY,
        CIRCUIT_BREAKER,
        COMPENSATION,
        VERIFICATION,
        IDEMPOTENCY,
        APPROVAL,
        GATE,
        ESCALATION,
        WAIT,
        SWITCH,
        CASE,
        BRANCH,
        REPEAT,
        AGENT,
        AI,
        CALL,
        INPUT,
        DECISIONS,
        PATTERN,
        RULE,
        WHEN,
        RANGE,
        ASKING,
        TEST_FILE,
        TEST,
        OUTCOME,
        FAILING,
        ANSWER,
        SENT,
        EXPECT,
        EXPECTED_STEP,
        EXPECTED_ERROR,
        EXPECTED_TIME,
    ]
}

#[test]
fn every_key_is_documented_once_with_its_own_example() {
    for table in tables() {
        for (at, key) in table.iter().enumerate() {
            assert!(key.doc.ends_with(['.', '?']) || key.doc.ends_with(".."), "{}: {}", key.name, key.doc);
            assert!(key.example.starts_with(&format!("{}: ", key.name)), "{}: {}", key.name, key.example);
            assert!(table[..at].iter().all(|other| other.name != key.name), "{} stands twice", key.name);
            assert!(
                crate::tree::parse(&key.example.replace("[..]", "[{id: a, run: x}]")).is_ok(),
                "the example is no YAML: {}",
                key.example
            );
        }
    }
}

#[test]
fn slips_find_their_word() {
    for (written, expect) in [
        ("depend_on", Some("depends_on")),
        ("dependsOn", Some("depends_on")),
        ("depends-on", Some("depends_on")),
        ("tiemout", Some("timeout")),
        ("on-error", Some("on_error")),
        ("nmae", Some("name")),
        ("desc", Some("description")),
        ("zebra", None),
        ("colour", None),
    ] {
        assert_eq!(nearest(written, STEP.iter().map(|key| key.name)), expect, "{written}");
    }
    assert_eq!(nearest(&"x".repeat(1_000_000), ["x"]), None);
}
