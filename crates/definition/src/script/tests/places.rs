use super::*;

/// `@` stands for `${{ inputs.v }}` in the script, and for the variable's name in the expectation.
const VALUE: &str = "${{ inputs.v }}";

fn script(pattern: &str) -> String {
    pattern.replace('@', VALUE)
}

fn placed(pattern: &str, expected: &str) {
    let given = place(&script(pattern), "bash");
    assert_eq!(given.problems, [], "{pattern}");
    assert_eq!(given.text, expected.replace('@', "${SKEP_V1}"), "{pattern}");
    assert_eq!(given.values.len(), 1, "{pattern}");
    assert_eq!(given.values["SKEP_V1"], VALUE);
}

fn refused(pattern: &str, shell: &str, code: &str) {
    let text = script(pattern);
    let given = place(&text, shell);
    assert!(!given.is_usable(), "{pattern} is accepted by {shell}: {}", given.text);
    let problem = &given.problems[0];
    assert_eq!(problem.code, code, "{pattern}: {}", problem.message);
    assert!(problem.hint.is_some(), "{pattern}");
    assert_eq!(&text[problem.offset..problem.offset + problem.length], VALUE, "{pattern}");
}

const PLACED: &[(&str, &str)] = &[
    ("echo @", "echo \"@\""),
    ("echo a@b", "echo a\"@\"b"),
    ("echo \"a @ b\"", "echo \"a @ b\""),
    ("X=@", "X=\"@\""),
    ("export X=@ Y=1", "export X=\"@\" Y=1"),
    ("local x=@", "local x=\"@\""),
    ("cat <<END\na @ 'b' \"c\"\nEND\n", "cat <<END\na @ 'b' \"c\"\nEND\n"),
    ("cat <<-END\n\t@\n\tEND\necho x", "cat <<-END\n\t@\n\tEND\necho x"),
    ("cat <<A <<'B'\n@\nA\nx\nB\n", "cat <<A <<'B'\n@\nA\nx\nB\n"),
    ("echo $(echo @)", "echo $(echo \"@\")"),
    ("echo \"$(echo \"@\")\"", "echo \"$(echo \"@\")\""),
    ("echo \"$(echo @)\"", "echo \"$(echo \"@\")\""),
    ("echo \"$(cat <<END\n@\nEND\n)\"", "echo \"$(cat <<END\n@\nEND\n)\""),
    ("echo ${VAR:-@}", "echo ${VAR:-\"@\"}"),
    ("echo \"${VAR:-@}\"", "echo \"${VAR:-@}\""),
    ("echo ${VAR:-\"a @\"}", "echo ${VAR:-\"a @\"}"),
    ("cat > @", "cat > \"@\""),
    ("cat 2>@ <@", "cat 2>\"@\" <\"@\""),
    ("for x in @ b; do echo $x; done", "for x in \"@\" b; do echo $x; done"),
    ("a=( @ \"@\" x )", "a=( \"@\" \"@\" x )"),
    ("a+=(@)", "a+=(\"@\")"),
    ("[[ \"@\" == x ]]", "[[ \"@\" == x ]]"),
    ("[[ @ == x && -f @ ]]", "[[ \"@\" == x && -f \"@\" ]]"),
    ("[[ x == \"@\" ]]", "[[ x == \"@\" ]]"),
    ("[ @ -eq 3 ]", "[ \"@\" -eq 3 ]"),
    ("cat <<< @", "cat <<< \"@\""),
    ("cat <(echo @)", "cat <(echo \"@\")"),
    ("case @ in a) echo @ ;; \"@\") x;; esac; echo @", "case \"@\" in a) echo \"@\" ;; \"@\") x;; esac; echo \"@\""),
    (
        "case x in\n (a|b) echo @;;\n *) ;;\nesac\necho @",
        "case \"x\" in\n (a|b) echo \"@\";;\n *) ;;\nesac\necho \"@\"",
    ),
    ("f() { echo @; }; function g { echo @; }", "f() { echo \"@\"; }; function g { echo \"@\"; }"),
    ("if true; then echo @; fi", "if true; then echo \"@\"; fi"),
    ("(cd /; echo @)", "(cd /; echo \"@\")"),
    ("bash -c 'echo \"$1\"' _ @", "bash -c 'echo \"$1\"' _ \"@\""),
    ("echo 'it'\\''s' @ # done", "echo 'it'\\''s' \"@\" # done"),
    ("echo 'before '@' after'", "echo 'before '\"@\"' after'"),
    ("echo a#b @", "echo a#b \"@\""),
    ("echo $# ${#x} $$ $'a\\'b' @", "echo $# ${#x} $$ $'a\\'b' \"@\""),
    ("echo $$'a\\' @ \"$$\" $HOME'\\' @", "echo $$'a\\' \"@\" \"$$\" $HOME'\\' \"@\""),
    ("echo \\' @ \\\" @", "echo \\' \"@\" \\\" \"@\""),
    ("echo \"\\\"@\"", "echo \"\\\"@\""),
    ("echo $((1 + 2)) @", "echo $((1 + 2)) \"@\""),
    ("((n = 1 << 2)); echo @", "((n = 1 << 2)); echo \"@\""),
    ("cat <<'END'\n' \" $( `\nEND\necho @", "cat <<'END'\n' \" $( `\nEND\necho \"@\""),
    ("echo `date` @", "echo `date` \"@\""),
    ("echo ${x#\"@\"} \"${x%%\"@\"}\"", "echo ${x#\"@\"} \"${x%%\"@\"}\""),
    ("ls *.@ {a,@}", "ls *.\"@\" {a,\"@\"}"),
    ("x=1 y=@ env", "x=1 y=\"@\" env"),
    ("echo ünï @", "echo ünï \"@\""),
    ("echo \\$@ \"\\$@\"", "echo \\$\"@\" \"\\$@\""),
    ("echo \\\n  @", "echo \\\n  \"@\""),
    ("trap 'rm x' EXIT; echo @", "trap 'rm x' EXIT; echo \"@\""),
    ("read -p @ name", "read -p \"@\" name"),
];

