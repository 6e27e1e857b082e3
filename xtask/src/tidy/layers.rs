//! Imports point only downward: the workspace's dependencies against the table of the architecture.

use serde_json::Value;

/// Crate to the crates of this workspace that it may import. `docs/ARCHITECTURE.md` shows the same.
/// `skep` may name `store` and `runner` only for its hidden helper modes and for the codes of `explain`.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("skep-model", &[]),
    ("skep-definition", &["skep-model"]),
    ("skep-views", &["skep-model"]),
    ("skep-runner", &["skep-model"]),
    ("skep-engine", &["skep-definition", "skep-model"]),
    ("skep-store", &["skep-views", "skep-model"]),
    ("skep-node", &["skep-engine", "skep-definition", "skep-views", "skep-store", "skep-runner", "skep-model"]),
    ("skep-api", &["skep-node", "skep-views", "skep-definition", "skep-model"]),
    ("skep", &["skep-api", "skep-node", "skep-definition", "skep-model", "skep-store", "skep-runner"]),
];

/// Crates that must stay free of input, output, clocks and chance.
const PURE: [&str; 4] = ["skep-model", "skep-definition", "skep-engine", "skep-views"];
/// What would make them impure.
const IMPURE: [&str; 10] =
    ["axum", "getrandom", "hyper", "libc", "rand", "reqwest", "rusqlite", "rustix", "tokio", "uuid"];
/// May import anything; nothing imports them.
const DEVELOPMENT_ONLY: [&str; 3] = ["skep-bench", "skep-sim", "xtask"];

/// Compares what `cargo metadata` says with the table. Tests may import anything but development crates.
pub fn check(metadata: &Value) -> Vec<String> {
    let packages = list(&metadata["packages"]);
    let ours: Vec<&str> = packages.iter().map(|package| text(&package["name"])).collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = text(&package["name"]);
        if DEVELOPMENT_ONLY.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            findings.push(format!("{name} is a new crate: give it a line in xtask/src/tidy/layers.rs"));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            findings.extend(forbidden(name, allowed, dependency, &ours));
        }
    }
    findings
}

fn forbidden(name: &str, allowed: &[&str], dependency: &Value, ours: &[&str]) -> Option<String> {
    let imported = text(&dependency["name"]);
    if DEVELOPMENT_ONLY.contains(&imported) {
        return Some(format!("{name} must not import {imported}: it is for development only"));
    }
    if text(&dependency["kind"]) == "dev" {
        return None;
    }
    if ours.contains(&imported) && !allowed.contains(&imported) {
        return Some(format!("{name} must not import {imported}: imports point only downward"));
    }
    (PURE.contains(&name) && IMPURE.contains(&imported))
        .then(|| format!("{name} must not import {imported}: it knows no clock, chance, input or output"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(name: &str, imported: &str, kind: Option<&str>) -> Vec<String> {
        let mut packages = vec![json!({"name": name, "dependencies": [{"name": imported, "kind": kind}]})];
        for other in ["skep-model", "skep-store", "skep-node"].into_iter().filter(|other| *other != name) {
            packages.push(json!({"name": other, "dependencies": []}));
        }
        check(&json!({"packages": packages}))
    }

    #[test]
    fn imports_downward_are_fine() {
        assert!(findings("skep-engine", "skep-model", None).is_empty());
        assert!(findings("skep-node", "skep-store", None).is_empty());
        assert!(findings("skep-engine", "serde", None).is_empty());
        assert!(findings("skep-views", "skep-node", Some("dev")).is_empty());
    }

    #[test]
    fn other_imports_are_findings() {
        for (name, imported, kind) in [
            ("skep-engine", "skep-store", None),
            ("skep-store", "skep-node", None),
            ("skep-engine", "tokio", None),
            ("skep-node", "xtask", Some("dev")),
            ("skep-surprise", "serde", None),
        ] {
            assert_eq!(findings(name, imported, kind).len(), 1, "{name} -> {imported}");
        }
    }
}
