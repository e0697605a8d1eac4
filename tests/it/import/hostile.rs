//! Files that somebody has changed at will.

use std::hash::{BuildHasher, RandomState};

use super::world::steps;
use super::{exported, world::World};
use crate::support::{everything, rounds, start, temporary};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use taskstore::{Error, TaskStore};

const SEED: &str = "TASKSTORE_TEST_SEED";

/// Numbers that come of a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 27)) >> 16).unwrap() % bound
    }
}

/// What is put in: values of other kinds, numbers at the ends, members twice, what ends a line or a file.
const PIECES: [&str; 24] = [
    "null",
    "-1",
    "0",
    "1",
    "2",
    "9223372036854775807",
    "9223372036854775808",
    "1e400",
    "\"\"",
    "{}",
    "[]",
    "true",
    "\n",
    "\"key\":\"k\"",
    "\"finished\"",
    "\"1677-09-21T00:12:43.145224193Z\"",
    "\"2262-04-11T23:47:16.854775807Z\"",
    "\"9999-12-31T23:59:60Z\"",
    "\\u0000",
    "\\ud800",
    "\u{0}",
    "\"error\"",
    "{\"end\":{}}",
    "2026",
];

/// Changes some places of a file.
fn changed(lines: &str, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = lines.as_bytes().to_vec();
    for _ in 0..=chance.below(3) {
        let place = chance.below(bytes.len());
        match chance.below(6) {
            0 => bytes[place] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(place..(place + 1 + chance.below(40)).min(bytes.len()))),
            2 => {
                let piece = PIECES[chance.below(PIECES.len())];
                bytes.splice(place..place, piece.bytes());
            }
            3 => {
                // In place of a value.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let values: Vec<_> = text.match_indices(':').map(|(place, _)| place + 1).collect();
                let Some(begin) = values.get(chance.below(values.len().max(1))) else { continue };
                let end = text[*begin..].find([',', '}']).map_or(text.len(), |end| begin + end);
                let piece = PIECES[chance.below(PIECES.len())];
                bytes = [&text[..*begin], piece, &text[end..]].concat().into_bytes();
            }
            4 => {
                let mut all: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (one, other) = (chance.below(all.len()), chance.below(all.len()));
                all.swap(one, other);
                bytes = all.join(&b'\n');
            }
            _ => {
                let mut all: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (from, to) = (chance.below(all.len()), chance.below(all.len()));
                all.insert(to, all[from].clone());
                bytes = all.join(&b'\n');
            }
        }
        if bytes.is_empty() {
            bytes.push(b'\n');
        }
    }
    bytes
}

fn target() -> TaskStore {
    let store = temporary();
    start(&store, "before");
    store.system_tasks().start("Copy", None).unwrap().finish().unwrap();
    store
}

#[test]
fn a_file_that_was_changed_at_will_is_imported_whole_or_not_at_all() {
    let seed = std::env::var(SEED).map_or_else(|_| RandomState::new().hash_one(()), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let mut chance = Chance(seed);
    let (mut refused, mut taken) = (0, 0);
    let (mut store, mut lines) = (target(), String::new());
    let (mut before, mut shown) = (exported(&store), everything(&store));
    for round in 0..rounds(200) {
        if round % 20 == 0 {
            let steps = steps().new_tree(&mut runner).unwrap().current();
            lines = exported(&World::of(&steps).store);
        }
        match store.import(changed(&lines, &mut chance).as_slice()) {
            Ok(_) => {
                assert_eq!(store.check().unwrap(), [], "{SEED}={seed}, round {round}");
                assert_eq!(everything(&store).tasks[..shown.tasks.len()], shown.tasks, "{SEED}={seed}, round {round}");
                taken += 1;
                store = target();
                (before, shown) = (exported(&store), everything(&store));
            }
            Err(Error::ImportRefused { .. }) => {
                refused += 1;
                assert_eq!(exported(&store), before, "{SEED}={seed}, round {round}");
            }
            Err(other) => panic!("{other:?} with {SEED}={seed}, round {round}"),
        }
    }
    assert_eq!(store.check().unwrap(), []);
    // Both happen: some changes do no harm.
    assert!(refused > 0 && taken > 0, "{refused} refused, {taken} taken, {SEED}={seed}");
}
