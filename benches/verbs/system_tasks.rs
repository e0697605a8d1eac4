//! The verbs of system tasks.

use criterion::{BatchSize, Criterion};
use serde_json::json;
use taskstore::{LogEvent, LogLevel, SystemTaskStatus};

use crate::store;

pub fn verbs(criterion: &mut Criterion) {
    let store = store();
    let system_tasks = store.system_tasks();
    let start = || system_tasks.start("fetch_mail", Some("ann")).expect("starts");
    let fetched = || LogEvent::new(LogLevel::Info, "fetched").attributes(json!({"messages": 3})).expect("is JSON");

    criterion.bench_function("system_task/start", |bencher| bencher.iter_with_large_drop(start));
    criterion.bench_function("system_task/log", |bencher| {
        let run = start();
        bencher.iter(|| run.log(fetched()).expect("logs"));
        run.finish().expect("finishes");
    });
    criterion.bench_function("system_task/set_status", |bencher| {
        let run = start();
        bencher.iter(|| run.set_status(SystemTaskStatus::Warning, ["no subject"]).expect("sets"));
        run.finish().expect("finishes");
    });
    criterion.bench_function("system_task/finish", |bencher| {
        bencher.iter_batched(start, |run| run.finish().expect("finishes"), BatchSize::SmallInput);
    });
    criterion.bench_function("system_task/register/repeated", |bencher| {
        bencher.iter(|| system_tasks.register("clean_up", "Deletes what has expired").expect("registers"));
    });
}
