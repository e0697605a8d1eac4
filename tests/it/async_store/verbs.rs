//! Each verb does what the one of the same name does in a thread: both are called with the same, in sequences by chance, and
//! must answer the same and leave the same.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use taskstore::{
    AsyncTaskStore, Dismissed, Error, Level, LogEvent, LogLevel, NewTask, OpenOptions, PageNumber, Progress, Retention,
    RetentionRule, RunOptions, SystemTaskFilter, SystemTaskStatus, TaskFilter, TaskStore,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{one_by_one, settle};
use crate::support::Nanoseconds as _;
use crate::support::random::Random;
use crate::support::{ManualClock, configuration_id, everything, options, rounds, task_id};

/// Two stores that have been told the same, each with the same time and the same uuids.
struct Both {
    sync: TaskStore,
    asynchronous: AsyncTaskStore,
    clocks: [ManualClock; 2],
    runtime: Runtime,
    directory: tempfile::TempDir,
    /// How often each verb was answered `Ok`, and how often not.
    answers: BTreeMap<&'static str, [usize; 2]>,
}

fn counted_uuids(options: OpenOptions) -> OpenOptions {
    let count = AtomicU64::new(1);
    options.uuids(move || Uuid::from_u128(count.fetch_add(1, Ordering::Relaxed).into()))
}

impl Both {
    fn new() -> Self {
        let clocks = [(); 2].map(|()| ManualClock::at_ns(1_000));
        let [sync, asynchronous] =
            clocks.clone().map(|clock| counted_uuids(options().clock(clock)).open_temporary().unwrap());
        Self {
            sync,
            asynchronous: asynchronous.into(),
            clocks,
            runtime: one_by_one(),
            directory: tempfile::tempdir().unwrap(),
            answers: BTreeMap::new(),
        }
    }

    /// Both have answered, which must be the same.
    fn compare<T: Debug, E: Debug>(&mut self, verb: &'static str, sync: &Result<T, E>, asynchronous: &impl Debug) {
        assert_eq!(format!("{asynchronous:?}"), format!("{sync:?}"), "{verb}");
        self.answers.entry(verb).or_default()[usize::from(sync.is_err())] += 1;
    }

    fn pass(&self, ns: i64) {
        self.clocks.iter().for_each(|clock| clock.advance_ns(ns));
    }
}

/// Calls a verb of both stores with the same, and compares.
macro_rules! both {
    ($both:ident, $verb:literal, |$store:ident| $call:expr) => {{
        let sync = {
            let $store = &$both.sync;
            $call
        };
        let asynchronous = $both.runtime.block_on(async {
            let $store = &$both.asynchronous;
            $call.await
        });
        $both.compare($verb, &sync, &asynchronous);
    }};
}

const VERBS: u64 = 48;

