//! The files of the log, by their numbers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::key::FILE_MODE;
use super::place::Error;
use crate::data_dir;

/// The file of segment `number`, from 1.
pub(super) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:06}.jsonl"))
}

/// All of them in the order of their numbers; a folder that does not exist has none.
pub(super) fn list(folder: &Path) -> Result<Vec<(u32, PathBuf)>, Error> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(data_dir::Error::file("listing", folder)(cause).into()),
    };
    let mut segments = Vec::new();
    for entry in listing {
        let path = entry.map_err(data_dir::Error::file("listing", folder))?.path();
        segments.extend(number_of(&path).map(|number| (number, path)));
    }
    segments.sort_unstable();
    Ok(segments)
}

fn number_of(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_suffix(".jsonl")?.parse().ok()
}

/// Makes the file of a new segment, durably.
pub(super) fn create(folder: &Path, number: u32) -> Result<File, Error> {
    let path = path(folder, number);
    let file = OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(&path);
    let file = file.map_err(data_dir::Error::file("creating", &path))?;
    data_dir::sync_folder(folder)?;
    Ok(file)
}

/// Opens a segment for appending.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    Ok(OpenOptions::new().append(true).open(path).map_err(data_dir::Error::file("opening", path))?)
}

/// The content of a segment from byte `from` on; empty if it is not so long.
pub(super) fn read_from(path: &Path, from: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut bytes)
    });
    read.map_err(data_dir::Error::file("reading", path))?;
    Ok(bytes)
}

/// The whole content of a segment.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(fs::read(path).map_err(data_dir::Error::file("reading", path))?)
}
