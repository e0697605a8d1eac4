//! The file system of this binary: SQLite's own, with simulated disks mounted on some directories of it.
//!
//! It is the default one, since the store opens its files by path alone. A file outside the simulated disks is opened by
//! the real file system in the same memory, so that this one has no part in it any more.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock};

use rusqlite::ffi::{self, SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::fault::Call;
use super::simulated::{Inode, Operation, State};

const SECTOR: usize = 512;

static DISKS: RwLock<BTreeMap<PathBuf, Arc<Mutex<State>>>> = RwLock::new(BTreeMap::new());

/// The file system of SQLite that was the default one.
static REAL: OnceLock<Real> = OnceLock::new();

struct Real(*mut sqlite3_vfs);

// SAFETY: a file system that is registered is never changed or freed, and its functions may be called by any thread.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

/// Files of this directory lie on a simulated disk from now on.
pub(super) fn mount(directory: PathBuf, disk: Arc<Mutex<State>>) {
    REAL.get_or_init(register);
    DISKS.write().unwrap().insert(directory, disk);
}

pub(super) fn unmount(directory: &Path) {
    DISKS.write().unwrap().remove(directory);
}

fn register() -> Real {
    // SAFETY: the default file system lives as long as the process, and so does the copy, which is leaked on purpose. All
    // functions but these two do the same for the copy, since they look at `pAppData` at most.
    unsafe {
        let real = ffi::sqlite3_vfs_find(std::ptr::null());
        let mut simulated = std::ptr::read(real);
        simulated.zName = c"simulated".as_ptr();
        simulated.pNext = std::ptr::null_mut();
        simulated.szOsFile += size_of::<File>() as c_int;
        simulated.xOpen = Some(open);
        simulated.xDelete = Some(delete);
        assert_eq!(ffi::sqlite3_vfs_register(Box::into_raw(Box::new(simulated)), 1), SQLITE_OK);
        Real(real)
    }
}

/// A file of a simulated disk. The real one lies in the same memory behind it.
#[repr(C)]
struct File {
    base: sqlite3_file,
    opened: *mut Opened,
}

struct Opened {
    disk: Arc<Mutex<State>>,
    inode: Inode,
    /// SQLite's own file system syncs the directory with the first sync of a journal or `-wal` that it may have made.
    syncs_directory: bool,
}

impl Opened {
    fn disk(&self) -> MutexGuard<'_, State> {
        self.disk.lock().unwrap()
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // The second: with memory for the `-shm`, without reading through memory.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(map),
    xShmLock: Some(lock_map),
    xShmBarrier: Some(barrier),
    xShmUnmap: Some(unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The path of a file on a simulated disk, and the disk.
///
/// # Safety
///
/// `name` is null or what SQLite gives as a file's name.
unsafe fn on_disk<'a>(name: *const c_char) -> Option<(&'a Path, Arc<Mutex<State>>)> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; the name outlives the call of the file system in which it is looked at.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()));
    let disk = DISKS.read().unwrap().get(path.parent()?).cloned()?;
    Some((path, disk))
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are SQLite's, and `file` has room for `File` and a real file behind it: see `register`.
    unsafe {
        let real = REAL.get().unwrap().0;
        let open = (*real).xOpen.unwrap();
        let Some((path, disk)) = on_disk(name) else { return open(real, name, file, flags, out_flags) };
        // SQLite closes a file only if it has methods.
        (*file).pMethods = std::ptr::null();
        if let Some(code) = disk.lock().unwrap().fails(Call::Open) {
            return code;
        }
        let made = path.symlink_metadata().is_err();
        let code = open(real, name, behind(file), flags, out_flags);
        if code != SQLITE_OK {
            return code;
        }
        let inode = disk.lock().unwrap().opened(path, made);
        let journal = flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL) != 0;
        let syncs_directory = journal && flags & ffi::SQLITE_OPEN_CREATE != 0;
        (*file.cast::<File>()).opened = Box::into_raw(Box::new(Opened { disk, inode, syncs_directory }));
        (*file).pMethods = &raw const METHODS;
        SQLITE_OK
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: the arguments are SQLite's.
    unsafe {
        let real = REAL.get().unwrap().0;
        let delete = (*real).xDelete.unwrap();
        let Some((path, disk)) = on_disk(name) else { return delete(real, name, sync_directory) };
        let mut disk = disk.lock().unwrap();
        if let Some(code) = disk.fails(Call::Delete) {
            return code;
        }
        let code = delete(real, name, 0);
        if code == SQLITE_OK {
            disk.deleted(path, sync_directory != 0);
        }
        code
    }
}

