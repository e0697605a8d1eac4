//! Bytes that nobody would send on purpose, or only on purpose: all of a corpus, and some thousands made of it by chance.
//! `fuzz/` has the same targets for a fuzzer that runs for hours.

mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use targets::{TARGETS, Target};

use crate::input::HOSTILE;
use crate::support::random::Random;
use crate::support::rounds;

/// How many inputs each target is given beside the corpus.
const INPUTS: usize = 300;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus")
}

/// What every target is given: hostile strings, and what is too large to keep in a file.
#[allow(clippy::disallowed_methods)] // No file of a store.
fn strings() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(corpus().join("strings.jsonl")).unwrap();
    let strings = text.lines().map(|line| serde_json::from_str::<String>(line).unwrap().into_bytes());
    let mut strings: Vec<_> = strings.chain(HOSTILE.iter().map(|text| text.as_bytes().to_vec())).collect();
    assert!(strings.len() > 200);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000)).into_bytes();
    strings.extend([
        vec![b'x'; 1 << 20],
        "é".repeat((1 << 19) + 1).into_bytes(),
        vec![0; 1 << 16],
        vec![0xff; 1 << 16],
        deep("[", "]"),
        deep("{\"a\":", "}"),
        deep("{\"params\":", "}"),
        format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 19)).into_bytes(),
        b"=&".repeat(10_000),
    ]);
    strings
}

/// The files of one target's own directory.
#[allow(clippy::disallowed_methods)] // No files of a store.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = fs::read_dir(corpus().join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target}");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Another input, made of one or two that there are.
fn mutated(random: &mut Random, inputs: &[Vec<u8>]) -> Vec<u8> {
    const TOKENS: &[&str] =
        &["\0", "\"", "{", "}", "[", "&", "=", "\n", "%", "\\u0000", "-1", "1e999", "\u{202e}", "\u{10ffff}"];
    let any = |random: &mut Random| &inputs[random.below(inputs.len() as u64) as usize];
    let mut bytes = any(random)[..].iter().copied().take(4_096).collect::<Vec<_>>();
    for _ in 0..=random.below(6) {
        let place = random.below(bytes.len() as u64 + 1) as usize;
        let rest = bytes.len() - place;
        let length = random.below(rest.min(64) as u64 + 1) as usize;
        match random.below(6) {
            0 if rest > 0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes.insert(place, random.next() as u8),
            2 => drop(bytes.drain(place..place + length)),
            3 => bytes.extend_from_within(place..place + length),
            4 => {
                let token = TOKENS[random.below(TOKENS.len() as u64) as usize];
                bytes.splice(place..place, token.bytes());
            }
            _ => {
                bytes.truncate(place);
                let other = any(random);
                let from = random.below(other.len() as u64 + 1) as usize;
                bytes.extend(other[from..].iter().take(1_024));
            }
        }
    }
    bytes
}

/// Gives the target this input; the input is the error if it panics.
fn try_one(target: Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| target(input))).map_err(|_| {
        let shown = &input[..input.len().min(4_096)];
        format!("{} bytes: b\"{}\"", input.len(), shown.escape_ascii())
    })
}

/// Gives the target its corpus and as many inputs by chance, and tells with which it panicked first.
fn try_all(target: Target, seeds: Vec<Vec<u8>>, inputs: usize) -> Result<(), String> {
    let mut random = Random::new();
    // The target's own are few among the strings, and are to come up as often.
    let own = seeds.iter().cycle().take(seeds.len() * 32).cloned();
    let corpus: Vec<_> = own.chain(strings()).collect();
    seeds.iter().chain(&strings()).try_for_each(|input| try_one(target, input))?;
    (0..inputs).try_for_each(|_| try_one(target, &mutated(&mut random, &corpus)))
}

#[test]
fn no_input_of_the_corpus_or_made_of_it_breaks_a_target() {
    for (name, target) in TARGETS {
        if let Err(input) = try_all(*target, seeds(name), rounds(INPUTS)) {
            panic!("{name} fails with {input}");
        }
    }
}

/// Reads a cursor as nobody should: a text is cut between its bytes.
fn careless(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = text.len().checked_sub(3).map(|place| text[place..].parse::<taskstore::Cursor>());
}

/// Takes only what it knows, but for what the corpus does not have.
fn breaks_at_a_chance(bytes: &[u8]) {
    assert!(!(bytes.len() > 4 && bytes.starts_with(b"{\"a") && bytes.ends_with(b"&")), "found");
}

#[test]
fn a_target_that_the_corpus_breaks_is_found_and_so_is_one_that_only_chance_breaks() {
    let input = try_all(careless, seeds("cursors"), 0).expect_err("nothing was found");
    assert!(input.contains("bytes: b\""), "{input}");
    try_all(breaks_at_a_chance, seeds("attributes"), 0).unwrap();
    try_all(breaks_at_a_chance, seeds("attributes"), 100_000).expect_err("nothing was found");
}

#[test]
fn every_target_has_a_corpus_and_an_entry_for_the_fuzzer() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    for (name, _) in TARGETS {
        assert!(!seeds(name).is_empty());
        assert!(fuzz.join(format!("{name}.rs")).is_file(), "{name}");
    }
}
