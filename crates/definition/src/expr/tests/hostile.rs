use super::*;

/// Runs in a process of its own, with its memory and time limited by the kernel; the parent looks at how it ended.
const CHILD: &str = "SKEP_TEST_HOSTILE";

/// Expressions that must end in an error, over a text `t` and a list `l` of 8 MiB.
fn hostile() -> Vec<String> {
    let mut expressions: Vec<String> = [
        "'a' * 1000000",
        "[0] * 1000000000",
        "1000000000 * 'a'",
        "inputs.l * 100",
        "range(1000000000)",
        "range(0, -1000000000000, -1)",
        "range(9223372036854775807)",
        "range(100000) + range(100000) + range(100000) + range(400000) + range(400000)",
        "inputs.t ~ inputs.t ~ inputs.t",
        "inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t + inputs.t",
        "inputs.t | replace('a', inputs.t)",
        "inputs.t | replace('a', 'aaaaaaaaaa')",
        "inputs.t | split('a')",
        "inputs.l | join(inputs.t)",
        "inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l + inputs.l",
        "[inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l, inputs.l]",
        "('[' ~ inputs.zeros ~ '0]') | fromjson",
        "inputs.t.join(range(100))",
        "inputs.quotes | tojson | tojson | tojson",
        "inputs.quotes ~ [inputs.quotes] ~ [[inputs.quotes]]",
    ]
    .map(str::to_owned)
    .to_vec();
    expressions.push(format!("{}1{}", "(".repeat(4000), ")".repeat(4000)));
    expressions.push("(".repeat(8000));
    expressions.push(format!("{}1{}", "[".repeat(4000), "]".repeat(4000)));
    expressions.push(format!("{}1", "-".repeat(8000)));
    expressions.push(format!("{} true", "not ".repeat(2000)));
    expressions.push(format!("1{}", " | abs".repeat(1300)));
    expressions.push(format!("inputs.t{}", "[0:]".repeat(2000)));
    expressions.push(format!("1{}", " if true else 1".repeat(500)));
    expressions.push(format!("{}1{}", "range(".repeat(1000), ")".repeat(1000)));
    expressions.push(format!("1{}", "+1".repeat(4000)));
    expressions.push(format!("true{}", " and true".repeat(900)));
    expressions.push(vec!["inputs.t == inputs.u"; 200].join(" and "));
    expressions.push(vec!["'b' not in inputs.t"; 200].join(" and "));
    expressions.push(vec!["inputs.t | upper | length > 0"; 200].join(" and "));
    expressions.push("'".to_owned() + &"x".repeat(9000) + "'");
    expressions
}

fn big_world() -> World {
    let text = "a".repeat(8 * 1024 * 1024);
    let list: Vec<Value> = (0..80_000).map(Value::from).collect();
    World::of(
        json!({"inputs": {"quotes": "\"".repeat(8 * 1024 * 1024), "u": text.clone(), "t": text, "l": list, "zeros": "0,".repeat(4 * 1024 * 1024)}}),
    )
}

/// Kilobytes of address space and seconds of processor time of one child.
const LIMITS: &str = "ulimit -v 200000 && ulimit -t 1 && exec \"$0\" --exact --nocapture expr::tests::hostile::hostile_expressions_end_in_errors_within_the_limits";

#[test]
fn hostile_expressions_end_in_errors_within_the_limits() {
    let expressions = hostile();
    if let Some(index) = std::env::var(CHILD).ok().and_then(|index| index.parse::<usize>().ok()) {
        return end_in_error(&expressions[index]);
    }
    for (index, text) in expressions.iter().enumerate() {
        let output = std::process::Command::new("sh")
            .args(["-c", LIMITS])
            .arg(std::env::current_exe().unwrap())
            .env(CHILD, index.to_string())
            .env("MALLOC_ARENA_MAX", "1")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let reached = printed.contains("ended in SKEP-E");
        assert!(
            output.status.success() && reached,
            "{text:.80}: {:?}\n{printed}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn end_in_error(text: &str) {
    let outcome = Template::compile(&Value::from(format!("${{{{ {text} }}}}")), &names())
        .and_then(|template| template.evaluate(&mut big_world()).map_err(|error| vec![error]));
    println!("ended in {}", outcome.map(drop).expect_err("a hostile expression gives no value")[0].code);
}

#[test]
fn ordinary_work_on_large_values_is_allowed() {
    for text in [
        "inputs.t | length == 8388608",
        "inputs.t == inputs.u",
        "inputs.l | sum",
        "inputs.l | map('x') if false else inputs.l | length",
        "inputs.l | join(',') | split(',') | length",
        "inputs.t ~ '!'",
    ] {
        let outcome = compile(text).evaluate(&mut big_world());
        assert!(outcome.is_ok(), "{text}: {outcome:?}");
    }
}

/// What is accepted must not overflow a small stack either, in a build without optimisation.
#[test]
fn the_deepest_accepted_expressions_fit_a_small_stack() {
    let check = || {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("range(", ")"), ("not ", ""), ("-", ""), ("1 + (", ")"), ("{'a': ", "}")]
        {
            let accepted = (1..40).filter(|depth| {
                let text = format!("${{{{ {}1{} }}}}", open.repeat(*depth), close.repeat(*depth));
                let template = Template::compile(&Value::from(text), &names());
                template.is_ok_and(|template| template.evaluate(&mut world()).is_ok() || open == "range(")
            });
            assert!((10..32).contains(&accepted.count()), "{open}");
        }
        for tail in ["[0:]", " | string", ".lower()"] {
            let accepted = (1..80).filter(|count| {
                Template::compile(&Value::from(format!("${{{{ 'a'{} }}}}", tail.repeat(*count))), &names())
                    .is_ok_and(|template| template.evaluate(&mut world()).is_ok())
            });
            assert!((10..40).contains(&accepted.count()), "{tail}");
        }
    };
    std::thread::Builder::new().stack_size(1536 * 1024).spawn(check).unwrap().join().unwrap();
}

#[test]
fn many_expressions_share_one_budget() {
    let values: Vec<Value> = (0..1_000).map(|_| Value::from("${{ range(1000) }}")).collect();
    let error = Template::compile(&Value::from(values), &names()).unwrap().evaluate(&mut world()).unwrap_err();
    assert_eq!(error.code, "SKEP-E012");
    let pieces = Template::compile_text(&"${{ inputs.t }}".repeat(100), &names()).unwrap();
    assert_eq!(pieces.evaluate(&mut big_world()).unwrap_err().code, "SKEP-E012");
    let many: Vec<Value> = (0..20_000).map(|_| Value::from("${{ inputs.n + 1 }}")).collect();
    let template = Template::compile(&Value::from(many), &names()).unwrap();
    assert_eq!(template.evaluate(&mut world()).unwrap()[19_999], json!(4));
}