/// The real file.
///
/// # Safety
///
/// `file` is one of a simulated disk.
unsafe fn behind(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: the caller's promise.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// # Safety
///
/// `file` is an open one of a simulated disk. SQLite uses it in one thread at a time.
unsafe fn opened<'a>(file: *mut sqlite3_file) -> &'a mut Opened {
    // SAFETY: the caller's promise.
    unsafe { &mut *(*file.cast::<File>()).opened }
}

/// Calls a method of the real file.
macro_rules! real {
    ($file:ident, $method:ident $(, $argument:expr)*) => {{
        let real = behind($file);
        (*(*real).pMethods).$method.unwrap()(real $(, $argument)*)
    }};
}

/// A method that may fail, and changes nothing that is noted.
macro_rules! method {
    ($name:ident, $method:ident, $call:expr $(, $argument:ident: $type:ty)*) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: the arguments are SQLite's, and the file is open.
            unsafe {
                let fails = opened(file).disk().fails($call);
                fails.unwrap_or_else(|| real!(file, $method $(, $argument)*))
            }
        }
    };
}

/// A method that only passes on.
macro_rules! passed_on {
    ($name:ident, $method:ident $(, $argument:ident: $type:ty)*) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: the arguments are SQLite's, and the file is open.
            unsafe { real!(file, $method $(, $argument)*) }
        }
    };
}

method!(read, xRead, Call::Read, to: *mut c_void, bytes: c_int, offset: sqlite3_int64);
method!(size, xFileSize, Call::Size, bytes: *mut sqlite3_int64);
method!(lock, xLock, Call::Lock, level: c_int);
method!(map, xShmMap, Call::Map, page: c_int, bytes: c_int, extend: c_int, to: *mut *mut c_void);
passed_on!(unlock, xUnlock, level: c_int);
passed_on!(check_reserved_lock, xCheckReservedLock, reserved: *mut c_int);
passed_on!(control, xFileControl, operation: c_int, argument: *mut c_void);
passed_on!(unmap, xShmUnmap, delete: c_int);

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is open, and closed once.
    unsafe {
        let code = real!(file, xClose);
        drop(Box::from_raw((*file.cast::<File>()).opened));
        (*file).pMethods = std::ptr::null();
        code
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, bytes: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: the arguments are SQLite's: `from` has so many bytes. The file is open.
    unsafe {
        let opened = opened(file);
        let fails = opened.disk().fails(Call::Write);
        // A write that fails may have written the first sectors.
        let written = if fails.is_some() { bytes as usize / 2 / SECTOR * SECTOR } else { bytes as usize };
        let code = if written > 0 { real!(file, xWrite, from, written as c_int, offset) } else { SQLITE_OK };
        if code == SQLITE_OK && written > 0 {
            let data = || slice::from_raw_parts(from.cast::<u8>(), written).into();
            let (inode, offset) = (opened.inode, offset as usize);
            opened.disk().note(|| Operation::Write { inode, offset, data: data() });
        }
        fails.unwrap_or(code)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, bytes: sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    unsafe {
        let opened = opened(file);
        if let Some(code) = opened.disk().fails(Call::Truncate) {
            return code;
        }
        let code = real!(file, xTruncate, bytes);
        if code == SQLITE_OK {
            opened.disk().note(|| Operation::Truncate { inode: opened.inode, bytes: bytes as usize });
        }
        code
    }
}

/// Nothing waits for the real disk: this process outlives the power cuts.
unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let opened = unsafe { opened(file) };
    let (inode, syncs_directory) = (opened.inode, std::mem::take(&mut opened.syncs_directory));
    let mut disk = opened.disk();
    if let Some(code) = disk.fails(Call::Sync) {
        disk.note(|| Operation::SyncFailed { inode });
        drop(disk);
        opened.syncs_directory = syncs_directory;
        return code;
    }
    disk.note(|| Operation::Sync { inode });
    if syncs_directory {
        disk.note(|| Operation::SyncDirectory);
    }
    SQLITE_OK
}

unsafe extern "C" fn lock_map(file: *mut sqlite3_file, offset: c_int, locks: c_int, flags: c_int) -> c_int {
    // SAFETY: the arguments are SQLite's, and the file is open.
    unsafe {
        let fails = if flags & ffi::SQLITE_SHM_LOCK == 0 { None } else { opened(file).disk().fails(Call::LockMap) };
        fails.unwrap_or_else(|| real!(file, xShmLock, offset, locks, flags))
    }
}

unsafe extern "C" fn barrier(file: *mut sqlite3_file) {
    // SAFETY: the file is open.
    unsafe { real!(file, xShmBarrier) }
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    SECTOR as c_int
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is open.
    unsafe { opened(file) }.disk().characteristics
}