#[test]
fn values_become_variables() {
    for (pattern, expected) in PLACED.iter().copied() {
        if pattern.starts_with("case x") {
            placed(pattern, &expected.replacen("\"x\"", "x", 1));
        } else {
            placed(pattern, expected);
        }
    }
}

const REFUSED: &[(&str, &str)] = &[
    ("echo '@'", codes::SINGLE_QUOTES),
    ("echo 'a @ b'", codes::SINGLE_QUOTES),
    ("echo $'@'", codes::SINGLE_QUOTES),
    ("echo ${x:-'@'}", codes::SINGLE_QUOTES),
    ("cat <<'END'\n@\nEND\n", codes::QUOTED_DOCUMENT),
    ("cat <<\"END\"\n@\nEND\n", codes::QUOTED_DOCUMENT),
    ("cat <<\\END\n@\nEND\n", codes::QUOTED_DOCUMENT),
    ("cat <<-'END'\n\t@\n\tEND\n", codes::QUOTED_DOCUMENT),
    ("echo $((@ + 1))", codes::ARITHMETIC),
    ("echo $(( $(echo @) + 1 ))", codes::ARITHMETIC),
    ("echo \"$((\"@\"))\"", codes::ARITHMETIC),
    ("echo $[@]", codes::ARITHMETIC),
    ("((x = @))", codes::ARITHMETIC),
    ("for ((i = 0; i < @; i++)); do :; done", codes::ARITHMETIC),
    ("if ((@ > 1)); then :; fi", codes::ARITHMETIC),
    ("a[@]=1", codes::ARITHMETIC),
    ("a[\"@\"]=1", codes::ARITHMETIC),
    ("echo ${a[@]}", codes::ARITHMETIC),
    ("echo ${a[\"@\"]}", codes::ARITHMETIC),
    ("a=( [@]=1 )", codes::ARITHMETIC),
    ("echo ${x:@:2}", codes::ARITHMETIC),
    ("echo \"${x:@}\"", codes::ARITHMETIC),
    ("echo ${@}", codes::ARITHMETIC),
    ("[[ @ -eq 1 ]]", codes::ARITHMETIC),
    ("[[ \"@\" -lt 1 ]]", codes::ARITHMETIC),
    ("[[ 1 -ge @ ]]", codes::ARITHMETIC),
    ("[[ -v @ ]]", codes::ARITHMETIC),
    ("[ -v @ ]", codes::ARITHMETIC),
    ("let x=@", codes::ARITHMETIC),
    ("let \"x = @\"", codes::ARITHMETIC),
    ("declare -i x=@", codes::ARITHMETIC),
    ("declare x=@", codes::ARITHMETIC),
    ("typeset x=@", codes::ARITHMETIC),
    ("local -i x=@", codes::ARITHMETIC),
    ("local -a x=@", codes::ARITHMETIC),
    ("declare -i n; n=@", codes::ARITHMETIC),
    ("unset @", codes::ARITHMETIC),
    ("read -r @", codes::ARITHMETIC),
    ("printf -v @ x", codes::ARITHMETIC),
    ("for @ in a; do :; done", codes::ARITHMETIC),
    ("eval @", codes::EVALUATED),
    ("eval \"echo @\"", codes::EVALUATED),
    ("eval \"$(build @)\"", codes::EVALUATED),
    ("command eval @", codes::EVALUATED),
    ("\\eval @", codes::EVALUATED),
    ("'eval' @", codes::EVALUATED),
    ("2>/dev/null eval @", codes::EVALUATED),
    ("X=1 eval @", codes::EVALUATED),
    ("time eval @", codes::EVALUATED),
    ("time -p eval @", codes::EVALUATED),
    ("time { eval @; }", codes::EVALUATED),
    ("! eval @", codes::EVALUATED),
    ("if x; then eval @; fi", codes::EVALUATED),
    ("function f { eval @; }", codes::EVALUATED),
    ("f() { eval @; }", codes::EVALUATED),
    ("case x in a) eval @;; esac", codes::EVALUATED),
    ("case x in a) y;; b) eval @;; esac", codes::EVALUATED),
    ("a | eval @", codes::EVALUATED),
    ("echo $(eval @)", codes::EVALUATED),
    ("(eval @)", codes::EVALUATED),
    ("$NONE eval @", codes::EVALUATED),
    ("${NONE}eval @", codes::EVALUATED),
    ("\"$DIR/bash\" -c @", codes::EVALUATED),
    ("bash -c @", codes::EVALUATED),
    ("bash -c -e @", codes::EVALUATED),
    ("bash -c 2>&1 @", codes::EVALUATED),
    ("sh -c \"echo @\"", codes::EVALUATED),
    ("/bin/sh -ec \"echo @\"", codes::EVALUATED),
    ("sudo -u root bash -lc \"echo @\"", codes::EVALUATED),
    ("docker exec x sh -c \"echo @\"", codes::EVALUATED),
    ("su me -c \"echo @\"", codes::EVALUATED),
    ("python3 -c \"print('@')\"", codes::EVALUATED),
    ("python3.11 -c\"import os; @\"", codes::EVALUATED),
    ("perl -ne \"print '@'\"", codes::EVALUATED),
    ("node --eval \"x('@')\"", codes::EVALUATED),
    ("source <(echo @)", codes::EVALUATED),
    ("trap @ EXIT", codes::EVALUATED),
    ("trap \"rm @\" EXIT", codes::EVALUATED),
    ("alias x=@", codes::EVALUATED),
    ("case x in @) y;; esac", codes::PATTERN),
    ("case x in a|@*) y;; esac", codes::PATTERN),
    ("[[ x == @ ]]", codes::PATTERN),
    ("[[ x != a*@ ]]", codes::PATTERN),
    ("[[ x =~ ^(a|@)$ ]]", codes::PATTERN),
    ("echo ${x#@}", codes::PATTERN),
    ("echo \"${x/@/b}\"", codes::PATTERN),
    ("echo `echo @`", codes::BACKTICKS),
    ("echo \"`echo @`\"", codes::BACKTICKS),
    ("cat <<END\n`echo @`\nEND\n", codes::BACKTICKS),
    ("echo \"${x:-\"@\"}\"", codes::UNCLEAR),
    ("cat <<@\nx\n", codes::UNCLEAR),
    ("echo \"abc @", codes::UNCLEAR),
    ("echo \"abc\necho @", codes::UNCLEAR),
    ("echo $(echo @", codes::UNCLEAR),
    ("echo ${x:-@", codes::UNCLEAR),
    ("echo \\@", codes::UNCLEAR),
    ("echo \"\\@\"", codes::UNCLEAR),
    ("coproc NAME { eval @; }", codes::UNCLEAR),
    ("echo ${ echo \"@\"; }", codes::UNCLEAR),
];

