//! Looking whether log files are as they were written.

use std::fs;
use std::path::{Path, PathBuf};

use super::record::Record;
use crate::data_dir::Error;

/// The segments in an execution's folder, with their numbers, in order.
///
/// # Errors
/// [`Error::File`].
pub fn segments(folder: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let listing = fs::read_dir(folder).map_err(Error::file("listing", folder))?;
    let mut segments = Vec::new();
    for entry in listing {
        let path = entry.map_err(Error::file("listing", folder))?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl")?.parse().ok());
        segments.extend(number.map(|number| (number, path)));
    }
    segments.sort();
    Ok(segments)
}

/// Splits a segment into the lines that are records, and the number of lines that are not. A last line without its
/// end is what a crash leaves: it is neither.
///
/// # Errors
/// [`Error::File`].
pub fn bad_lines(path: &Path) -> Result<(Vec<u8>, usize), Error> {
    let bytes = fs::read(path).map_err(Error::file("reading", path))?;
    let (mut good, mut bad) = (Vec::with_capacity(bytes.len()), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.ends_with(b"\n") && serde_json::from_slice::<Record>(line).is_err() {
            true => bad += 1,
            false => good.extend_from_slice(line),
        }
    }
    Ok((good, bad))
}
