//! What a power cut leaves of a disk.
//!
//! What was synced stays. Of what was written to a file since its last sync, the disk may have any part: nothing, all, the
//! first writes, some writes, or some sectors of some writes, and where a sector was being written there may be anything.
//! The same holds for the names of files: they are durable when their directory was synced.

use std::collections::BTreeMap;

use super::random::Random;
use super::simulated::{Inode, Operation};

const SECTOR: usize = 512;

/// What a sync of the disk is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syncs {
    Honoured,
    /// The disk says that it has synced, and has not.
    Ignored,
}

/// A disk while it runs: what is durable, and what is not yet.
pub(super) struct Volume {
    syncs: Syncs,
    files: BTreeMap<Inode, FileOnDisk>,
    names: BTreeMap<String, Inode>,
    unsynced_names: Vec<Renaming>,
}

#[derive(Default)]
struct FileOnDisk {
    durable: Vec<u8>,
    unsynced: Vec<Operation>,
}

#[derive(Clone)]
struct Renaming {
    name: String,
    inode: Option<Inode>,
}

impl Volume {
    pub(super) fn new(syncs: Syncs) -> Self {
        Self { syncs, files: BTreeMap::new(), names: BTreeMap::new(), unsynced_names: Vec::new() }
    }

    pub(super) fn run(&mut self, operation: &Operation) {
        match operation {
            Operation::Create { name, inode } => {
                self.unsynced_names.push(Renaming { name: name.clone(), inode: Some(*inode) });
            }
            Operation::Delete { name } => self.unsynced_names.push(Renaming { name: name.clone(), inode: None }),
            Operation::Write { inode, .. } | Operation::Truncate { inode, .. } => {
                self.files.entry(*inode).or_default().unsynced.push(operation.clone());
            }
            Operation::Sync { inode } if self.syncs == Syncs::Honoured => {
                let FileOnDisk { durable, unsynced } = self.files.entry(*inode).or_default();
                unsynced.drain(..).for_each(|operation| apply(durable, &operation));
            }
            Operation::SyncDirectory if self.syncs == Syncs::Honoured => {
                for renaming in self.unsynced_names.drain(..) {
                    rename(&mut self.names, &renaming);
                }
            }
            Operation::SyncFailed { inode } => self.files.entry(*inode).or_default().unsynced.clear(),
            Operation::Sync { .. } | Operation::SyncDirectory => {}
        }
    }

    /// The files that a power cut now may leave.
    pub(super) fn cut(&self, random: &mut Random) -> Vec<(String, Vec<u8>)> {
        let mut names = self.names.clone();
        let kept = random.within(0..self.unsynced_names.len() + 1);
        self.unsynced_names.iter().take(kept).for_each(|renaming| rename(&mut names, renaming));
        self.contents(names, |file| {
            let mut bytes = file.durable.clone();
            keep_some(&mut bytes, &file.unsynced, random);
            bytes
        })
    }

    /// The files that are left if only the process ends.
    pub(super) fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let mut names = self.names.clone();
        self.unsynced_names.iter().for_each(|renaming| rename(&mut names, renaming));
        self.contents(names, |file| {
            let mut bytes = file.durable.clone();
            file.unsynced.iter().for_each(|operation| apply(&mut bytes, operation));
            bytes
        })
    }

    /// The files that are left if nothing is kept that was not synced.
    pub(super) fn synced(&self) -> Vec<(String, Vec<u8>)> {
        self.contents(self.names.clone(), |file| file.durable.clone())
    }

    fn contents(
        &self,
        names: BTreeMap<String, Inode>,
        mut contents: impl FnMut(&FileOnDisk) -> Vec<u8>,
    ) -> Vec<(String, Vec<u8>)> {
        let empty = FileOnDisk::default();
        names.into_iter().map(|(name, inode)| (name, contents(self.files.get(&inode).unwrap_or(&empty)))).collect()
    }
}

fn rename(names: &mut BTreeMap<String, Inode>, Renaming { name, inode }: &Renaming) {
    match inode {
        Some(inode) => names.insert(name.clone(), *inode),
        None => names.remove(name),
    };
}

fn apply(bytes: &mut Vec<u8>, operation: &Operation) {
    match operation {
        Operation::Write { offset, data, .. } => put(bytes, *offset, data),
        Operation::Truncate { bytes: length, .. } => bytes.resize(*length, 0),
        other => unreachable!("{other:?} is not of one file"),
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

/// Since a sector that was written twice may be of either time, what is kept may also be as if it had been reordered.
fn keep_some(bytes: &mut Vec<u8>, unsynced: &[Operation], random: &mut Random) {
    match random.within(0..6) {
        0 => {}
        1 => unsynced.iter().for_each(|operation| apply(bytes, operation)),
        2 => {
            let kept = random.within(0..unsynced.len() + 1);
            unsynced.iter().take(kept).for_each(|operation| apply(bytes, operation));
        }
        3 => {
            for operation in unsynced {
                if random.once_in(2) {
                    apply(bytes, operation);
                }
            }
        }
        _ => unsynced.iter().for_each(|operation| tear(bytes, operation, random)),
    }
}

fn tear(bytes: &mut Vec<u8>, operation: &Operation, random: &mut Random) {
    let Operation::Write { offset, data, .. } = operation else {
        return if random.once_in(2) {
            apply(bytes, operation)
        };
    };
    let mut start = 0;
    while start < data.len() {
        let end = data.len().min((offset + start) / SECTOR * SECTOR + SECTOR - offset);
        match random.within(0..9) {
            0..=3 => {}
            4..=7 => put(bytes, offset + start, &data[start..end]),
            _ => {
                let junk: Vec<u8> = (start..end).map(|_| random.next() as u8).collect();
                put(bytes, offset + start, &junk);
            }
        }
        start = end;
    }
}
