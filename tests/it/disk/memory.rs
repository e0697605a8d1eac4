//! Memory for SQLite that runs out where a test says so.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{self, SQLITE_OK, sqlite3_mem_methods};

use taskstore::Error;

use super::life::Trouble;

/// What SQLite's own memory comes from.
static REAL: OnceLock<Real> = OnceLock::new();

struct Real {
    malloc: unsafe extern "C" fn(c_int) -> *mut c_void,
    realloc: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
}

/// The requests of this thread: so no other is hit.
#[derive(Clone, Copy)]
struct Requests {
    number: u64,
    /// The one that fails, and whether all behind it do.
    fails: Option<(u64, bool)>,
    hits: u64,
}

thread_local! {
    static REQUESTS: Cell<Requests> = const { Cell::new(Requests { number: 0, fails: None, hits: 0 }) };
}

/// Memory of this thread, of which every request is counted.
#[derive(Debug)]
pub(super) struct Memory(());

impl Memory {
    /// To be called before SQLite is used by this process in any way.
    pub(super) fn watched() -> Self {
        // SAFETY: SQLite is not in use, and the functions live as long as the process.
        unsafe {
            let mut methods: sqlite3_mem_methods = std::mem::zeroed();
            assert_eq!(ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods), SQLITE_OK);
            let watched = sqlite3_mem_methods { xMalloc: Some(malloc), xRealloc: Some(realloc), ..methods };
            let real = Real { malloc: methods.xMalloc.unwrap(), realloc: methods.xRealloc.unwrap() };
            assert!(REAL.set(real).is_ok(), "it is watched once");
            assert_eq!(ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const watched), SQLITE_OK);
        }
        Self(())
    }

    /// From now on the request of this number fails, counted from here, and all behind it if it is for ever.
    pub(super) fn fail(&self, number: u64, forever: bool) {
        REQUESTS.set(Requests { number: 0, fails: Some((number, forever)), hits: 0 });
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> u64 {
        REQUESTS.get().number
    }
}

impl Trouble for Memory {
    fn hits(&self) -> u64 {
        REQUESTS.get().hits
    }

    fn explains(&self, error: &Error) -> bool {
        matches!(error, Error::OutOfMemory { .. } | Error::OutcomeUnknown { .. })
    }

    fn end(&self) {
        REQUESTS.set(Requests { fails: None, ..REQUESTS.get() });
    }
}

fn fails() -> bool {
    // A thread that is ending has all the memory that it wants.
    let asked = REQUESTS.try_with(|requests| {
        let mut now = requests.get();
        now.number += 1;
        let hit = now.fails.is_some_and(|(from, forever)| now.number == from || (forever && now.number > from));
        now.hits += u64::from(hit);
        requests.set(now);
        hit
    });
    asked.unwrap_or(false)
}

unsafe extern "C" fn malloc(bytes: c_int) -> *mut c_void {
    if fails() {
        return ptr::null_mut();
    }
    // SAFETY: what SQLite asks for goes on to its own function.
    unsafe { (REAL.get().unwrap().malloc)(bytes) }
}

unsafe extern "C" fn realloc(memory: *mut c_void, bytes: c_int) -> *mut c_void {
    if fails() {
        return ptr::null_mut();
    }
    // SAFETY: as above.
    unsafe { (REAL.get().unwrap().realloc)(memory, bytes) }
}
