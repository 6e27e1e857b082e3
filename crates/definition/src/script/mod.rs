#![allow(missing_docs)]
use skep_model::Map;
use skep_model::problem::Severity;
pub struct ScriptProblem {
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub hint: Option<String>,
    pub offset: usize,
    pub length: usize,
}
pub struct Placed {
    pub text: String,
    pub values: Map<String>,
    pub problems: Vec<ScriptProblem>,
}
pub fn place(script: &str, _shell: &str) -> Placed {
    let mut values = Map::new();
    let mut text = String::new();
    let mut rest = script;
    while let Some(i) = rest.find("${{") {
        let e = rest[i..].find("}}").map_or(rest.len(), |e| i + e + 2);
        text.push_str(&rest[..i]);
        let n = format!("SKEP_V{}", values.len() + 1);
        text.push_str(&format!("${{{n}}}"));
        values.insert(n, rest[i..e].to_owned());
        rest = &rest[e..];
    }
    text.push_str(rest);
    Placed { text, values, problems: vec![] }
}
