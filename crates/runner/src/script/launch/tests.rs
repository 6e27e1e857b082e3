use super::*;
use serde_json::json;
use skep_model::Map;
use skep_model::effect::Work;

fn script(shell: &str, text: &str) -> Script {
    Script {
        shell: shell.into(),
        text: text.into(),
        values: Map::new(),
        env: Map::new(),
        working_dir: "/".into(),
        inputs: json!({}),
    }
}

fn launch(script: &Script) -> Result<Launch, Failure> {
    let task = crate::tests::task("step", Work::Script(script.clone()));
    let mut launch = Launch::of(&task, script, Path::new("/run/it's"))?;
    let token = task.token.as_str();
    let hide = |text: &mut String| *text = text.replace(token, "TOKEN");
    launch.order.argv.iter_mut().chain(&mut launch.order.environment).for_each(hide);
    Ok(launch)
}

#[test]
fn each_shell_has_its_command() {
    let check = |shell: &str, expect: &str| {
        let launch = launch(&script(shell, "text")).unwrap();
        assert_eq!(launch.order.argv.join(" "), expect);
        assert_eq!(launch.files.len(), if expect.ends_with("text") { 1 } else { 2 });
    };
    check("bash", "bash --noprofile --norc -eo pipefail -c text");
    check("sh", "sh -e -c text");
    check("/bin/cat", "/bin/cat /run/it's/TOKEN/script");
}

#[test]
fn a_large_value_is_read_before_the_first_line() {
    let mut script = script("bash", "one\ntwo");
    script.values = Map::from_iter([("SKEP_V1".to_owned(), "v".repeat(SCRIPT_VALUE_BYTES_MAX + 1))]);
    let launch = launch(&script).unwrap();
    let text = launch.order.argv.last().unwrap().replace("/usr/bin/cat", "/bin/cat");
    insta::assert_snapshot!(text, @r"
    SKEP_V1=$('/bin/cat' '/run/it'\''s/TOKEN/value-SKEP_V1' && printf .); SKEP_V1=${SKEP_V1%.}; one
    two
    ");
    assert!(!launch.order.environment.iter().any(|line| line.starts_with("SKEP_V1")));
    assert_eq!(launch.files[1].0, "value-SKEP_V1");
}

#[test]
fn a_large_value_for_another_interpreter_is_refused() {
    let mut script = script("/bin/cat", "text");
    script.values = Map::from_iter([("SKEP_V1".to_owned(), "v".repeat(SCRIPT_VALUE_BYTES_MAX + 1))]);
    assert_eq!(launch(&script).unwrap_err().code, codes::UNUSABLE_TEXT);
}

#[test]
fn skep_names_win_over_given_ones() {
    let mut script = script("sh", "text");
    let pairs = [("A", "1"), ("SKEP_STEP", "wrong"), ("SKEP_V1", "wrong")];
    script.env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    script.values = Map::from_iter([("SKEP_V1".to_owned(), "right".to_owned())]);
    let lines = launch(&script).unwrap().order.environment;
    let named = |name: &str| lines.iter().filter(|line| line.starts_with(name)).cloned().collect::<Vec<_>>();
    assert_eq!(named("A="), ["A=1"]);
    assert_eq!(named("SKEP_STEP="), ["SKEP_STEP=step"]);
    assert_eq!(named("SKEP_V1="), ["SKEP_V1=right"]);
}

#[test]
fn names_that_no_variable_can_have_are_refused() {
    for name in ["", "A=B", "A\0"] {
        let mut script = script("sh", "text");
        script.env = Map::from_iter([(name.to_owned(), "x".to_owned())]);
        assert_eq!(launch(&script).unwrap_err().code, codes::UNUSABLE_TEXT, "{name:?}");
    }
}

#[test]
fn an_environment_that_no_process_can_have_never_reaches_the_spawner() {
    let mut script = script("sh", "text");
    script.env = (0..100).map(|index| (format!("A{index}"), "x".repeat(100_000))).collect();
    assert_eq!(launch(&script).unwrap_err().code, codes::UNUSABLE_TEXT);
    script.env.truncate(40);
    assert!(launch(&script).is_ok());
}
