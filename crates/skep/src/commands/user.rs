//! `skep user`: people who sign in with a name and a password.

use clap::{Args, Subcommand};
use serde_json::json;
use skep_api::wire::{self, User};

use super::Outcome;
use super::grants::{Grants, words};
use super::workflow::ask;
use crate::context::Context;
use crate::{exit, output, password};

/// Manage users: people who sign in with a name and a password
///
/// A user has roles, each over all workflows or over some. Passwords are asked for on the terminal, or read from standard
/// input; Skep keeps an argon2id hash.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep user add grace --role approver --workflow 'deploy/*'")]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Add a user; asks for the password
    #[command(
        after_help = "Examples:\n  skep user add grace --role approver --workflow 'deploy/*'\n  skep user add ada --role admin < password.txt"
    )]
    Add {
        /// Their name, for ever: letters, digits, `_`, `-`
        name: String,
        #[command(flatten)]
        grants: Grants,
    },
    /// List the users, disabled ones too
    #[command(after_help = "Example:\n  skep user list --format json")]
    List,
    /// Give a user another password
    #[command(after_help = "Example:\n  skep user password grace")]
    Password {
        /// Their name
        name: String,
    },
    /// Let a user sign in no more
    #[command(after_help = "Example:\n  skep user disable grace")]
    Disable {
        /// Their name
        name: String,
    },
    /// Let a disabled user sign in again
    #[command(after_help = "Example:\n  skep user enable grace")]
    Enable {
        /// Their name
        name: String,
    },
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let (user, done) = match arguments.verb {
        Verb::List => {
            let found = ask(context, wire::ListUsers {}).await?;
            context.answer(&json!(found), || text(&found.users));
            return Ok(exit::OK);
        }
        Verb::Add { name, grants } => {
            let password = Some(password::read(&name).await?);
            (ask(context, wire::CreateUser { name, grants: grants.of_each(), password }).await?, "added")
        }
        Verb::Password { name } => {
            let password = password::read(&name).await?;
            (ask(context, wire::SetPassword { name, password }).await?, "set the password of")
        }
        Verb::Disable { name } => (ask(context, wire::DisableUser { name, disabled: true }).await?, "disabled"),
        Verb::Enable { name } => (ask(context, wire::DisableUser { name, disabled: false }).await?, "enabled"),
    };
    context.answer(&json!(user), || format!("{done} {} ({})", user.name, words(&user.grants)));
    Ok(exit::OK)
}

fn text(users: &[User]) -> String {
    if users.is_empty() {
        return "there is no user; `skep user add NAME --role ROLE` adds one".to_owned();
    }
    let cells = |user: &User| {
        let state = match (user.disabled, user.has_password) {
            (true, _) => output::paint(output::Paint::Faint, "disabled"),
            (false, true) => output::paint(output::Paint::Good, "active"),
            (false, false) => output::paint(output::Paint::Attention, "no password"),
        };
        vec![user.name.clone(), state, output::short_moment(&user.created_at), words(&user.grants)]
    };
    output::table(&["NAME", "STATE", "ADDED", "ROLES"], &users.iter().map(cells).collect::<Vec<_>>())
}
