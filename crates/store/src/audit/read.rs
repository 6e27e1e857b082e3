//! Reading records, whether they are as they were written or not. Needs no key.

use std::ops::ControlFlow;

use skep_model::audit::Record;

use super::chain;
use super::place::{Error, Place};
use super::segments;

/// Calls `each` with every record and its line, the oldest first, until it breaks. What is no record is left out:
/// [`super::verify`] names it.
///
/// # Errors
/// Trouble with the files.
pub fn oldest_first(place: &Place, each: &mut dyn FnMut(&Record, &str) -> ControlFlow<()>) -> Result<(), Error> {
    for (_, path) in segments::list(place.folder())? {
        let bytes = segments::read(&path)?;
        if bytes.split(|byte| *byte == b'\n').try_for_each(|line| show(line, each)).is_break() {
            break;
        }
    }
    Ok(())
}

/// The same, the newest first.
///
/// # Errors
/// Trouble with the files.
pub fn newest_first(place: &Place, each: &mut dyn FnMut(&Record, &str) -> ControlFlow<()>) -> Result<(), Error> {
    for (_, path) in segments::list(place.folder())?.into_iter().rev() {
        let bytes = segments::read(&path)?;
        if bytes.rsplit(|byte| *byte == b'\n').try_for_each(|line| show(line, each)).is_break() {
            break;
        }
    }
    Ok(())
}

fn show(line: &[u8], each: &mut dyn FnMut(&Record, &str) -> ControlFlow<()>) -> ControlFlow<()> {
    let record = chain::split(line).and_then(|sealed| chain::record_of(&sealed));
    match (record, std::str::from_utf8(line)) {
        (Some(record), Ok(text)) => each(&record, text),
        (None, _) | (_, Err(_)) => ControlFlow::Continue(()),
    }
}
