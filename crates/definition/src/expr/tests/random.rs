use proptest::prelude::*;

use super::*;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("c")], inner), 0..4)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn access() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(".a".to_owned()),
        Just("['b']".to_owned()),
        Just(".c".to_owned()),
        (-3..3i64).prop_map(|index| format!("[{index}]")),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_short_way_and_the_machine_agree(value in json_value(), access in access()) {
        let source = Value::from(format!("${{{{ inputs.v{access} }}}}"));
        let short = Template::compile(&source, &names()).unwrap().evaluate(&mut World::of(json!({"inputs": {"v": value}})));
        let long = Template::compile_for_machine(&source, &names()).unwrap().evaluate(&mut World::of(json!({"inputs": {"v": value}})));
        prop_assert_eq!(short, long);
    }

    #[test]
    fn values_pass_the_machine_unchanged(value in json_value()) {
        let source = Value::from("${{ inputs.v if true else 0 }}");
        let given = Template::compile(&source, &names()).unwrap().evaluate(&mut World::of(json!({"inputs": {"v": value}})));
        prop_assert_eq!(given.unwrap().to_string(), value.to_string());
    }

    #[test]
    fn any_text_ends_in_a_value_or_an_error(text in "\\PC{0,60}") {
        let source = format!("${{{{ {text} }}}}");
        if let Ok(template) = Template::compile(&Value::from(source.clone()), &names()) {
            let _ = template.evaluate(&mut world());
        }
        let _ = Template::compile_condition(&text, &names());
    }

    #[test]
    fn any_tokens_end_in_a_value_or_a_located_error(
        words in prop::collection::vec(prop::sample::select(vec![
            "inputs", ".", "n", "map", "hosts", "[", "]", "(", ")", "+", "-", "*", "/", "//", "%", "~", "|", "length",
            "default", "is", "not", "and", "or", "if", "else", "in", "==", "<", "1", "0", "-1", "'a'", ",", "{", "}", ":",
            "defined", "none", "join", "sort", "range", "get", "null", "2.5", "first", "=", "map",
        ]), 0..16),
    ) {
        let source = format!("${{{{ {} }}}}", words.join(" "));
        let outcome = Template::compile(&Value::from(source.clone()), &names())
            .and_then(|template| template.evaluate(&mut world()).map_err(|error| vec![error]));
        for error in outcome.err().into_iter().flatten() {
            prop_assert!(source.get(error.offset..error.offset + error.length).is_some(), "{:?}", error);
        }
    }
}

/// Where both know the operation, the answer is the one of minijinja itself.
#[test]
fn arithmetic_and_logic_are_those_of_jinja() {
    let jinja = minijinja::Environment::new();
    let numbers = ["-7", "-2", "0", "1", "2", "3.5", "-0.5", "7"];
    let operators = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or"];
    for left in numbers {
        for right in numbers {
            for operator in operators {
                let source = format!("{left} {operator} {right}");
                let theirs = jinja.compile_expression(&source).and_then(|expression| expression.eval(()));
                let theirs = theirs.ok().map(|value| serde_json::to_value(&value).unwrap());
                let ours = evaluate(&source).ok();
                let finite = theirs.filter(|value| !value.is_null());
                let same = match (&finite, &ours) {
                    (Some(theirs), Some(ours)) if theirs.is_number() => theirs.as_f64() == ours.as_f64(),
                    (theirs, ours) => theirs == ours,
                };
                assert!(same, "{source}: theirs {finite:?}, ours {ours:?}");
            }
        }
    }
}
