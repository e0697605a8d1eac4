//! Files that somebody has changed at will.

use super::world::steps;
use super::{exported, world::World};
use crate::support::random::Random;
use crate::support::{everything, rounds, start, temporary};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use taskstore::{Error, TaskStore};

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
fn changed(lines: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = lines.as_bytes().to_vec();
    for _ in 0..=random.index(3) {
        let place = random.index(bytes.len());
        match random.index(6) {
            0 => bytes[place] ^= 1 << random.index(8),
            1 => drop(bytes.drain(place..(place + 1 + random.index(40)).min(bytes.len()))),
            2 => {
                let piece = PIECES[random.index(PIECES.len())];
                bytes.splice(place..place, piece.bytes());
            }
            3 => {
                // In place of a value.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let values: Vec<_> = text.match_indices(':').map(|(place, _)| place + 1).collect();
                let Some(begin) = values.get(random.index(values.len().max(1))) else { continue };
                let end = text[*begin..].find([',', '}']).map_or(text.len(), |end| begin + end);
                let piece = PIECES[random.index(PIECES.len())];
                bytes = [&text[..*begin], piece, &text[end..]].concat().into_bytes();
            }
            4 => {
                let mut all: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (one, other) = (random.index(all.len()), random.index(all.len()));
                all.swap(one, other);
                bytes = all.join(&b'\n');
            }
            _ => {
                let mut all: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (from, to) = (random.index(all.len()), random.index(all.len()));
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
    let mut random = Random::new();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&random.next().to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (mut refused, mut taken) = (0, 0);
    let (mut store, mut lines) = (target(), String::new());
    let (mut before, mut shown) = (exported(&store), everything(&store));
    for round in 0..rounds(200) {
        if round % 20 == 0 {
            let steps = steps().new_tree(&mut runner).unwrap().current();
            lines = exported(&World::of(&steps).store);
        }
        match store.import(changed(&lines, &mut random).as_slice()) {
            Ok(_) => {
                assert_eq!(store.check().unwrap(), [], "round {round}");
                assert_eq!(everything(&store).tasks[..shown.tasks.len()], shown.tasks, "round {round}");
                taken += 1;
                store = target();
                (before, shown) = (exported(&store), everything(&store));
            }
            Err(Error::ImportRefused { .. }) => {
                refused += 1;
                assert_eq!(exported(&store), before, "round {round}");
            }
            Err(other) => panic!("{other:?} with round {round}"),
        }
    }
    assert_eq!(store.check().unwrap(), []);
    // Both happen: some changes do no harm.
    assert!(refused > 0 && taken > 0, "{refused} refused, {taken} taken");
}
