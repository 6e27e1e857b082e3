//! A value stays a value: whatever somebody gives as an input arrives byte for byte, in every place where a
//! script may have it, and is refused with a remedy where no quoting is safe.

use std::fs;

use serde_json::json;

use crate::support::place::Place;

/// Every place that takes a value, in both shells. Each writes what arrived into a file `SHELL-CONTEXT`.
const CONTEXTS: &[(&str, &str)] = &[
    ("bare", "printf '%s' ${{ inputs.v }} > FILE"),
    ("glued", "printf '%s' pre-${{ inputs.v }}-post > FILE"),
    ("double", "printf '%s' \"${{ inputs.v }}\" > FILE"),
    ("mixed", "printf '%s' \"a ${{ inputs.v }} b\" > FILE"),
    ("heredoc", "cat > FILE <<END\n${{ inputs.v }}\nEND"),
    ("substitution", "printf '%s' \"$(printf '%s.' \"${{ inputs.v }}\")\" > FILE"),
    ("assigned", "value=${{ inputs.v }}\nprintf '%s' \"$value\" > FILE"),
    ("argument", "one() { printf '%s' \"$#$1\"; }\none ${{ inputs.v }} > FILE"),
];

fn arrived(context: &str, value: &str) -> String {
    match context {
        "bare" | "double" | "assigned" => value.to_owned(),
        "glued" => format!("pre-{value}-post"),
        "mixed" => format!("a {value} b"),
        "heredoc" => format!("{value}\n"),
        "substitution" => format!("{value}."),
        "argument" => format!("1{value}"),
        other => panic!("no such context: {other}"),
    }
}

fn definition() -> String {
    let mut text =
        "name: inject\ndescription: Writes down what arrives.\ninputs:\n  v: {type: string, required: true}\nsteps:\n"
            .to_owned();
    for shell in ["bash", "sh"] {
        for (context, script) in CONTEXTS {
            let script = script.replace("FILE", &format!("{shell}-{context}")).replace('\n', "\n      ");
            text.push_str(&format!("  - id: {shell}-{context}\n    shell: {shell}\n    run: |\n      {script}\n"));
        }
    }
    text
}

fn check(place: &Place, value: &str, arguments: &[&str]) {
    let shown: String = value.chars().take(60).collect();
    let mut all = vec!["run", "inject.yaml"];
    all.extend(arguments);
    let answer = place.json(&all, 0);
    assert_eq!(answer["status"], "completed", "{shown:?}: {answer:#}");
    for shell in ["bash", "sh"] {
        for (context, _) in CONTEXTS {
            let bytes = fs::read(place.work().join(format!("{shell}-{context}"))).unwrap_or_default();
            let wanted = arrived(context, value);
            assert!(bytes == wanted.as_bytes(), "{shown:?} in {shell}, {context}: {:?}", head(&bytes));
        }
    }
    assert!(!place.work().join("x").exists(), "{shown:?} was executed");
}

fn head(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

const VALUES: &[&str] = &[
    "",
    "plain",
    "two words  and  blanks ",
    "it's \"quoted\" `and` 'more'",
    "$(touch x)",
    "`touch x`",
    "; touch x; #",
    "\"; touch x; \"",
    "'; touch x; '",
    "${HOME} $HOME $$ $0 ${SKEP_V1} \\$HOME",
    "$((1 + 1)) $[1 + 1] ${v:-x}",
    "-rf --help -n -e",
    "* ? [a-z] ~ {a,b} !! !x",
    "line one\nline two\n\n\n",
    "\n\nbefore",
    "tab\there\rreturn\u{7}bell\u{1b}[31m",
    "END\nEND\n",
    "\\ \\n \\\\ \\0 %s %d %%",
    "${{ inputs.v }} }} {{ x }}",
    "Grüße, 世界 🐝 \u{202e}\u{feff}",
    "a\\",
];

#[test]
fn values_arrive_byte_for_byte() {
    let place = Place::new();
    place.write("inject.yaml", definition());
    for value in VALUES {
        place.write("values.json", json!({ "v": value }).to_string());
        check(&place, value, &["-i", "@values.json"]);
    }
}

#[test]
fn values_of_the_command_line_arrive_byte_for_byte() {
    let place = Place::new();
    place.write("inject.yaml", definition());
    for value in ["$(touch x) `touch x`", "a=b=c\n", "-v", "true", "007", "@values.json"] {
        check(&place, value, &[&format!("--v={value}")]);
    }
    check(&place, "two words", &["-i", "v=two words"]);
}

#[test]
fn large_values_arrive_byte_for_byte() {
    let place = Place::new();
    place.write("inject.yaml", definition());
    // Over 64 KiB a value travels in a file; both sides of that bound, with final newlines and two-byte characters.
    for size in [64 * 1024 - 8, 64 * 1024, 64 * 1024 + 8, 200 * 1024] {
        let value = format!("{}ü$(touch x)'\"\n\n", "a\n".repeat(size / 2 - 10));
        place.write("values.json", json!({ "v": value }).to_string());
        check(&place, &value, &["-i", "@values.json"]);
    }
}

#[test]
fn a_value_with_nul_is_refused_before_its_step_starts() {
    let place = Place::new();
    place.write("values.json", json!({ "v": "a\u{0}b" }).to_string());
    place.write("inject.yaml", definition());
    let answer = place.skep(&["run", "inject.yaml", "-i", "@values.json", "--format", "json"]);
    assert!(answer.code == Some(1) || answer.code == Some(2), "{answer}");
    assert!(answer.out.contains("NUL"), "{answer}");
    assert!(!place.work().join("bash-bare").exists(), "nothing ran");
}

#[test]
fn unsafe_places_are_refused_before_anything_runs() {
    for (script, code) in [
        ("echo '${{ inputs.v }}'", "SKEP-S001"),
        ("cat <<'END'\n${{ inputs.v }}\nEND", "SKEP-S002"),
        ("echo $((${{ inputs.v }} + 1))", "SKEP-S003"),
        ("((n = ${{ inputs.v }}))", "SKEP-S003"),
        ("let n=${{ inputs.v }}", "SKEP-S003"),
        ("[[ ${{ inputs.v }} -gt 1 ]]", "SKEP-S003"),
        ("list[${{ inputs.v }}]=1", "SKEP-S003"),
        ("eval ${{ inputs.v }}", "SKEP-S004"),
        ("sh -c \"${{ inputs.v }}\"", "SKEP-S004"),
        ("trap \"${{ inputs.v }}\" EXIT", "SKEP-S004"),
        ("case x in ${{ inputs.v }}) ;; esac", "SKEP-S005"),
    ] {
        check_refused("bash", script, code);
    }
    check_refused("python", "print('${{ inputs.v }}')", "SKEP-S006");
}

fn check_refused(shell: &str, script: &str, code: &str) {
    let place = Place::new();
    let script = script.replace('\n', "\n      ");
    let text = format!(
        "name: unsafe\ndescription: Unsafe.\ninputs: {{v: {{type: string, default: x}}}}\nsteps:\n  - {{id: before, run: touch ran}}\n  - id: bad\n    shell: {shell}\n    run: |\n      {script}\n"
    );
    let answer = place.run(&text, &[], 2);
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{script}: {answer:#}"));
    let found = errors.iter().find(|error| error["code"] == code);
    let found = found.unwrap_or_else(|| panic!("{script}: no {code} in {answer:#}"));
    assert!(found["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{script}: {found:#}");
    assert!(!place.work().join("ran").exists(), "{script}: something ran");
}
