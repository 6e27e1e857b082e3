//! The socket file, also where its path is longer than an address may be.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use skep_node::DataDir;
use tokio::net::{UnixListener, UnixStream};

/// Bytes of a path that fit into a socket address, without the final NUL.
const ADDRESS_BYTES_MAX: usize = 107;

/// A path that fits into an address, and what keeps it valid.
struct Address {
    path: PathBuf,
    _folder: Option<OwnedFd>,
}

/// Listens; a file that is in the way is a dead owner's, because the caller holds the lock.
pub(super) fn bind(directory: &DataDir) -> io::Result<UnixListener> {
    let path = directory.socket();
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    UnixListener::bind(&address_of(&path)?.path)
}

/// Connects to the owner.
pub(super) async fn connect(directory: &DataDir) -> io::Result<UnixStream> {
    let address = address_of(&directory.socket())?;
    UnixStream::connect(&address.path).await
}

fn address_of(path: &Path) -> io::Result<Address> {
    if path.as_os_str().len() <= ADDRESS_BYTES_MAX {
        return Ok(Address { path: path.to_owned(), _folder: None });
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket's path has no folder"));
    };
    let folder = openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok(Address { path: short, _folder: Some(folder) })
}

/// Takes the socket file away, while the lock is still held.
pub(super) fn remove(directory: &DataDir) {
    if let Err(error) = std::fs::remove_file(directory.socket()) {
        tracing::debug!("the socket file could not be removed: {error}");
    }
}
