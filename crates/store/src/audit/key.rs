//! The key of the MACs: 32 bytes of the system's randomness, as text in a file of mode 600.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::place::Error;
use crate::data_dir;

/// What the system gives its chance from.
const RANDOMNESS: &str = "/dev/urandom";
/// Nobody else may read a key, a mark, a head or a segment.
pub(super) const FILE_MODE: u32 = 0o600;

/// The secret that only owners and verifiers have.
#[derive(Clone)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// A new one.
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        let read = File::open(RANDOMNESS).and_then(|mut file| file.read_exact(&mut bytes));
        read.map_err(data_dir::Error::file("reading randomness from", Path::new(RANDOMNESS)))?;
        Ok(Self(bytes))
    }

    /// The one in `path`; `None` if there is no such file.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                return Err(Error::NoKey { path: path.to_owned() });
            }
            Err(cause) => return Err(data_dir::Error::file("reading", path)(cause).into()),
        };
        let bytes = blake3::Hash::from_hex(text.trim()).map_err(|_| Error::NoKey { path: path.to_owned() })?;
        Ok(Some(Self(*bytes.as_bytes())))
    }

    /// Makes its file, which must not exist.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        write_whole(path, format!("{}\n", blake3::Hash::from_bytes(self.0).to_hex()).as_bytes())?;
        Ok(data_dir::sync_folder(path.parent().unwrap_or(Path::new("/")))?)
    }

    /// The MAC of `bytes` after `previous`, for one purpose.
    pub(super) fn mac(&self, purpose: &[u8], previous: &blake3::Hash, bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(purpose).update(previous.as_bytes()).update(bytes);
        hasher.finalize()
    }
}

/// Puts `bytes` durably in the place of `path`: all of the old file or all of the new one is there at any moment.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), data_dir::Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".new-{name}"));
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(data_dir::Error::file("writing", &new))?;
    fs::rename(&new, path).map_err(data_dir::Error::file("renaming to", path))
}
