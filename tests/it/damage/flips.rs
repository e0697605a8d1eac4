//! One to eight bits of a file are flipped, again and again.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, process, thread};

use tempfile::TempDir;

use super::look::{Seen, Way, check_only, look};
use super::original::{Kind, Original};
use super::random::Random;
use super::tally::{Tallies, Tally};
use crate::support::children::{command, role, run, say};
use crate::support::files::beside;

/// How many files, and the number from which each gets its damage.
const ROUNDS: &str = "TASKSTORE_TEST_ROUNDS";
const SEED: &str = "TASKSTORE_TEST_SEED";

/// How long looking at one file may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// Sound files, what is seen in them, and the place where they are damaged.
struct Damaging {
    original: Original,
    path: PathBuf,
    of_database: Seen,
    of_wal: Seen,
}

impl Damaging {
    fn new(directory: &Path) -> Self {
        let original = Original::make(directory);
        let path = directory.join("tasks.db");
        put(&path, &original.database, None);
        let of_database = look(&path, Way::Honest);
        put(&path, &original.database_of_wal, Some(&original.wal));
        let of_wal = look(&path, Way::Honest);
        for sound in [&of_database, &of_wal] {
            assert_eq!((&sound.errors[..], sound.findings.as_deref()), (&[][..], Some(&[][..])));
        }
        assert_ne!(of_database.shown, of_wal.shown);
        Self { original, path, of_database, of_wal }
    }

    fn sound(&self, kind: Kind) -> &Seen {
        if kind == Kind::Wal { &self.of_wal } else { &self.of_database }
    }

    /// What is seen when these bits are flipped: of each the byte and which one.
    fn flipped(&self, kind: Kind, bits: &[(usize, u32)], way: Way) -> Seen {
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bits.iter().for_each(|(byte, bit)| bytes[*byte] ^= 1 << bit);
            bytes
        };
        if kind == Kind::Wal {
            put(&self.path, &self.original.database_of_wal, Some(&flip(&self.original.wal)));
        } else {
            put(&self.path, &flip(&self.original.database), None);
        }
        look(&self.path, way)
    }

    fn random_bits(&self, kind: Kind, random: &mut Random) -> Vec<(usize, u32)> {
        let ranges = self.original.ranges(kind);
        let count = 1 + random.below(8);
        let bits = (0..count).map(|_| {
            let range = &ranges[random.below(ranges.len())];
            (range.start + random.below(range.len()), random.below(8) as u32)
        });
        bits.collect()
    }
}

/// A file, with nothing left beside it of one before.
fn put(path: &Path, database: &[u8], wal: Option<&[u8]>) {
    for end in ["-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(beside(path, end));
    }
    fs::write(path, database).unwrap();
    if let Some(wal) = wal {
        fs::write(beside(path, "-wal"), wal).unwrap();
    }
}

/// In memory, where there is such a place: nothing here waits for a disk.
fn directory() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }.unwrap()
}

/// Damages one file after the other, and tells of each before: the last one told is the one that ends the process.
fn flip_without_end(directory: &Path, done: &mpsc::Sender<()>) {
    let damaging = Damaging::new(directory);
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    let first = number(SEED, 1);
    for seed in first..first + number(ROUNDS, 500) {
        let mut random = Random(seed);
        let kind = Kind::ALL[random.below(Kind::ALL.len())];
        let bits = damaging.random_bits(kind, &mut random);
        let again = format!("{SEED}={seed} {ROUNDS}=1, bits in {kind:?}: {bits:?}");
        eprintln!("{again}");
        let seen = catch_unwind(AssertUnwindSafe(|| damaging.flipped(kind, &bits, Way::Honest)));
        let seen = seen.unwrap_or_else(|_| panic!("a panic, {again}"));
        assert!(seen.nameless.is_empty(), "an error that says nothing, {again}: {:#?}", seen.nameless);
        tallies.entry(kind).or_default().add(damaging.sound(kind), &seen);
        if seed % 5 == 0 {
            // As it is by now, with what has been written to it.
            let nameless = check_only(&damaging.path).nameless;
            assert!(nameless.is_empty(), "a check that fails, {again}: {nameless:#?}");
        }
        done.send(()).unwrap();
    }
    Tallies(tallies).to_string().lines().for_each(say);
}

const TEST: &str = "damage::flips::flipped_bits_make_no_panic_and_no_hang_and_each_error_has_a_name";

/// In a process of its own, which a crash of SQLite or a hang may end.
#[test]
fn flipped_bits_make_no_panic_and_no_hang_and_each_error_has_a_name() {
    if let Some((_, directory)) = role() {
        let (done, next) = mpsc::channel();
        let worker = thread::spawn(move || flip_without_end(&directory, &done));
        loop {
            match next.recv_timeout(PATIENCE) {
                Ok(()) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return worker.join().unwrap(),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    eprintln!("a hang");
                    process::exit(1);
                }
            }
        }
    }
    let directory = directory();
    eprintln!("{}", run(command(TEST, "flip", directory.path())).join("\n"));
}

/// What a tally says of files in each of which one page of tables or indexes is of no kind any more.
fn complaints(way: Way, kind: Kind) -> Vec<&'static str> {
    let directory = directory();
    let damaging = Damaging::new(directory.path());
    let mut tally = Tally::default();
    for page in damaging.original.ranges(kind) {
        // The kind of a page is the first byte. A page of text that went over has none.
        if [2, 5, 10, 13].contains(&damaging.original.database[page.start]) {
            tally.add(damaging.sound(kind), &damaging.flipped(kind, &[(page.start, 6)], way));
        }
    }
    tally.complaints()
}

#[test]
fn a_page_that_is_of_no_kind_is_always_reported_and_mostly_met() {
    for kind in [Kind::Table, Kind::Index] {
        assert_eq!(complaints(Way::Honest, kind), [""; 0], "{kind:?}");
    }
}

/// The controls.
#[test]
fn a_check_that_finds_nothing_and_a_reader_that_passes_over_errors_are_caught() {
    let blind = "check overlooks a page that is of no kind";
    assert_eq!(complaints(Way::ChecksNothing, Kind::Index), [blind]);
    assert_eq!(complaints(Way::IgnoresErrors, Kind::Table), ["errors are passed over"]);
}