#[test]
fn places_that_would_not_expand_or_would_evaluate_are_refused() {
    for (pattern, code) in REFUSED.iter().copied() {
        refused(pattern, "bash", code);
    }
    refused("echo $'a\\'b' @", "sh", codes::UNCLEAR);
    refused("[ @ -eq 1 ]", "ksh", codes::ARITHMETIC);
    refused("test 1 -lt \"@\"", "zsh", codes::ARITHMETIC);
    refused("[[ x =~ \"@\" ]]", "zsh", codes::PATTERN);
}

#[test]
fn other_interpreters_hold_no_expressions() {
    for shell in ["python3", "node", "/usr/bin/perl", "ruby", "pwsh", "fish", "nonsense"] {
        refused("print('@')", shell, codes::OTHER_INTERPRETER);
        assert_eq!(place("x = '$${{ y }}'", shell).text, "x = '${{ y }}'");
        assert!(place("print(1)", shell).is_usable());
    }
    for shell in ["bash", "/bin/bash", "sh", "dash", "ash", "ksh", "mksh", "zsh", "bash -e", "/usr/local/bin/zsh"] {
        assert!(place("echo ${{ a }}", shell).is_usable(), "{shell}");
    }
}

#[test]
fn what_deserves_a_look_is_a_warning() {
    for (pattern, code, text) in [
        ("# @\necho", codes::COMMENT, "# @\necho"),
        ("echo x # '@", codes::COMMENT, "echo x # '@"),
        ("@ --flag", codes::COMMAND_NAME, "\"$V\" --flag"),
        ("sudo \"@\"", codes::COMMAND_NAME, "sudo \"$V\""),
        ("ssh host \"rm @\"", codes::HANDED_ON, "ssh host \"rm $V\""),
        ("bash <<END\necho @\nEND\n", codes::HANDED_ON, "bash <<END\necho $V\nEND\n"),
        ("ssh host bash <<END\necho @\nEND\n", codes::HANDED_ON, "ssh host bash <<END\necho $V\nEND\n"),
        ("python3 <<< @", codes::HANDED_ON, "python3 <<< \"$V\""),
    ] {
        let given = place(&script(pattern), "bash");
        assert_eq!(codes_of(&given), [code], "{pattern}");
        assert_eq!(given.problems[0].severity, Severity::Warning);
        assert_eq!(given.text, script(text).replace("$V", "${SKEP_V1}"), "{pattern}");
        assert_eq!(given.values.len(), usize::from(code != codes::COMMENT), "{pattern}");
    }
}

