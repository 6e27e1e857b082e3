use super::*;
use serde_json::json;

fn value(text: &str) -> Value {
    parse(text).unwrap_or_else(|problems| panic!("{text:?}: {problems:?}")).to_value()
}

/// The problems of a text as `code line:column message`.
fn problems(text: &str) -> Vec<String> {
    parse_all(text)
        .problems
        .iter()
        .map(|problem| {
            let place = problem.place.expect("every problem of a text has a place");
            assert!(problem.hint.is_some(), "a remedy is missing: {problem:?}");
            format!("{} {}:{} {}", problem.code, place.line, place.column, problem.message)
        })
        .collect()
}

#[test]
fn scalars_follow_the_core_schema() {
    for (text, expect) in [
        ("true", json!(true)),
        ("False", json!(false)),
        ("no", json!("no")),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("~", json!(null)),
        ("NULL", json!(null)),
        ("nUll", json!("nUll")),
        ("12", json!(12)),
        ("-12", json!(-12)),
        ("+12", json!(12)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("0x-1", json!("0x-1")),
        ("1_000", json!("1_000")),
        ("1.5", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("1e", json!("1e")),
        (".5", json!(0.5)),
        (".", json!(".")),
        ("-", json!("-x")),
        (".inf", json!(".inf")),
        ("1e999", json!("1e999")),
        ("1.2.3", json!("1.2.3")),
        ("12:30:45", json!("12:30:45")),
        ("2026-12-01", json!("2026-12-01")),
        ("\"12\"", json!("12")),
        ("!!str 12", json!("12")),
        ("! 12", json!("12")),
        ("!!int 12", json!(12)),
        ("!!float 1", json!(1)),
    ] {
        let text = if text == "-" { "-x" } else { text };
        assert_eq!(value(&format!("key: {text}"))["key"], expect, "{text}");
    }
}

#[test]
fn json_is_yaml() {
    let text = r#"{"a": [1, 2.5, true, null, "x\u0041\n\/"], "b":{"c":[]},"d":"é"}"#;
    assert_eq!(value(text), serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn places_are_exact() {
    let text = "name: é\nsteps:\n  - id: \"ü\"   # ß\n    run: |\n      échø\n  - {id: b, run: x}\nlast: 1\n";
    let tree = parse(text).unwrap();
    let steps = tree.get("steps").unwrap().as_list().unwrap();
    let at = |node: &Node| (node.place.line, node.place.column, &text[node.place.start..node.place.end]);
    assert_eq!(at(tree.get("name").unwrap()), (1, 7, "é"));
    assert_eq!(at(steps[0].get("id").unwrap()), (3, 9, "\"ü\""));
    assert_eq!(at(steps[0].get("run").unwrap()), (5, 7, "échø"));
    assert_eq!(at(&steps[1]), (6, 5, "{id: b, run: x}"));
    assert_eq!(at(tree.get("last").unwrap()), (7, 7, "1"));
    let key = steps[1].entry("run").unwrap().key_place;
    assert_eq!((key.line, key.column, &text[key.start..key.end]), (6, 13, "run"));
    assert_eq!(steps[0].place.end, steps[0].get("run").unwrap().place.end);
}

#[test]
fn aliases_and_merge_keys_expand() {
    let text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: *b, x: 9}\ntwo:\n  <<: [*b, *m]\nlist: [*b]\n\"<<\": text\n";
    assert_eq!(
        value(text),
        json!({
            "base": {"x": 1, "y": 2}, "more": {"y": 3, "z": 4}, "one": {"x": 9, "y": 2},
            "two": {"x": 1, "y": 2, "z": 4}, "list": [{"x": 1, "y": 2}], "<<": "text"
        })
    );
}

#[test]
fn mistakes_are_located() {
    insta::assert_snapshot!(
        [
            "",
            "# nothing\n",
            "a: 1\nb: 2\na: 3\nb: 4\n",
            "a: 1\n---\nb: 2\n",
            "a:\n\t- b\n",
            "message: Ready: go\n",
            "key: @value\n",
            "files: *.conf\n",
            "key: \"never closed\n",
            "key: \"\\q\"\n",
            "key: [a, b\nnext: 1\n",
            "key: {a: 1\n",
            "key: ]\n",
            "a: b\n  c: d\n",
            "list:\n  - a\n b\n",
            "key: !custom x\n",
            "key: !!set {a, b}\n",
            "key: !!int x\n",
            "key: {{ inputs.name }}\n",
            ": 1\n",
            "a: &a [1, *a]\n",
            "mode: 0755\n",
            "id: 123456789012345678901234567890\n",
            "a: 1\n<<: 3\n",
            "%TAG !t! x\n--- !t!a\nb: 1\n",
            "key: 'a' b\n",
            "a: b\nc\n",
            "- {id: x, run: ./x.sh \"${{ inputs.y }}\"}\n",
            "- {id: x, if: ${{ inputs.y }}, run: x}\n",
        ]
        .map(|text| format!("{text:?}\n  {}", problems(text).join("\n  ")))
        .join("\n"),
        @r##"
""
  SKEP-D004 1:1 the text holds no workflow, only blanks or comments
"# nothing\n"
  SKEP-D004 1:1 the text holds no workflow, only blanks or comments
"a: 1\nb: 2\na: 3\nb: 4\n"
  SKEP-D006 3:1 the key `a` stands twice in this mapping, first on line 1
  SKEP-D006 4:1 the key `b` stands twice in this mapping, first on line 2
"a: 1\n---\nb: 2\n"
  SKEP-D005 2:1 a second document begins here; a file holds one workflow
"a:\n\t- b\n"
  SKEP-D001 2:2 a tab stands where YAML wants spaces
"message: Ready: go\n"
  SKEP-D001 1:15 a `:` followed by a blank stands inside a value here
"key: @value\n"
  SKEP-D001 1:6 a value cannot begin with this character without quotes
"files: *.conf\n"
  SKEP-D001 1:8 this alias names an anchor that does not stand above it
"key: \"never closed\n"
  SKEP-D001 1:6 a quoted text is never closed
"key: \"\\q\"\n"
  SKEP-D001 1:6 this escape is not known inside double quotes
"key: [a, b\nnext: 1\n"
  SKEP-D001 2:5 a `:` stands where none can: a bracket or brace above may be open
"key: {a: 1\n"
  SKEP-D001 1:11 a `,` or `}` is missing in this mapping
"key: ]\n"
  SKEP-D001 1:6 this bracket closes nothing
"a: b\n  c: d\n"
  SKEP-D001 2:4 a `:` followed by a blank stands inside a value here
"list:\n  - a\n b\n"
  SKEP-D001 3:2 this line does not fit the mapping above it
"key: !custom x\n"
  SKEP-D010 1:6 the tag `!custom` is not supported
"key: !!set {a, b}\n"
  SKEP-D010 1:6 the tag `!!set` is not supported
"key: !!int x\n"
  SKEP-D010 1:6 the tag does not fit this value
"key: {{ inputs.name }}\n"
  SKEP-D011 1:7 a key is a text, not a mapping
": 1\n"
  SKEP-D011 1:1 a key is missing before `:`
"a: &a [1, *a]\n"
  SKEP-D009 1:11 this alias stands inside what it names, which never ends
"mode: 0755\n"
  SKEP-D012 1:7 `0755` begins with a zero: it is read as text, other YAML readers take it for a number
"id: 123456789012345678901234567890\n"
  SKEP-D013 1:5 `123456789012345678901234567890` does not fit 64 bits and loses its last digits
"a: 1\n<<: 3\n"
  SKEP-D011 2:5 `<<` takes a mapping or a list of mappings
"%TAG !t! x\n--- !t!a\nb: 1\n"
  SKEP-D010 2:1 tag directives (`%TAG`) are not supported
"key: 'a' b\n"
  SKEP-D001 1:10 something follows the closing quote
"a: b\nc\n"
  SKEP-D001 2:2 a `:` is missing after this key
"- {id: x, run: ./x.sh \"${{ inputs.y }}\"}\n"
  SKEP-D001 1:24 an expression stands without quotes inside `{ }` or `[ ]`
"- {id: x, if: ${{ inputs.y }}, run: x}\n"
  SKEP-D001 1:15 an expression stands without quotes inside `{ }` or `[ ]`
"##
    );
}

#[test]
fn broken_utf8_is_located() {
    let parsed = parse_bytes(b"name: x\nkey: \xff\n");
    let place = parsed.problems[0].place.unwrap();
    assert_eq!((parsed.problems[0].code, place.line, place.column), ("SKEP-D003", 2, 6));
    assert_eq!(parse_bytes("a: é".as_bytes()).node.unwrap().to_value(), json!({"a": "é"}));
}

/// Hostile texts of the largest allowed size: each ends in an error (or a tree) within the limits.
#[test]
fn hostile_texts_end() {
    let size = limits::DEFINITION_BYTES_MAX;
    let fill = |part: &str| part.repeat(size / part.len());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let inner = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let long = "x".repeat(size / 2);
    let repeated = format!("a: &a \"{long}\"\nb: [{}]\n", "*a, ".repeat(size / 10));
    let tags = format!("%TAG !t! {long}\n---\n[{}]", "!t!x a, ".repeat(size / 20));
    for (name, text, expect) in [
        ("too long", "x".repeat(size + 1), "SKEP-D002"),
        ("brackets", fill("["), "SKEP-D007"),
        ("braces", fill("{"), "SKEP-D007"),
        ("brackets under a key", format!("a: {}", "[".repeat(size - 3)), "SKEP-D007"),
        ("dashes", fill("- "), "SKEP-D007"),
        ("question marks", fill("? "), "SKEP-D007"),
        ("billion laughs", bomb, "SKEP-D008"),
        ("a long text, repeated", repeated, "SKEP-D008"),
        ("tags", tags, "SKEP-D010"),
        ("numbers", format!("[{}1]", "1,".repeat(size / 2 - 2)), "SKEP-D008"),
        ("numbers under a key", format!("a: [{}1]", "1,".repeat(size / 2 - 3)), "SKEP-D008"),
        ("pairs in a list", format!("[{}1]", ":,".repeat(size / 2 - 2)), "SKEP-D008"),
        ("words in a mapping", format!("{{{}1}}", "a,".repeat(size / 2 - 2)), "SKEP-D008"),
        ("one key", format!("{}: 1", "k".repeat(size - 3)), "SKEP-D001"),
        ("one quoted key", format!("{{\"{}\": 1}}", "k".repeat(size - 8)), ""),
        ("many keys", (0..100_000).map(|n| format!("k{n}: 1\n")).collect(), ""),
        ("the same key", "k: 1\n".repeat(100_000), "SKEP-D006"),
        ("one text", format!("a: \"{}\"", "x".repeat(size - 5)), ""),
        ("one block", format!("a: |\n{}", " x\n".repeat(size / 3 - 5)), ""),
        ("quotes", fill("\"\","), "SKEP-D001"),
        ("anchors", fill("&a "), "SKEP-D001"),
        ("blanks", fill(" "), "SKEP-D004"),
        ("tabs", fill("\t"), "SKEP-D004"),
        ("zeros", fill("- 00\n"), "SKEP-D012"),
        ("pairs under a key", format!("a: [{}1]", ":,".repeat(size / 2 - 4)), "SKEP-D008"),
        ("nested keys", "[".repeat(120) + &"1,".repeat(60_000) + &"]: v,".repeat(120), "SKEP-D007"),
    ] {
        let parsed = parse_all(&text);
        let codes: Vec<&str> = parsed.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes.first().copied().unwrap_or_default(), expect, "{name}: {:?}", parsed.problems.first());
        assert!(parsed.problems.len() <= 1_001, "{name}");
    }
}
