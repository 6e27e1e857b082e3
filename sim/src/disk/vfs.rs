//! The disk as a file system of SQLite's. The only unsafe code of the simulator: it stands between C and [`State`].
//!
//! One VFS is registered for the process; a path `/DISK/NAME` says on which disk a file lies.
#![allow(unsafe_code, reason = "SQLite calls a file system through C function pointers")]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi;

use super::shared::{Attached, Shared};
use super::state::{Code, FileId, State};

/// The name under which it is registered.
pub const NAME: &str = "skep-sim";
const NAME_C: &CStr = c"skep-sim";
/// Longest path, with the end of the text.
const PATH_BYTES_MAX: c_int = 256;
/// What the file system of Unix says, so that SQLite works as it does in an owner.
const SECTOR_BYTES_REPORTED: c_int = 4096;

type Disks = Mutex<HashMap<u64, Arc<Mutex<State>>>>;

fn disks() -> &'static Disks {
    static DISKS: OnceLock<Disks> = OnceLock::new();
    DISKS.get_or_init(Disks::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a disk known to SQLite.
pub fn mount(number: u64, state: &Arc<Mutex<State>>) {
    register();
    lock(disks()).insert(number, Arc::clone(state));
}

/// Forgets a disk. Open handles keep it.
pub fn unmount(number: u64) {
    lock(disks()).remove(&number);
}

/// The disk and the name that a path means.
fn find(path: &str) -> Option<(Arc<Mutex<State>>, String)> {
    let (disk, name) = path.strip_prefix('/')?.split_once('/')?;
    let state = lock(disks()).get(&disk.parse().ok()?).cloned()?;
    Some((state, name.to_owned()))
}

/// An open file, behind SQLite's pointer.
struct Open {
    disk: Arc<Mutex<State>>,
    file: FileId,
    life: u64,
    /// A write-ahead log or a journal: its first sync syncs the folder too, as on Unix.
    syncs_folder: bool,
    /// SQLite's lock level.
    level: c_int,
    attached: Option<Attached>,
}

/// What SQLite allocates for a file: its own part first, then ours.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn register() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: c_int::try_from(size_of::<Handle>()).expect("a handle is small"),
            mxPathname: PATH_BYTES_MAX,
            pNext: ptr::null_mut(),
            zName: NAME_C.as_ptr(),
            pAppData: ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_path),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(last_error),
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the structure is complete, valid for ever (leaked), and not the default file system.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a file system with a new name");
    });
}

/// The open file behind SQLite's pointer.
///
/// # Safety
/// `file` must come from [`open`] and not have been closed, and nobody else may use it meanwhile: SQLite calls one
/// method of a file at a time.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: SQLite allocated `szOsFile` bytes for it, and `open` has put a leaked box there.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

/// Text of C, or `None` for a null pointer.
///
/// # Safety
/// `text` must be null or end with a zero byte.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: not null, and it ends, as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }).and_then(|text| text.to_str().ok())
}

fn code(result: Result<(), Code>) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(code) => code,
    }
}

fn offset(at: i64) -> usize {
    usize::try_from(at).expect("SQLite's offsets are not negative")
}

