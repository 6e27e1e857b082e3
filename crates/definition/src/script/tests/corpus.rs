//! Real shells, nasty values: in every accepted place the bytes arrive unchanged, as one word, and nothing runs.

use std::path::Path;
use std::process::Command;

use super::*;

/// Prints its arguments, each with a NUL after it.
const PRELUDE: &str = "show() { printf '%s\\0' \"$@\"; }\nunset UNSET\nSET=set\n";

fn nasty_values() -> Vec<String> {
    let mut values: Vec<String> = [
        "",
        "plain",
        "two words",
        "  blanks  around  ",
        "new\nline",
        "trailing\n\n",
        "\n",
        "tab\tand\rreturn",
        "'",
        "\"",
        "it's \"quoted\" 'both'",
        "$(touch pwned)",
        "`touch pwned`",
        "\"; touch pwned; \"",
        "'; touch pwned; '",
        "$((a[$(touch pwned)]))",
        "a[$(touch pwned)]",
        "x; touch pwned & touch pwned || touch pwned | touch pwned",
        "> pwned",
        "${HOME:=$(touch pwned)}$HOME",
        "-n",
        "-e \\n \\c \\0",
        "--help",
        "*",
        "? [a-z]* ~ ~root {a,b}",
        "\\",
        "a\\",
        "\\\\n\\'\\\"",
        "END\ntouch pwned\nEND",
        "\tEND\n\ttouch pwned",
        ")}]]fi;;esac done",
        "!history #comment",
        "%s %d %n",
        "grüße 漢字 😀 \u{200b}\u{feff}",
        "SKEP_V1=x",
        "\u{1}\u{7f}\u{1b}[0m",
        "${{ inputs.v }}",
    ]
    .map(str::to_owned)
    .to_vec();
    values.push("x'\"$ \n".repeat(10_000));
    values
}

/// What a script prints when `@` holds the value.
enum Prints {
    /// The words, each with a NUL.
    Words(&'static [&'static str]),
    /// This text.
    Text(&'static str),
}

use Prints::{Text, Words};

/// Scripts that every shell understands. In what they print `@` is the value.
const EVERYWHERE: &[(&str, Prints)] = &[
    ("show @", Words(&["@"])),
    ("show \"@\"", Words(&["@"])),
    ("show a@b \"c @ d\" @@", Words(&["a@b", "c @ d", "@@"])),
    ("show 'before '@' after'", Words(&["before @ after"])),
    ("show -- @ x", Words(&["--", "@", "x"])),
    ("X=@; show \"$X\"", Words(&["@"])),
    ("X=a@\"b@\"; show \"$X\"", Words(&["a@b@"])),
    ("export X=@; show \"$X\"", Words(&["@"])),
    ("readonly X=@; show \"$X\"", Words(&["@"])),
    ("f() { local x=@; show \"$x\"; }; f", Words(&["@"])),
    ("f() { show \"$1\"; }; f @", Words(&["@"])),
    ("X=@ sh -c 'printf \"%s.\" \"$X\"'", Text("@.")),
    ("sh -c 'printf \"%s.\" \"$1\"' _ @", Text("@.")),
    ("set -- @ @; show \"$1\" \"$2\"", Words(&["@", "@"])),
    ("for x in @ b \"@\"; do show \"$x\"; done", Words(&["@", "b", "@"])),
    ("case @ in \"@\") show yes;; *) show no;; esac", Words(&["yes"])),
    ("case x@ in (y|x\"@\") show @;; esac", Words(&["@"])),
    ("[ @ = \"@\" ] && show yes", Words(&["yes"])),
    ("if show @; then show @; fi", Words(&["@", "@"])),
    ("{ show @; }; (show @)", Words(&["@", "@"])),
    ("show @ | cat", Words(&["@"])),
    ("show @ & wait", Words(&["@"])),
    ("show \"$(printf '%s.' @)\"", Words(&["@."])),
    ("show \"$(printf '%s.' \"@\")\"", Words(&["@."])),
    ("show \"a $(printf '%s.' \"$(printf '%s.' @)\") b\"", Words(&["a @.. b"])),
    ("show \"$( (printf '%s.' @) )\"", Words(&["@."])),
    ("X=$(printf '%s.' @); show \"$X\"", Words(&["@."])),
    ("show ${UNSET:-@}", Words(&["@"])),
    ("show \"${UNSET:-@}\"", Words(&["@"])),
    ("show \"${UNSET-a @ b}\"", Words(&["a @ b"])),
    ("show ${UNSET:-\"a @\"}", Words(&["a @"])),
    ("show ${SET:+@} \"${SET+@}\"", Words(&["@", "@"])),
    ("show \"${UNSET:-${UNSET:-@}}\"", Words(&["@"])),
    ("show \"${UNSET:-$(printf '%s.' @)}\"", Words(&["@."])),
    (": ${UNSET:=@}; show \"$UNSET\"", Words(&["@"])),
    ("Y=pre@; show \"${Y%\"@\"}\" ${Y#pre\"@\"}x", Words(&["pre", "x"])),
    ("cat <<END\n@\nEND\n", Text("@\n")),
    ("cat <<END\n'@' \"@\" \\$ a\nEND\nshow x", Text("'@' \"@\" $ a\nx\0")),
    ("cat <<-END\n\t@.\n\tEND\n", Text("@.\n")),
    ("cat <<A; cat <<'B'; show @\n@\nA\n' $x\nB\n", Text("@\n' $x\n@\0")),
    ("show \"$(cat <<END\n@.\nEND\n)\"", Words(&["@."])),
    ("cat <<END\n${UNSET:-@}$(printf '%s.' \"@\")\nEND\n", Text("@@.\n")),
    ("show a \\\n  @ # @ '", Words(&["a", "@"])),
    ("show \"\\\"@\\\"\" \\'@ \\$@", Words(&["\"@\"", "'@", "$@"])),
    ("show $(( 1 + 2 )) @", Words(&["3", "@"])),
    ("show `echo \\`echo x\\`` @", Words(&["x", "@"])),
    ("trap 'show bye' EXIT; show @", Words(&["@", "bye"])),
    ("while :; do show @; break; done; until show \"@\"; do :; done", Words(&["@", "@"])),
    ("printf x 2>/dev/null >/dev/null; show @", Words(&["@"])),
];