#[test]
fn one_expression_has_one_variable_and_braces_are_understood() {
    let given = place("echo ${{ a }} \"${{ b }}\" ${{ a }} ${{ {'x': '}}'} }}", "sh");
    assert_eq!(given.text, "echo \"${SKEP_V1}\" \"${SKEP_V2}\" \"${SKEP_V1}\" \"${SKEP_V3}\"");
    let values: Vec<(&str, &str)> = given.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(values, [("SKEP_V1", "${{ a }}"), ("SKEP_V2", "${{ b }}"), ("SKEP_V3", "${{ {'x': '}}'} }}")]);
    let quoted = place("echo \"${{ inputs[\"a\"] ~ ')' }}\" '$${{ x }}' \"$${{\"", "bash");
    assert_eq!(quoted.text, "echo \"${SKEP_V1}\" '${{ x }}' \"${{\"");
    assert_eq!(codes_of(&place("echo ${{ a", "bash")), [codes::OPEN]);
}

#[test]
fn remedies_read_well() {
    let hints: Vec<String> = ["echo '@'", "eval @", "case x in @) ;; esac", "echo $((@))", "trap @ EXIT"]
        .map(|pattern| {
            let problem = place(&script(pattern), "bash").problems.remove(0);
            format!("{}: {}\n  {}", problem.code, problem.message, problem.hint.unwrap())
        })
        .to_vec();
    insta::assert_snapshot!(hints.join("\n"), @r#"
    SKEP-S001: inside single quotes the shell expands nothing, so the value cannot stand here
      end the quotes around it: 'before '${{ inputs.v }}' after', or use double quotes: "${{ inputs.v }}"
    SKEP-S004: the shell would run the value as commands
      call the command itself with the value as an argument: `command ${{ inputs.v }}`
    SKEP-S005: unquoted in a pattern, it is unclear whether the value is meant as text or as a pattern
      for the text itself write "${{ inputs.v }}"; for a pattern set `P=${{ inputs.v }}` and write $P
    SKEP-S003: the shell would evaluate the value as arithmetic, which can run commands
      compute in the expression, or check first: `N=${{ inputs.v }}; case $N in ''|*[!0-9]*) exit 2;; esac`, then use N
    SKEP-S004: the shell would run the value as commands when the trap fires
      set a variable, `X=${{ inputs.v }}`, and write `trap 'rm -- "$X"' EXIT`
    "#);
}

#[test]
fn every_code_has_a_page() {
    let ids: Vec<&str> = codes::ALL.iter().map(|code| code.id).collect();
    let expected: Vec<String> = (1..=12).map(|number| format!("SKEP-S{number:03}")).collect();
    assert_eq!(ids, expected);
    assert!(codes::ALL.iter().all(|code| code.page.len() > 100));
}

proptest::proptest! {
    #[test]
    fn any_script_is_lexed(text in "[a-z '\"`$(){}\\[\\]<>|&;#\\\\\n=!*]{0,80}", shell in proptest::sample::select(vec!["bash", "sh", "zsh"])) {
        let with = text.replace('a', VALUE);
        let given = place(&with, shell);
        let explained = !given.is_usable() || codes_of(&given).contains(&codes::COMMENT) || with.contains("$${{");
        proptest::prop_assert!(explained || !given.text.contains(VALUE), "{}", given.text);
    }
}

#[test]
fn deep_nesting_ends() {
    for open in ["$(", "\"$(", "${x:-", "(", "{ ", "case x in a) ", "[[ ", "a=(", "<(", "$((", "`", "if ", "\"${x:-"] {
        let text = format!("{}{VALUE}", open.repeat(4_999));
        let given = place(&text, "bash");
        assert!(!given.is_usable() || open == "{ " || open == "if ", "{open}");
    }
}
