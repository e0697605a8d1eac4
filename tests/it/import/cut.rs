//! What was cut is refused, wherever it was.

use std::io::{self, BufReader, Read};

use proptest::prelude::*;
use taskstore::{Error, ImportProblem};

use super::world::{World, steps};
use super::{exported, refusal};
use crate::support::{rounds, start, temporary};

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(12) as u32, ..ProptestConfig::default() })]

    #[test]
    fn an_export_that_was_cut_anywhere_is_refused_and_nothing_of_it_is_there(
        steps in steps(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let lines = exported(&World::of(&steps).store);
        let store = temporary();
        start(&store, "before");
        let before = exported(&store);
        // Behind each line, and anywhere; without its last newline it is whole.
        let behind_lines = lines.match_indices('\n').map(|(place, _)| place + 1);
        let whole = lines.len() - 1;
        let anywhere = cuts.iter().map(|cut| cut.index(whole));
        for cut in behind_lines.chain(anywhere).filter(|cut| *cut < whole) {
            let (line, problem) = refusal(store.import(&lines.as_bytes()[..cut]));
            let told = if cut < lines.find('\n').unwrap() {
                matches!(problem, ImportProblem::NotAnExport)
            } else {
                matches!(problem, ImportProblem::Cut)
            };
            prop_assert!(told, "{problem:?} at byte {cut}");
            let ended = lines.as_bytes()[..cut].split_inclusive(|byte| *byte == b'\n').count();
            let lines_left = ended.max(1) as u64;
            prop_assert_eq!(line, lines_left);
        }
        prop_assert_eq!(exported(&store), before);
    }
}

#[test]
fn an_export_that_was_cut_in_the_midst_of_any_value_is_told_to_be_cut() {
    let source = temporary();
    let run = source.system_tasks().start("fetch_mail", None).unwrap();
    let attributes = serde_json::json!({"n": [-12, 0.5, -1.5e-30, 2.5e+30, true, null, "\u{1}\\ü\u{1f600}"]});
    run.info("read", attributes).unwrap();
    run.finish().unwrap();
    let lines = exported(&source);
    assert!(lines.contains("-1.5e-30"), "{lines}");
    let store = temporary();
    let before = exported(&store);
    for cut in lines.find('\n').unwrap() + 1..lines.len() - 1 {
        let (_, problem) = refusal(store.import(&lines.as_bytes()[..cut]));
        assert!(matches!(problem, ImportProblem::Cut), "{problem:?} at byte {cut}");
    }
    assert_eq!(exported(&store), before);
}

/// Fails after so many bytes.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        if count == 0 { Err(io::Error::other("gone")) } else { Ok(count) }
    }
}

#[test]
fn a_reader_that_fails_undoes_what_was_read() {
    let source = temporary();
    (0..50).for_each(|number| assert!(start(&source, &number.to_string()).get() > 0));
    let lines = exported(&source);
    let store = temporary();
    let before = exported(&store);
    for cut in (0..=lines.len()).step_by(97).chain([lines.len()]) {
        let error = store.import(BufReader::with_capacity(64, Failing(&lines.as_bytes()[..cut]))).unwrap_err();
        assert!(matches!(&error, Error::Io { action: "read the import", .. }), "{error:?}");
        assert_eq!(exported(&store), before);
    }
    // The store takes what comes next.
    store.import(lines.as_bytes()).unwrap();
    assert_eq!(exported(&store), lines);
}
