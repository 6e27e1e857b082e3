use super::*;

#[test]
fn literals_and_paths() {
    for (text, expected) in [
        ("1", json!(1)),
        ("2.50", json!(2.5)),
        ("1e3", json!(1000.0)),
        ("18446744073709551615", json!(u64::MAX)),
        ("'a\\nb'", json!("a\nb")),
        ("\"q\\\"\\u00e9\\ud83d\\ude00\"", json!("q\"é😀")),
        ("true", json!(true)),
        ("null", json!(null)),
        ("[1, 'a', [true,],]", json!([1, "a", [true]])),
        ("{'z': 1, 'a': {'b': 2}}", json!({"z": 1, "a": {"b": 2}})),
        ("inputs.n", json!(3)),
        ("inputs['n']", json!(3)),
        ("inputs.big", json!(u64::MAX)),
        ("inputs.map", json!({"z": 1, "a": {"b": [10, 20]}, "dash-key": 5, "null": null})),
        ("inputs.map.a.b[1]", json!(20)),
        ("inputs.map['a']['b'][-1]", json!(20)),
        ("inputs.map['dash-key']", json!(5)),
        ("inputs.hosts[0]", json!("a")),
        ("inputs.hosts[index]", json!("a")),
        ("inputs.hosts[1:]", json!(["b", "c"])),
        ("inputs.hosts[:-1]", json!(["a", "b"])),
        ("inputs.name[0:2]", json!("we")),
        ("steps.build.outputs.json.list[0].k", json!(1)),
        ("item.name", json!("n1")),
        ("stdout", json!("out")),
    ] {
        check(text, expected);
    }
}

#[test]
fn operators_and_their_precedence() {
    for (text, expected) in [
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("7 // 2", json!(3)),
        ("-7 // 2", json!(-4)),
        ("7 // -2", json!(-4)),
        ("-7 % 3", json!(2)),
        ("7 % -3", json!(-2)),
        ("6 / 2", json!(3.0)),
        ("1 - 2 - 3", json!(-4)),
        ("-inputs.n", json!(-3)),
        ("- -1", json!(1)),
        ("1.5 + 1", json!(2.5)),
        ("'a' + 'b'", json!("ab")),
        ("[1] + [2]", json!([1, 2])),
        ("'a' ~ 1 ~ 2.0 ~ true ~ [1]", json!("a12.0true[1]")),
        ("1 == 1.0", json!(true)),
        ("'1' == 1", json!(false)),
        ("[1, {'a': 2}] == [1.0, {'a': 2}]", json!(true)),
        ("inputs.n >= 3 and inputs.n < 4", json!(true)),
        ("'a' < 'b'", json!(true)),
        ("'b' in inputs.hosts", json!(true)),
        ("'z' in inputs.map", json!(true)),
        ("'eb' in inputs.name", json!(true)),
        ("'q' not in inputs.hosts", json!(true)),
        ("not inputs.flag", json!(false)),
        ("not 1 == 2", json!(true)),
        ("inputs.nothing or 'other'", json!("other")),
        ("inputs.n and 'yes'", json!("yes")),
        ("true or false and false", json!(true)),
        ("'p' if inputs.env == 'production' else 's'", json!("p")),
        ("1 if false else 2 if false else 3", json!(3)),
        ("inputs.nothing is none", json!(true)),
        ("inputs.n is not none", json!(true)),
        ("inputs.n is odd and inputs.hosts is list and inputs.map is mapping", json!(true)),
        ("'abc' is startingwith('a')", json!(true)),
    ] {
        check(text, expected);
    }
    assert_eq!(
        failure("1 + 2 ~ 3"),
        "SKEP-E009 at `1 + 2 ~ 3`: `+` does not fit a number (1) and a text (\"23\")\n  hint: `+` adds numbers, joins two texts or two lists; `~` joins anything as text"
    );
}

