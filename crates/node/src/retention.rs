//! How long things are kept, and how much of the disk: the values of the configuration and the check of free space.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use skep_model::span::parse_duration_ms;
use skep_model::time::Timestamp;

use crate::error::Error;

/// The free space is asked this often at most.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// When old executions leave. `None`: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Milliseconds after its end, an execution is moved into the archive.
    pub archive_after_ms: Option<u64>,
    /// Milliseconds after its end, its file is removed.
    pub delete_after_ms: Option<u64>,
}

impl Retention {
    /// What ended before this is archived.
    pub(crate) fn archive_before(&self, now: Timestamp) -> Option<Timestamp> {
        self.archive_after_ms.map(|after| minus(now, after))
    }

    /// The file of what ended before this is removed.
    pub(crate) fn delete_before(&self, now: Timestamp) -> Option<Timestamp> {
        self.delete_after_ms.map(|after| minus(now, after))
    }
}

fn minus(now: Timestamp, milliseconds: u64) -> Timestamp {
    let microseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX).saturating_mul(1_000);
    Timestamp(now.0.saturating_sub(microseconds))
}

/// A length of time in milliseconds, or `off`; `None` if it is neither.
pub(crate) fn after(text: &str) -> Option<Option<u64>> {
    if text.trim() == "off" { Some(None) } else { parse_duration_ms(text.trim()).map(Some) }
}

/// A size: a whole number with a unit, or of bytes.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let with_unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (number, factor) = with_unit.unwrap_or((text.strip_suffix('B').unwrap_or(text), 1));
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}

/// Refuses new work while the disk is nearly full.
pub(crate) struct Reserve {
    folder: PathBuf,
    reserve_bytes: u64,
    free: fn(&Path) -> Option<u64>,
    asked: Mutex<Option<(Instant, Option<u64>)>>,
}

impl Reserve {
    pub fn new(folder: &Path, reserve_bytes: u64) -> Self {
        Self { folder: folder.to_owned(), reserve_bytes, free: free_bytes, asked: Mutex::new(None) }
    }

    /// [`Error::DiskReserve`] if less is free than is kept. What cannot be asked is no obstacle.
    pub fn check(&self, now: Instant) -> Result<(), Error> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let free = match *asked {
            Some((at, free)) if now.saturating_duration_since(at) < ASK_INTERVAL => free,
            Some(_) | None => (self.free)(&self.folder),
        };
        if asked.is_none_or(|(at, _)| now.saturating_duration_since(at) >= ASK_INTERVAL) {
            *asked = Some((now, free));
        }
        match free {
            Some(free_bytes) if free_bytes < self.reserve_bytes => {
                Err(Error::DiskReserve { free_bytes, reserve_bytes: self.reserve_bytes })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn times_and_sizes_are_read() {
        assert_eq!(after("off"), Some(None));
        assert_eq!(after("30d"), Some(Some(30 * 86_400_000)));
        assert_eq!(after("soon"), None);
        for (text, expect) in [
            ("0", Some(0)),
            ("256MiB", Some(256 << 20)),
            ("2 GB", Some(2_000_000_000)),
            ("7B", Some(7)),
            ("much", None),
            ("-1", None),
        ] {
            assert_eq!(bytes(text), expect, "{text}");
        }
    }

    static ASKED: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn little_space_refuses_and_is_asked_once_a_second() {
        let free = |_: &Path| Some(9 + ASKED.fetch_add(1, Ordering::Relaxed));
        let reserve = Reserve { free, ..Reserve::new(Path::new("/"), 10) };
        let start = Instant::now();
        for ms in [0, 500, 999] {
            let error = reserve.check(start + Duration::from_millis(ms)).unwrap_err();
            assert_eq!((error.code().id, error.class()), ("SKEP-N041", crate::ErrorClass::Full));
        }
        reserve.check(start + Duration::from_millis(1_000)).unwrap();
        assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    }
}
