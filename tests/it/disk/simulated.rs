//! A directory whose files lie on a simulated disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::ffi;
use tempfile::TempDir;

use super::fault::{Call, Fault, Plan};
use super::vfs;

/// A file, whatever its name is now.
pub(super) type Inode = usize;

/// What was done to the disk, in order.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Create {
        name: String,
        inode: Inode,
    },
    Write {
        inode: Inode,
        offset: usize,
        data: Arc<[u8]>,
    },
    Truncate {
        inode: Inode,
        bytes: usize,
    },
    Sync {
        inode: Inode,
    },
    /// What was written before it and is not synced is lost to every later sync, as Linux has it: the pages count as clean.
    SyncFailed {
        inode: Inode,
    },
    SyncDirectory,
    Delete {
        name: String,
    },
}

/// The disk under one directory, which is removed with it.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    _directory: TempDir,
}

/// What the file system knows of a disk.
#[derive(Debug, Default)]
pub(super) struct State {
    notes: bool,
    /// What it promises, as SQLite asks for it.
    pub(super) characteristics: i32,
    log: Vec<Operation>,
    names: BTreeMap<String, Inode>,
    inodes: Inode,
    plan: Option<Plan>,
    /// The calls that each fault could have hit, while no plan was there or since the last was made.
    calls: [u64; 3],
    hits: u64,
}

impl Disk {
    /// An empty disk that notes what is done to it, and promises what SQLite takes every disk to promise: that a write
    /// cut off does no harm to the bytes beside it.
    pub(super) fn new() -> Self {
        Self::promising(ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE)
    }

    /// The same, promising nothing: SQLite fills a sector up before it acknowledges what is in it.
    pub(super) fn without_promises() -> Self {
        Self::promising(0)
    }

    fn promising(characteristics: i32) -> Self {
        Self::with(State { notes: true, characteristics, ..State::default() }, &[])
    }

    /// A disk with these files that notes nothing.
    pub(super) fn holding(files: &[(String, Vec<u8>)]) -> Self {
        Self::with(State::default(), files)
    }

    fn with(state: State, files: &[(String, Vec<u8>)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        for (name, bytes) in files {
            std::fs::write(path.join(name), bytes).unwrap();
        }
        let state = Arc::new(Mutex::new(state));
        vfs::mount(path.clone(), Arc::clone(&state));
        Self { path, state, _directory: directory }
    }

    /// Where the store of the tests is.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join("tasks.db")
    }

    /// How many operations there were.
    pub(super) fn position(&self) -> usize {
        self.lock().log.len()
    }

    pub(super) fn log(&self) -> Vec<Operation> {
        self.lock().log.clone()
    }

    /// From now on the disk fails so. Calls are counted anew.
    pub(super) fn fail(&self, plan: Plan) {
        let mut state = self.lock();
        (state.plan, state.calls, state.hits) = (Some(plan), [0; 3], 0);
    }

    /// The fault ends.
    pub(super) fn repair(&self) {
        self.lock().plan = None;
    }

    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.lock().plan.map(|plan| plan.fault)
    }

    /// How many calls this fault could have hit.
    pub(super) fn calls(&self, fault: Fault) -> u64 {
        self.lock().calls[fault as usize]
    }

    /// How many calls have failed.
    pub(super) fn hits(&self) -> u64 {
        self.lock().hits
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        vfs::unmount(&self.path);
    }
}

impl State {
    /// Counts a call, and gives the result code if it is to fail.
    pub(super) fn fails(&mut self, call: Call) -> Option<i32> {
        for fault in Fault::ALL {
            self.calls[fault as usize] += u64::from(fault.code(call).is_some());
        }
        let Plan { fault, from, forever } = self.plan?;
        let code = fault.code(call)?;
        let number = self.calls[fault as usize];
        let hit = number == from || (forever && number > from);
        self.hits += u64::from(hit);
        hit.then_some(code)
    }

    /// The file of this name, which a call has opened. `made`: there was none before.
    pub(super) fn opened(&mut self, path: &Path, made: bool) -> Inode {
        let name = name_of(path);
        if let Some(inode) = self.names.get(&name).filter(|_| !made) {
            return *inode;
        }
        self.inodes += 1;
        self.names.insert(name.clone(), self.inodes);
        let inode = self.inodes;
        self.note(|| Operation::Create { name, inode });
        inode
    }

    pub(super) fn deleted(&mut self, path: &Path, synced: bool) {
        let name = name_of(path);
        self.names.remove(&name);
        self.note(|| Operation::Delete { name });
        if synced {
            self.note(|| Operation::SyncDirectory);
        }
    }

    pub(super) fn note(&mut self, operation: impl FnOnce() -> Operation) {
        if self.notes {
            self.log.push(operation());
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