fn length(bytes: c_int) -> usize {
    usize::try_from(bytes).expect("SQLite's lengths are not negative")
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let handle = file.cast::<Handle>();
    // SAFETY: SQLite hands over `szOsFile` bytes; without methods it does not call `close`.
    unsafe { (*handle).base.pMethods = ptr::null() };
    // SAFETY: SQLite's names end with a zero byte or are null.
    let path = unsafe { text(name) };
    // A file without a name lies in memory and never outlives its handle, so any disk will do: an own one.
    let (disk, name) = match path.map(find) {
        Some(Some((disk, name))) => (disk, Some(name)),
        Some(None) => return ffi::SQLITE_CANTOPEN,
        None => (Arc::new(Mutex::new(State::new(0))), None),
    };
    let opened = {
        let mut state = lock(&disk);
        if state.is_dead() {
            return ffi::SQLITE_CANTOPEN;
        }
        let id = match name {
            Some(name) => state.open(&name, flags & ffi::SQLITE_OPEN_CREATE != 0),
            None => Some(state.anonymous()),
        };
        id.map(|id| (id, state.life))
    };
    let Some((id, life)) = opened else { return ffi::SQLITE_CANTOPEN };
    let syncs_folder = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
    let open = Box::new(Open { disk, file: id, life, syncs_folder, level: ffi::SQLITE_LOCK_NONE, attached: None });
    // SAFETY: as above; `out_flags` may be null.
    unsafe {
        (*handle).open = Box::into_raw(open);
        (*handle).base.pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let handle = file.cast::<Handle>();
    // SAFETY: `open` leaked the box, and SQLite closes a file once.
    let mut open = unsafe { Box::from_raw((*handle).open) };
    set_level(&mut open, ffi::SQLITE_LOCK_NONE);
    if let Some(mut attached) = open.attached.take() {
        attached.release(0, 8);
    }
    // SAFETY: SQLite's own part; null methods say that it is closed.
    unsafe { (*handle).base.pMethods = ptr::null() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, bytes: c_int, at: i64) -> c_int {
    // SAFETY: an open file of ours, and a buffer of `bytes` bytes.
    let (open, into) = unsafe { (opened(file), std::slice::from_raw_parts_mut(into.cast::<u8>(), length(bytes))) };
    code(lock(&open.disk).read(open.life, open.file, offset(at), into))
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, bytes: c_int, at: i64) -> c_int {
    // SAFETY: an open file of ours, and `bytes` bytes to write.
    let (open, from) = unsafe { (opened(file), std::slice::from_raw_parts(from.cast::<u8>(), length(bytes))) };
    code(lock(&open.disk).write(open.life, open.file, offset(at), from))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    code(lock(&open.disk).truncate(open.life, open.file, offset(size)))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    let result = lock(&open.disk).sync(open.life, open.file, open.syncs_folder);
    if result.is_ok() {
        open.syncs_folder = false;
    }
    code(result)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: an open file of ours, and a place for the answer.
    unsafe {
        let open = opened(file);
        *size = i64::try_from(lock(&open.disk).files[open.file].len()).expect("files are small");
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    if level <= open.level || may_lock(open, level) {
        if level > open.level {
            set_level(open, level);
        }
        return ffi::SQLITE_OK;
    }
    ffi::SQLITE_BUSY
}

unsafe extern "C" fn unlock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    if level < open.level {
        set_level(open, level);
    }
    ffi::SQLITE_OK
}

/// Whether nobody else stands in the way of this level.
fn may_lock(open: &Open, level: c_int) -> bool {
    let state = lock(&open.disk);
    let mut others = state.locks.get(&open.file).copied().unwrap_or_default();
    others.shared -= u32::from(open.level >= ffi::SQLITE_LOCK_SHARED && open.life == state.life);
    others.reserved -= u32::from(open.level >= ffi::SQLITE_LOCK_RESERVED && open.life == state.life);
    match level {
        ffi::SQLITE_LOCK_SHARED => others.exclusive == 0,
        ffi::SQLITE_LOCK_RESERVED => others.reserved == 0 && others.exclusive == 0,
        _ => others.shared == 0 && others.reserved == 0 && others.exclusive == 0,
    }
}

fn set_level(open: &mut Open, level: c_int) {
    let mut state = lock(&open.disk);
    // The locks of an earlier life went with it.
    if open.life == state.life {
        let locks = state.locks.entry(open.file).or_default();
        let change = |count: &mut u32, least: c_int| match (open.level >= least, level >= least) {
            (false, true) => *count += 1,
            (true, false) => *count -= 1,
            (true, true) | (false, false) => {}
        };
        change(&mut locks.shared, ffi::SQLITE_LOCK_SHARED);
        change(&mut locks.reserved, ffi::SQLITE_LOCK_RESERVED);
        change(&mut locks.exclusive, ffi::SQLITE_LOCK_EXCLUSIVE);
    }
    drop(state);
    open.level = level;
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file of ours, and a place for the answer.
    unsafe {
        let open = opened(file);
        let reserved = lock(&open.disk).locks.get(&open.file).is_some_and(|locks| locks.reserved > 0);
        *out = c_int::from(reserved);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_file: *mut ffi::sqlite3_file, _operation: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_BYTES_REPORTED
}

unsafe extern "C" fn characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    if open.attached.is_none() {
        let mut state = lock(&open.disk);
        if open.life != state.life || state.is_dead() {
            return ffi::SQLITE_IOERR_SHMOPEN;
        }
        let shared = state.shared.entry(open.file).or_insert_with(|| Arc::new(Mutex::new(Shared::default())));
        open.attached = Some(Attached::new(Arc::clone(shared)));
    }
    let attached = open.attached.as_ref().expect("it was attached just now");
    let address = lock(&attached.shared).region(length(region), length(size), extend != 0);
    // SAFETY: a place for the answer. The region stays where it is as long as this handle is attached.
    unsafe { *out = address.cast::<c_void>() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    let Some(attached) = &mut open.attached else { return ffi::SQLITE_IOERR_SHMLOCK };
    let (first, count) = (length(first), length(count));
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        attached.release(first, count);
        return ffi::SQLITE_OK;
    }
    let taken = match flags & ffi::SQLITE_SHM_SHARED != 0 {
        true => attached.read(first, count),
        false => attached.write(first, count),
    };
    if taken { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, remove: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let open = unsafe { opened(file) };
    if let Some(mut attached) = open.attached.take() {
        attached.release(0, 8);
    }
    let mut state = lock(&open.disk);
    if remove != 0 && open.life == state.life {
        state.shared.remove(&open.file);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite's names end with a zero byte.
    match unsafe { text(name) }.and_then(find) {
        Some((disk, name)) => code(lock(&disk).delete(&name, sync_folder != 0)),
        None => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, _flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: SQLite's names end with a zero byte, and there is a place for the answer.
    unsafe {
        let found = text(name).and_then(find);
        *out = c_int::from(found.is_some_and(|(disk, name)| {
            let state = lock(&disk);
            // An empty file is as good as none, as on Unix.
            state.names.get(&name).is_some_and(|file| state.files[*file].len() > 0)
        }));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    bytes: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > length(bytes) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has `bytes` bytes, which are enough.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr().cast::<c_char>(), out, name.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_vfs: *mut ffi::sqlite3_vfs, bytes: c_int, out: *mut c_char) -> c_int {
    // SAFETY: `out` has `bytes` bytes.
    unsafe { ptr::write_bytes(out, 7, length(bytes)) };
    bytes
}

/// Nobody sleeps in the simulator: whoever holds a lock gives it back within the same call, or never.
unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: a place for the answer.
    unsafe { *out = 0.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_int64(_vfs: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: a place for the answer.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_vfs: *mut ffi::sqlite3_vfs, _bytes: c_int, _out: *mut c_char) -> c_int {
    0
}