#[test]
fn filters_methods_functions() {
    for (text, expected) in [
        ("inputs.hosts | length", json!(3)),
        ("'größe' | length", json!(5)),
        ("inputs.name | upper | lower", json!("web")),
        ("' x ' | trim", json!("x")),
        ("'a-b' | replace('-', '+')", json!("a+b")),
        ("'a,b' | split(',')", json!(["a", "b"])),
        ("' a  b ' | split", json!(["a", "b"])),
        ("'a\\nb' | lines", json!(["a", "b"])),
        ("inputs.hosts | join(', ')", json!("a, b, c")),
        ("inputs.rows | join('-', attribute='id')", json!("2-1")),
        ("inputs.hosts | first", json!("a")),
        ("inputs.hosts | last", json!("c")),
        ("inputs.map | keys", json!(["z", "a", "dash-key", "null"])),
        ("inputs.map.a | items", json!([["b", [10, 20]]])),
        ("inputs.numbers | sort", json!([1, 2, 3])),
        ("inputs.rows | sort(attribute='id', reverse=true) | map('id')", json!([2, 1])),
        ("inputs.rows | map(attribute='id')", json!([2, 1])),
        ("inputs.rows | selectattr('ok') | map('id')", json!([2])),
        ("inputs.rows | rejectattr('id', '==', 2)", json!([{"id": 1, "ok": false}])),
        ("[1, 1.0, 2, 1] | unique", json!([1, 1.0, 2])),
        ("2.5 | round", json!(3)),
        ("2.345 | round(2)", json!(2.35)),
        ("'12' | int + 1", json!(13)),
        ("'x' | int(0)", json!(0)),
        ("'1.5' | float", json!(1.5)),
        ("12 | string", json!("12")),
        ("inputs.map.a | tojson", json!("{\"b\":[10,20]}")),
        ("('[1, {}]' | fromjson)[0]", json!(1)),
        ("-3 | abs", json!(3)),
        ("inputs.numbers | min", json!(1)),
        ("inputs.rows | max('id')", json!({"id": 2, "ok": true})),
        ("inputs.numbers | sum", json!(6)),
        ("inputs.numbers | reverse", json!([2, 1, 3])),
        ("range(3)", json!([0, 1, 2])),
        ("range(1, 7, 3)", json!([1, 4])),
        ("range(3, 0, -2)", json!([3, 1])),
        ("range(3, 0)", json!([])),
    ] {
        check(text, expected);
    }
}

#[test]
fn missing_keys_can_be_asked_for() {
    for (text, expected) in [
        ("inputs.map.get('z')", json!(1)),
        ("inputs.map.get('q')", json!(null)),
        ("inputs.map.get('q', 9) + 1", json!(10)),
        ("inputs.hosts.get(9, 'none')", json!("none")),
        ("inputs.name.startswith('w') and inputs.name.endswith('b')", json!(true)),
        ("', '.join(inputs.hosts)", json!("a, b, c")),
        ("inputs.map.z is defined", json!(true)),
        ("inputs.map.q is defined", json!(false)),
        ("inputs.map.q.r is not defined", json!(true)),
        ("inputs.map.q is undefined", json!(true)),
        ("inputs.map.q | default('d')", json!("d")),
        ("inputs.map.q.r | default('d')", json!("d")),
        ("inputs.nothing | default('d')", json!("d")),
        ("inputs.map.null.x | default('d')", json!("d")),
        ("inputs.map.z | default('d')", json!(1)),
        ("'k' in inputs.map and inputs.map.k == 1", json!(false)),
        ("inputs.map.k == 1 if 'k' in inputs.map else 'no'", json!("no")),
        ("success() and not failure() and not cancelled() and always()", json!(true)),
    ] {
        check(text, expected);
    }
}

#[test]
fn hyphens_belong_to_known_names() {
    for (text, expected) in [
        ("steps.my-step.outputs.x", json!(1)),
        ("steps.my-step.outputs.x-1", json!(0)),
        ("inputs.my-input", json!("hyphen")),
        ("steps.build.outputs.my-out - 1", json!(6)),
        ("steps.build.outputs.my-out-1", json!(6)),
        ("inputs.a - inputs.b", json!(6)),
        ("inputs.a-inputs.b", json!(6)),
        ("inputs.a -inputs.b", json!(6)),
        ("steps['my-step'].status", json!("failed")),
    ] {
        check(text, expected);
    }
    assert_eq!(compile("steps.my-step.error.kind").references()[0].path, ["steps", "my-step", "error"]);
}

#[test]
fn references_stop_where_values_begin() {
    let paths = |text: &str| -> Vec<(String, usize, bool)> {
        compile(text).references().iter().map(|found| (found.path.join("."), found.offset, found.dynamic)).collect()
    };
    assert_eq!(paths("steps.build.outputs.json.image"), [("steps.build.outputs.json".to_owned(), 4, false)]);
    assert_eq!(paths("steps[item.name].status"), [("steps".to_owned(), 4, true), ("item".to_owned(), 10, false)]);
    assert_eq!(
        paths("inputs.hosts[0] ~ inputs"),
        [("inputs.hosts".to_owned(), 4, false), ("inputs".to_owned(), 22, false)]
    );
    assert_eq!(paths("steps['build'].status.x"), [("steps.build.status".to_owned(), 4, false)]);
    assert_eq!(paths("inputs.get('x')"), [("inputs".to_owned(), 4, false)]);
    assert_eq!(paths("item.name.x is defined"), [("item".to_owned(), 4, false)]);
}