fn call(both: &mut Both, verb: u64, random: &mut Random) {
    let id = task_id(1 + i64::try_from(random.below(4)).unwrap());
    let configuration = configuration_id(1 + i64::try_from(random.below(2)).unwrap());
    let uuid = Uuid::from_u128(1 + u128::from(random.below(4)));
    let name = ["mail", "backup"][usize::from(random.one_in(2))];
    let text = ["one", "two", "three", "four", "", "nul\0"][usize::try_from(random.below(6)).unwrap()];
    let number = random.below(3);
    let mut new = NewTask::new(text);
    new.configuration = random.one_in(3).then_some(configuration);
    let filter = TaskFilter::new().dismissed(Dismissed::Included).limit(u32::try_from(number).unwrap());
    let runs = SystemTaskFilter::new().limit(10);
    match verb {
        0..4 => both!(both, "start_detached", |store| store.start_detached(new.clone())),
        4..6 => both!(both, "message", |store| store.message(id, Level::Warn, text)),
        6 => both!(both, "message_once", |store| store.message_once(id, "key", Level::Info, text)),
        7 => both!(both, "progress", |store| store.progress(id, &Progress::new(number).of(3).phase(text))),
        8 => both!(both, "finish", |store| store.finish(id)),
        9 => both!(both, "fail", |store| store.fail(id, text)),
        10 | 43 | 44 => both!(both, "dismiss", |store| store.dismiss(id, text)),
        11 => both!(both, "dismiss_all", |store| store.dismiss_all((number == 0).then_some(configuration), text)),
        12 | 45 | 46 => both!(both, "restore", |store| store.restore(id)),
        13 => both!(both, "delete", |store| store.delete(id)),
        14 => both!(both, "task", |store| store.task(id)),
        15 => both!(both, "task_with_messages", |store| store.task_with_messages(id)),
        16 => both!(both, "counts", |store| store.counts(Some(configuration))),
        17 => both!(both, "messages", |store| store.messages(id, 0, 10)),
        18 => both!(both, "tail", |store| store.tail(id, u32::try_from(number).unwrap())),
        19 => both!(both, "list", |store| store.list(&filter)),
        20 => both!(both, "list_while", |store| store.list_while(&filter.clone().text("o"), || false)),
        21 => both!(both, "list_with_messages", |store| store.list_with_messages(&filter)),
        22 => both!(both, "add", |store| store.configurations().add(text)),
        23 | 47 => both!(both, "rename", |store| store.configurations().rename(configuration, text)),
        24 => both!(both, "delete configuration", |store| store.configurations().delete(configuration)),
        25 => both!(both, "configurations", |store| store.configurations().list()),
        26 => both!(both, "register", |store| store.system_tasks().register(name, text)),
        27 => both!(both, "find", |store| store.system_tasks().find(name, None)),
        28 => both!(both, "retrieve", |store| store.system_tasks().retrieve(uuid)),
        29 => both!(both, "system tasks", |store| store.system_tasks().list(&runs)),
        30 => {
            both!(both, "list_numbered", |store| store.system_tasks().list_numbered(&runs, PageNumber::Number(number)))
        }
        31 => both!(both, "history", |store| store.system_tasks().history(uuid, None, 10)),
        32 => both!(both, "recover", |store| store.recover()),
        33 => {
            let retention = match number {
                0 => Retention::new().rule(RetentionRule::new()),
                keep => Retention::new().rule(RetentionRule::new().dismissed(Dismissed::Only).keep(keep)),
            };
            both!(both, "prune_dry_run", |store| store.prune_dry_run(&retention));
            both!(both, "prune_with", |store| store.prune_with(&retention, |_| ControlFlow::Continue(())));
            both!(both, "prune", |store| store.prune(&retention));
        }
        34 => both!(both, "clean_expired", |store| store.clean_expired()),
        35 => {
            both!(both, "check_with", |store| store.check_with(|_| ControlFlow::Break(())));
            both!(both, "check", |store| store.check());
        }
        36 => both!(both, "flush", |store| store.flush()),
        37 => both!(both, "recount", |store| store.recount()),
        38 => batch(both, &new, text),
        39 => guard(both, &new, number, text),
        40 | 41 => run_guard(both, name, number, text),
        _ => whole_work(both, &new, name, text),
    }
}

fn batch(both: &mut Both, new: &NewTask, text: &'static str) {
    both!(both, "batch", |store| {
        let new = new.clone();
        store.batch(move |batch| {
            let id = batch.start_detached(new)?;
            batch.message(id, Level::Info, "inside")?;
            if text == "one" { Err(Error::Closed) } else { Ok(id) }
        })
    });
}

/// A task with a guard.
fn guard(both: &mut Both, new: &NewTask, way: u64, text: &'static str) {
    let sync = both.sync.start(new.clone());
    let asynchronous = both.runtime.block_on(both.asynchronous.start(new.clone()));
    let (ids, guard_ids) = (sync.as_ref().map(|task| task.id()), asynchronous.as_ref().map(|task| task.id()));
    both.compare("start", &ids, &guard_ids);
    let (Ok(sync), Ok(asynchronous)) = (sync, asynchronous) else { return };
    both.runtime.block_on(async {
        for sure in [
            (sync.trace("t"), asynchronous.trace("t").await),
            (sync.debug("d"), asynchronous.debug("d").await),
            (sync.info("i"), asynchronous.info("i").await),
            (sync.warn("w"), asynchronous.warn("w").await),
            (sync.error("e"), asynchronous.error("e").await),
            (sync.message_once("k", Level::Info, "k"), asynchronous.message_once("k", Level::Info, "k").await),
            (sync.progress(&Progress::new(way)), asynchronous.progress(&Progress::new(way)).await),
        ] {
            assert!(matches!(sure, (Ok(()), Ok(()))), "{sure:?}");
        }
    });
    match way {
        0 => {
            let (one, other) = (sync.fail(text), both.runtime.block_on(asynchronous.fail(text)));
            both.compare("fail of a guard", &one.map_err(|not| not.error), &other.map_err(|not| not.error));
        }
        1 => {
            let (one, other) = (sync.detach(), both.runtime.block_on(asynchronous.detach()));
            both.compare("detach", &one.map_err(|not| not.error), &other.map_err(|not| not.error));
        }
        _ => {
            drop(sync);
            let inside = both.runtime.enter();
            drop(asynchronous);
            drop(inside);
            settle(&both.runtime);
        }
    }
}

