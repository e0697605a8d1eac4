//! What a process holds of the machine.

use std::fs;
use std::path::Path;

use crate::support::files::beside;

/// What may be more at the end than after the warm-up.
const MEMORY_KIB_MAX: u64 = 1_024;
/// SQLite merges a `-wal` at a thousand pages; what is written while a reader is at work comes on top.
const WAL_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug)]
pub(super) struct Resources {
    descriptors: usize,
    memory_kib: u64,
    wal_bytes: u64,
}

impl Resources {
    #[allow(clippy::disallowed_methods)] // No file of a store.
    pub(super) fn now(path: &Path) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        Self {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            memory_kib: line.trim().trim_end_matches(" kB").parse().unwrap(),
            wal_bytes: fs::metadata(beside(path, "-wal")).map_or(0, |metadata| metadata.len()),
        }
    }
}

/// What has grown, if anything has.
pub(super) fn growth(before: &Resources, after: &Resources) -> Option<String> {
    if after.descriptors > before.descriptors {
        return Some(format!("descriptors: {before:?}, then {after:?}"));
    }
    if after.memory_kib > before.memory_kib + MEMORY_KIB_MAX {
        return Some(format!("memory: {before:?}, then {after:?}"));
    }
    (after.wal_bytes > WAL_BYTES_MAX).then(|| format!("the -wal: {after:?}"))
}
