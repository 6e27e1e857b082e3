use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

/// What runs if any shell ever evaluates the value: as arithmetic or a subscript, as text or words.
const CANARIES: [&str; 2] =
    ["a[$(touch pwned)]", "$(touch pwned)`touch pwned`;touch pwned\ntouch pwned\n'\"$(touch pwned)\"'`touch pwned`"];

const TOKENS: &[&str] = &[
    "${{ v }}",
    "${{ v }}",
    "${{ v }}",
    "\"${{ v }}\"",
    "$${{ v }}",
    "echo ",
    "eval ",
    "let ",
    "declare -i n",
    "n=",
    "x=",
    "command ",
    "trap ",
    "time ",
    "-p ",
    "! ",
    "[[ ",
    " ]]",
    " -eq ",
    " == ",
    " =~ ",
    "[ ",
    " ]",
    "case x in ",
    " esac",
    ";;",
    ";",
    "\n",
    " ",
    "|",
    "&&",
    "(",
    ")",
    "((",
    "))",
    "$(",
    "$((",
    "${y",
    "${y:-",
    "}",
    "{ ",
    "`",
    "'",
    "\"",
    "\\",
    "$'",
    "$",
    "#",
    "<<E\n",
    "<<'E'\n",
    "<<-E\n",
    "\nE\n",
    "<<<",
    "<(",
    "a=(",
    "a[",
    "]",
    "]=",
    "if ",
    "then ",
    "fi",
    "function f ",
    "f() ",
    "f ",
    "bash -c ",
    "x",
    "1",
    "+",
    "*",
    "2>&1 ",
    "local ",
    "export ",
    "unset ",
    "read ",
    "printf -v ",
    "${a[",
    "@(",
    "coproc ",
    "for i in ",
    "do ",
    "done",
    "test -v ",
    "source ",
    "=",
    "-v ",
    "/",
    "%",
    ":",
];

fn runs_the_value(script: &str, shell: &str) -> bool {
    CANARIES.iter().any(|canary| runs(script, shell, canary))
}

fn runs(script: &str, shell: &str, canary: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("timeout")
        .args(["5", shell, "-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("SKEP_V1", canary)
        // What an expansion gives as the name of a command is beyond any lexer: `${y:-eval }`.
        .env("y", "1")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.wait().unwrap();
    folder.path().join("pwned").exists()
}

fn safe(tokens: &[&str], shell: &str) -> Result<(), TestCaseError> {
    let placed = place(&tokens.concat(), shell);
    if placed.is_usable() && !placed.values.is_empty() {
        prop_assert!(!runs_the_value(&placed.text, shell), "{} ran the value:\n{}", shell, placed.text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_accepted_script_runs_a_value(
        before in prop::collection::vec(prop::sample::select(TOKENS), 0..7),
        after in prop::collection::vec(prop::sample::select(TOKENS), 0..5),
        shell in prop::sample::select(&["bash", "sh"][..]),
    ) {
        safe(&[before.as_slice(), &["${{ v }}"], after.as_slice()].concat(), shell)?;
    }
}

/// The test above can fail: each of these runs the value when it is placed without looking where.
#[test]
fn the_canary_sings() {
    for script in [
        "eval \"$SKEP_V1\"",
        "echo $((SKEP_V1))",
        "let x=\"$SKEP_V1\"",
        "[[ \"$SKEP_V1\" -eq 1 ]]",
        "bash -c \"$SKEP_V1\"",
        "declare -i n; n=\"$SKEP_V1\"",
    ] {
        assert!(runs_the_value(script, "bash"), "{script}");
    }
}
