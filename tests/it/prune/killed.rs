//! A process that is killed while it prunes.

use std::ops::ControlFlow;
use std::path::Path;

use taskstore::{Finding, TaskStore};

use super::{all, fill, retention};
use crate::support::children::{Telling, role, say};
use crate::support::files::shell;
use crate::support::{open, rounds};

const TEST: &str = "prune::killed::a_process_that_is_killed_while_it_prunes_leaves_a_sound_file";

/// Tasks of all sizes, two of them too big for one transaction.
fn filled(path: &Path) -> TaskStore {
    let store = open(path);
    fill(&store, 1, 12_000, 100);
    fill(&store, 700, 3, 1_000);
    fill(&store, 1, 12_000, 100);
    fill(&store, 700, 3, 1_000);
    store
}

/// Prunes, and tells of each step.
fn prune(path: &Path) {
    let report = open(path).prune_with(&retention(all()), |_| {
        say("step");
        ControlFlow::Continue(())
    });
    report.unwrap();
    say("done");
}

/// What somebody might write who does not know what belongs together.
fn prune_carelessly(path: &Path) {
    let shell = shell(path);
    shell.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF").unwrap();
    loop {
        let sql = "DELETE FROM message WHERE (task_id, seq) IN (SELECT task_id, seq FROM message LIMIT 5000)";
        if shell.execute(sql, []).unwrap() == 0 {
            return say("done");
        }
        say("step");
    }
}

/// Kills the child when it has told of so many steps; `false` if it was through before.
fn kill_after(steps: usize, role: &str, path: &Path) -> bool {
    let mut child = Telling::start(TEST, role, path);
    let goes_on = (0..steps).all(|_| child.next() != "done");
    child.kill();
    goes_on
}

#[test]
fn a_process_that_is_killed_while_it_prunes_leaves_a_sound_file() {
    match role() {
        Some((role, path)) if role == "prune" => return prune(&path),
        Some((_, path)) => return prune_carelessly(&path),
        None => {}
    }
    let directory = tempfile::tempdir().unwrap();
    let mut killed = 0;
    for round in 0..rounds(1) {
        let path = directory.path().join(format!("{round}.db"));
        filled(&path).close().unwrap();
        // It goes on from where it was killed before.
        for steps in 1.. {
            let goes_on = kill_after(steps, "prune", &path);
            killed += usize::from(goes_on);
            let store = open(&path);
            assert_eq!(store.check().unwrap(), [], "killed after {steps} steps");
            let counts = store.counts(None).unwrap();
            store.close().unwrap();
            if !goes_on || counts.finished == 0 {
                break;
            }
        }
        let store = open(&path);
        store.prune(&retention(all())).unwrap();
        assert_eq!((store.counts(None).unwrap().finished, store.check().unwrap()), (0, vec![]));
    }
    assert!(killed > 0);

    let path = directory.path().join("careless.db");
    filled(&path).close().unwrap();
    assert!(kill_after(1, "careless", &path));
    let found = open(&path).check().unwrap();
    assert!(found.iter().any(|finding| matches!(finding, Finding::Numbering { .. })), "{found:?}");
}
