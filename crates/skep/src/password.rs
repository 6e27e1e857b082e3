//! Reading a password: from a terminal that does not show it, or from standard input.

use std::io::{self, BufRead, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use skep_api::wire::{Class, Failure};
use skep_model::access::Secret;
use skep_model::limits::PASSWORD_BYTES_MAX;

use crate::context::bad_request;
use crate::door::blocking;
use crate::exit;
use crate::follow::Interrupts;
use crate::output;

/// A new password for `name`. On a terminal it is asked for twice.
pub async fn read(name: &str) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        let given = blocking(read_piped).await?.map_err(|error| unread(&error))?;
        return from_text(&given);
    }
    let mut interrupts = Interrupts::listen();
    let silence = Silence::begin().map_err(|error| unread(&error))?;
    let first = line(&format!("Password for {name}: "), &mut interrupts).await?;
    let second = line("The same again: ", &mut interrupts).await?;
    drop(silence);
    match first == second {
        true => from_text(&first),
        false => Err(bad_request("the two passwords are not the same", "try again; nothing was changed")),
    }
}

fn from_text(text: &str) -> Result<Secret, Failure> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text {
        "" => Err(bad_request(
            "no password was given",
            "type it on a terminal, or give it on standard input: `skep user add NAME --role ROLE < FILE`",
        )),
        text if text.contains('\n') => Err(bad_request("a password is one line, and there are more", "give one line")),
        text => Ok(Secret::new(text)),
    }
}

/// A little more than a password may have, so that what is too long is found to be.
fn read_piped() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().take(PASSWORD_BYTES_MAX as u64 + 16).read_to_string(&mut text)?;
    Ok(text)
}

/// One line of the terminal, unless somebody leaves before it is complete.
async fn line(prompt: &str, interrupts: &mut Interrupts) -> Result<String, Failure> {
    output::prompt(prompt);
    let read = blocking(|| {
        let mut text = String::new();
        io::stdin().lock().read_line(&mut text).map(|_| text)
    });
    tokio::select! {
        text = read => text?.map_err(|error| unread(&error)),
        _ = interrupts.next() => {
            let left = Failure::new("SKEP-N010", Class::User, "left before there was a password", "nothing was changed");
            Err(Failure { exit: exit::LEFT, ..left })
        }
    }
}

fn unread(error: &io::Error) -> Failure {
    bad_request(&format!("the password could not be read: {error}"), "give it as text of one line")
}

/// While it lives, the terminal does not show what is typed, only the ends of lines.
struct Silence {
    before: Termios,
}

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Now, &self.before) {
            tracing::warn!("the terminal could not be set back, `stty echo` does: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line() {
        for (given, expected) in [
            ("correct horse\n", Some("correct horse")),
            ("correct horse\r\n", Some("correct horse")),
            ("correct horse", Some("correct horse")),
            (" spaces stay \n", Some(" spaces stay ")),
            ("", None),
            ("\n", None),
            ("one\ntwo\n", None),
        ] {
            let read = from_text(given).ok();
            assert_eq!(read.as_ref().map(Secret::expose), expected, "{given:?}");
        }
    }
}