/// Scripts of bash.
const BASH: &[(&str, Prints)] = &[
    ("a=( @ \"@\" x@ ); show \"${a[0]}\" \"${a[1]}\" \"${a[2]}\"", Words(&["@", "@", "x@"])),
    ("a=(); a+=(@); show \"${a[0]}\" \"${#a[*]}\"", Words(&["@", "1"])),
    ("a=(\n  @ # note\n  b\n); show \"${a[*]:0:1}\"", Words(&["@"])),
    ("[[ \"@\" == \"@\" ]] && show yes", Words(&["yes"])),
    ("[[ @ == \"@\" && ! @ != \"@\" ]] && show yes", Words(&["yes"])),
    ("[[ x@ =~ ^x\"@\"$ ]] && show yes", Words(&["yes"])),
    ("[[ @ < \"@\" ]] || show no", Words(&["no"])),
    ("cat <<< @", Text("@\n")),
    ("cat <<< \"a @\"", Text("a @\n")),
    ("cat <(printf '%s.' @)", Text("@.")),
    ("show {a,@}", Words(&["a", "@"])),
    ("function f { show \"$1\"; }; f @", Words(&["@"])),
    ("show $'a\\'b' @", Words(&["a'b", "@"])),
    ("((n = 2 << 1)); show $n @", Words(&["4", "@"])),
    ("for ((i = 0; i < 1; i++)); do show @; done", Words(&["@"])),
    ("show @ |& cat", Words(&["@"])),
];

/// Runs one script with every value, each in a subshell of one process: thousands of processes would take long.
fn run(shell: &str, pattern: &str, prints: &Prints, values: &[String], folder: &Path) {
    let placed = place(&pattern.replace('@', "${{ inputs.v }}"), shell);
    assert!(placed.is_usable(), "{shell}: {pattern}: {:?}", placed.problems);
    assert_eq!(placed.values.keys().collect::<Vec<_>>(), ["SKEP_V1"]);
    let mut command = Command::new(shell);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(folder);
    let mut script = PRELUDE.to_owned();
    for (index, value) in values.iter().enumerate() {
        command.env(format!("V{index}"), value);
        script += &format!("(SKEP_V1=\"$V{index}\"; export SKEP_V1\n{}\n)\nprintf '{MARK}'\n", placed.text);
    }
    let output = command.arg("-c").arg(script).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut printed = printed.split(MARK);
    for value in values {
        let expected = match prints {
            Words(words) => words.iter().map(|word| word.replace('@', value) + "\0").collect(),
            Text(text) => text.replace('@', value),
        };
        let given = printed.next().unwrap_or_default();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            given == expected,
            "{shell}: {}\n value {value:.80?}\n gave {given:.200?}\n not {expected:.200?}\n{complaints}",
            placed.text
        );
    }
    let left: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{shell}: {}: {left:?}", placed.text);
}

/// Stands after what each subshell printed; no value holds it.
const MARK: &str = "<<<next value>>>";

#[test]
fn values_arrive_unchanged_in_every_accepted_place() {
    let folder = tempfile::tempdir().unwrap();
    let values = nasty_values();
    for (pattern, prints) in EVERYWHERE {
        for shell in ["bash", "sh"] {
            run(shell, pattern, prints, &values, folder.path());
        }
    }
    for (pattern, prints) in BASH {
        run("bash", pattern, prints, &values, folder.path());
    }
}

#[test]
fn values_name_files_and_nothing_else() {
    for value in nasty_values() {
        if value.is_empty() || value.len() > 200 || value.contains('/') {
            continue;
        }
        for shell in ["bash", "sh"] {
            let folder = tempfile::tempdir().unwrap();
            let placed = place("printf '%s' hi > ./${{ inputs.v }}; cat < \"./${{ inputs.v }}\" 2>&1", shell);
            let mut command = Command::new(shell);
            command.current_dir(folder.path()).env("SKEP_V1", &value).arg("-c").arg(&placed.text);
            assert_eq!(command.output().unwrap().stdout, b"hi", "{shell}: {value:?}");
            let names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(names, [std::ffi::OsString::from(&value)]);
        }
    }
}