/// A run with a guard.
fn run_guard(both: &mut Both, name: &'static str, way: u64, text: &'static str) {
    let options = || match way {
        0 => RunOptions::new().expires_after(Duration::ZERO).description(text),
        _ => RunOptions::new(),
    };
    let sync = both.sync.system_tasks().start_with(name, None, options());
    let asynchronous = both.asynchronous.system_tasks();
    let asynchronous = both.runtime.block_on(asynchronous.start_with(name, None, options()));
    let ids = (sync.as_ref().map(|run| run.id()), asynchronous.as_ref().map(|run| run.id()));
    both.compare("start_with", &ids.0, &ids.1);
    let (Ok(sync), Ok(asynchronous)) = (sync, asynchronous) else { return };
    assert_eq!(sync.started().uuid(), asynchronous.uuid());
    let event = || LogEvent::new(LogLevel::Info, text).logger("l");
    let failed = || std::io::Error::other("it failed");
    both.runtime.block_on(async {
        for sure in [
            (sync.critical("c", ()), asynchronous.critical("c", ()).await),
            (sync.exception("x", ()), asynchronous.exception("x", ()).await),
            (sync.error("e", ()), asynchronous.error("e", ()).await),
            (sync.warning("w", ()), asynchronous.warning("w", ()).await),
            (sync.info("i", json!({"n": way})), asynchronous.info("i", json!({"n": way})).await),
            (sync.debug("d", ()), asynchronous.debug("d", ()).await),
            (sync.log(event()), asynchronous.log(event()).await),
            (sync.set_error(&failed()), asynchronous.set_error(&failed()).await),
            (
                sync.set_status(SystemTaskStatus::Warning, [text]),
                asynchronous.set_status(SystemTaskStatus::Warning, [text]).await,
            ),
        ] {
            assert!(matches!(sure, (Ok(()), Ok(()))), "{sure:?}");
        }
    });
    let id = sync.id();
    match way {
        1 => {
            let (one, other) = (sync.detach(), both.runtime.block_on(asynchronous.detach()));
            let ids = (one.map(|run| run.id()), other.map(|run| run.id()));
            both.compare("detach run", &ids.0.map_err(|not| not.error), &ids.1.map_err(|not| not.error));
        }
        2 => {
            drop(sync);
            let inside = both.runtime.enter();
            drop(asynchronous);
            drop(inside);
            settle(&both.runtime);
        }
        _ => {
            let (one, other) = (sync.finish(), both.runtime.block_on(asynchronous.finish()));
            both.compare("finish run", &one.map_err(|not| not.error), &other.map_err(|not| not.error));
        }
    }
    both!(both, "events", |store| store.system_tasks().events(id, 0, 100));
}

/// Work that ends by what it returns.
fn whole_work(both: &mut Both, new: &NewTask, name: &'static str, text: &'static str) {
    let answer = move || if text == "one" { Err("no answer") } else { Ok(text.len()) };
    let sync = both.sync.run(new.clone(), |task| {
        task.info("inside").unwrap();
        answer()
    });
    let asynchronous = both.runtime.block_on(both.asynchronous.run(new.clone(), |task| async move {
        task.info("inside").await.unwrap();
        answer()
    }));
    both.compare("run", &sync, &asynchronous);
    let sync = both.sync.system_tasks().run(name, Some("ann"), |run| {
        run.info("inside", ()).unwrap();
        answer()
    });
    let system_tasks = both.asynchronous.system_tasks();
    let asynchronous = both.runtime.block_on(system_tasks.run(name, Some("ann"), |run| async move {
        run.info("inside", ()).await.unwrap();
        answer()
    }));
    both.compare("run of a system task", &sync, &asynchronous);
}

