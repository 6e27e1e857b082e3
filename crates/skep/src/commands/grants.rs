//! Roles on the command line: what `skep key` and `skep user` have in common.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use skep_api::wire::Grant;
use skep_model::access::{Pattern, Role};

/// What a key or a user may do.
#[derive(Args, Debug)]
pub struct Grants {
    /// What it may do; may be given several times
    #[arg(long = "role", required = true, value_name = "ROLE", value_parser = roles())]
    roles: Vec<Role>,
    /// Only to these workflows: a path, `deploy/*`, `deploy/**`; may be given several times [default: all]
    #[arg(long = "workflow", value_name = "PATTERN")]
    workflows: Vec<Pattern>,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    let words = PossibleValuesParser::new(Role::ALL.map(Role::as_str));
    words.try_map(|word| Role::parse(&word).ok_or("no such role"))
}

impl Grants {
    /// Each role over all the patterns.
    pub fn of_each(self) -> Vec<Grant> {
        let workflows = match self.workflows.is_empty() {
            true => vec![Pattern::everything()],
            false => self.workflows,
        };
        let workflows: Vec<String> = workflows.into_iter().map(String::from).collect();
        self.roles.into_iter().map(|role| Grant { role, workflows: workflows.clone() }).collect()
    }
}

/// As tables show them: `operator on deploy/*; viewer`.
pub fn words(grants: &[Grant]) -> String {
    let one = |grant: &Grant| match grant.workflows.iter().any(|pattern| pattern == Pattern::everything().as_str()) {
        true => grant.role.to_string(),
        false => format!("{} on {}", grant.role, grant.workflows.join(", ")),
    };
    grants.iter().map(one).collect::<Vec<_>>().join("; ")
}
