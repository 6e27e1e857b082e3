//! Bad definitions that are too large to keep as files. The manifest names them `gen:NAME`.

/// The texts that are too large to keep.
pub fn generated(name: &str) -> String {
    let head = "name: bad\ndescription: A bad definition.\n";
    let script = "steps:\n  - {id: a, run: 'true'}\n";
    match name {
        "nested-brackets" => format!("{head}vars: {{x: {}\n", "[".repeat(100_000)),
        "nested-mappings" => format!("{head}vars: {}\n", "{a: ".repeat(50_000)),
        "too-long" => format!("{head}{script}# {}\n", "x".repeat(1024 * 1024)),
        "too-many-steps" => {
            let steps: String = (0..10_001).map(|index| format!("  - {{id: s{index}, run: 'true'}}\n")).collect();
            format!("{head}steps:\n{steps}")
        }
        "nested-steps" => {
            let open: String = (0..40).map(|index| format!("{{id: l{index}, repeat: {{times: 1}}, steps: [")).collect();
            format!("{head}steps: [{open}{{id: a, run: 'true'}}{}]\n", "]}".repeat(40))
        }
        "many-problems" => {
            let steps: String = (0..5_000).map(|index| format!("  - {{id: s{index}, rnu: 'true'}}\n")).collect();
            format!("{head}steps:\n{steps}")
        }
        "long-key" => format!("{head}{}: 1\n{script}", "k".repeat(1_000)),
        "many-anchors" => {
            let lists: String =
                (1..60).map(|index| format!("  a{index}: &a{index} [*a{0}, *a{0}]\n", index - 1)).collect();
            format!("{head}vars:\n  a0: &a0 [x, x]\n{lists}{script}")
        }
        other => panic!("the manifest names an unknown generator {other}"),
    }
}