/// What is in each: tasks, messages and configurations, and all else that an export has.
fn exported(store: &TaskStore) -> (impl PartialEq + Debug, String) {
    let mut lines = Vec::new();
    store.export(&mut lines).unwrap();
    (everything(store), String::from_utf8(lines).unwrap())
}

#[test]
fn each_verb_does_what_the_one_of_a_thread_does() {
    let mut random = Random::new();
    let mut answers = BTreeMap::<_, [usize; 2]>::new();
    let has_never = |answers: &BTreeMap<_, [usize; 2]>, index: usize| {
        answers.iter().filter(|(_, count)| count[index] == 0).map(|(verb, _)| *verb).collect::<Vec<_>>()
    };
    // At least until each verb has answered `Ok`, and half of them an error, so that more than refusals was compared.
    let is_enough = |answers: &BTreeMap<_, _>, round| {
        round >= rounds(4)
            && answers.len() == 54
            && has_never(answers, 0) == ["backup_to_with", "check_with"]
            && has_never(answers, 1).len() < 27
    };
    for round in 0.. {
        if is_enough(&answers, round) {
            break;
        }
        assert!(round < rounds(4) + 100, "{answers:?}");
        let mut both = Both::new();
        for _ in 0..100 {
            let verb = random.below(VERBS);
            call(&mut both, verb, &mut random);
            both.pass([0, 10, 2_000_000_000][usize::try_from(random.below(3)).unwrap()]);
        }
        whole(&mut both);
        for (verb, [ok, refused]) in both.answers {
            let sum = answers.entry(verb).or_default();
            *sum = [sum[0] + ok, sum[1] + refused];
        }
    }
}

/// The verbs that work on the whole store, and the end.
#[allow(clippy::disallowed_methods)] // An export is no database.
fn whole(both: &mut Both) {
    both!(both, "stats", |store| store.stats());
    assert_eq!(exported(both.asynchronous.store()), exported(&both.sync));

    let paths = ["sync", "async"].map(|name| both.directory.path().join(name));
    let [one, other] = paths.clone();
    let sync = both.sync.backup_to(&one);
    let asynchronous = both.runtime.block_on(both.asynchronous.backup_to(&other));
    both.compare("backup_to", &sync, &asynchronous);
    let refused = both.runtime.block_on(both.asynchronous.backup_to_with(&other, |_| ControlFlow::Continue(())));
    let Err(Error::AlreadyExists { path }) = &refused else { panic!("{refused:?}") };
    assert_eq!(path, &other);
    both.compare("backup_to_with", &refused, &refused);

    let export = both.directory.path().join("export");
    let (file, again) =
        (|| std::fs::File::create(&export).unwrap(), || std::io::BufReader::new(std::fs::File::open(&export).unwrap()));
    both!(both, "export_tasks", |store| store.export_tasks(&TaskFilter::new(), file()));
    both!(both, "export", |store| store.export(file()));
    let empty = [both.sync.clone(), both.sync.clone()].map(|_| options().open_temporary().unwrap());
    let [sync, asynchronous] = [&empty[0], &empty[1]];
    let importing = AsyncTaskStore::from(asynchronous.clone());
    let imported = both.runtime.block_on(importing.import(again()));
    both.compare("import", &sync.import(again()), &imported);
    assert_eq!(exported(asynchronous), exported(sync));

    assert_eq!(both.asynchronous.is_read_only(), both.sync.is_read_only());
    both!(both, "close", |store| store.close());
    both!(both, "close", |store| store.close());
}

#[test]
fn a_store_opens_as_it_does_in_a_thread() {
    one_by_one().block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store = AsyncTaskStore::open(&path).await.unwrap();
        let id = store.start_detached(NewTask::new("one")).await.unwrap();
        store.close().await.unwrap();
        let read_only = AsyncTaskStore::open_with(&path, OpenOptions::new().read_only(true)).await.unwrap();
        assert!(read_only.is_read_only());
        assert_eq!(read_only.task(id).await.unwrap().title, "one");
        let refused = TaskStore::open(directory.path()).unwrap_err();
        assert_eq!(format!("{:?}", AsyncTaskStore::open(directory.path()).await.unwrap_err()), format!("{refused:?}"));
        for store in [AsyncTaskStore::open_in_memory().await, AsyncTaskStore::open_temporary().await] {
            store.unwrap().start_detached(NewTask::new("one")).await.unwrap();
        }
    });
}
