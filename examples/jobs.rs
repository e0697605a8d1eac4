//! A runner of background jobs, as cron is one, whose runs can be looked at: `cargo run --example jobs`.
//!
//! Each job has an interval and a thread for each run. No job runs twice at once, one that panics runs again next time, and
//! what has expired is deleted by a job. The intervals are short, so that all of this is seen within a second or two.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;
use taskstore::{RunError, RunOptions, RunningSystemTask, SystemTaskFilter, SystemTaskStatus, TaskStore};

type Failure = Box<dyn Error + Send + Sync>;
type Work<'a> = dyn Fn(&RunningSystemTask) -> Result<(), Failure> + Sync + 'a;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What runs again and again.
struct Job<'a> {
    name: &'static str,
    uid: Option<&'static str>,
    description: &'static str,
    every: Duration,
    /// How long a run is kept after its end.
    kept: Duration,
    work: Box<Work<'a>>,
    runs: AtomicU64,
    skipped: AtomicU64,
}

impl<'a> Job<'a> {
    fn new(
        name: &'static str,
        description: &'static str,
        every: Duration,
        work: impl Fn(&RunningSystemTask) -> Result<(), Failure> + Sync + 'a,
    ) -> Self {
        let (kept, work) = (Duration::from_secs(3_600), Box::new(work));
        Self { name, uid: None, description, every, kept, work, runs: AtomicU64::new(0), skipped: AtomicU64::new(0) }
    }

    /// Runs it once, and records that: what it logs, how it ends, and that it panics.
    fn run(&self, store: &TaskStore) -> Result<(), RunError> {
        self.runs.fetch_add(1, SeqCst);
        let options = RunOptions::new().description(self.description).expires_after(self.kept);
        store.system_tasks().run_with(self.name, self.uid, options, |run| (self.work)(run))
    }
}

/// Runs each job whenever it is due, until `is_over` says so; then waits for those that are running.
fn run_jobs(store: &TaskStore, jobs: &[Job<'_>], is_over: impl Fn() -> bool) {
    thread::scope(|scope| {
        let mut timetable: Vec<_> = jobs.iter().map(|job| Timer { job, due: Instant::now(), thread: None }).collect();
        while !is_over() {
            timetable.iter_mut().for_each(|timer| timer.start_if_due(store, scope));
            let next = timetable.iter().map(|timer| timer.due).min().expect("there are jobs");
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        // A panic is recorded already: it is not to go on here.
        timetable.into_iter().filter_map(|timer| timer.thread).for_each(|thread| drop(thread.join()));
    });
}

struct Timer<'scope, 'env> {
    job: &'env Job<'env>,
    due: Instant,
    /// Of the last run.
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope, 'env> Timer<'scope, 'env> {
    fn start_if_due(&mut self, store: &'env TaskStore, scope: &'scope Scope<'scope, 'env>) {
        let (job, now) = (self.job, Instant::now());
        if self.due > now {
            return;
        }
        self.due = now + job.every;
        match self.thread.take_if(|thread| thread.is_finished()) {
            None if self.thread.is_some() => {
                job.skipped.fetch_add(1, SeqCst);
                return;
            }
            ended => drop(ended.map(ScopedJoinHandle::join)),
        }
        self.thread = Some(scope.spawn(move || {
            match job.run(store) {
                // The failure of the work is in the store.
                Ok(()) | Err(RunError::Work { .. }) => {}
                Err(error) => eprintln!("{} was not recorded: {error}", job.name),
            }
        }));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // A real program names its file: TaskStore::open("jobs.db")?
    let store = TaskStore::open_temporary()?;

    let mails = AtomicU64::new(0);
    let fetch_mail = Job {
        uid: Some("ann"),
        kept: ms(100),
        ..Job::new("fetch_mail", "Fetches the mail", ms(20), |run| {
            let number = mails.fetch_add(1, SeqCst) + 1;
            run.info("fetched", json!({"mailbox": "INBOX", "messages": 3, "newest": number}))?;
            if number.is_multiple_of(2) {
                run.set_status(SystemTaskStatus::Warning, ["1 message had no subject"])?;
            }
            Ok(())
        })
    };
    let back_up = Job::new("back_up", "Copies the database", ms(50), |run| {
        run.info("copying", json!({"to": "/backup"}))?;
        Err("no space left on /backup".into())
    });
    let has_panicked = AtomicBool::new(false);
    let rotate = Job::new("rotate_logs", "Renames the logs of yesterday", ms(50), |run| {
        run.info("looking for logs", ())?;
        if !has_panicked.swap(true, SeqCst) {
            panic!("the name of a log has no date");
        }
        Ok(())
    });
    // It takes longer than its interval.
    let is_indexing = AtomicBool::new(false);
    let index = Job::new("build_index", "Makes the documents searchable", ms(20), |run| {
        assert!(!is_indexing.swap(true, SeqCst), "it runs twice at once");
        run.info("indexing", json!({"documents": 800}))?;
        thread::sleep(ms(100));
        is_indexing.store(false, SeqCst);
        Ok(())
    });
    let deleted = AtomicU64::new(0);
    let clean_up = Job::new("clean_up", "Deletes the runs that have expired", ms(50), |run| {
        let report = store.clean_expired()?;
        deleted.fetch_add(report.runs, SeqCst);
        run.info("deleted", json!({"runs": report.runs, "events": report.events}))?;
        Ok(())
    });

    let jobs = [fetch_mail, back_up, rotate, index, clean_up];
    let begun = Instant::now();
    run_jobs(&store, &jobs, || {
        let ran = jobs.iter().all(|job| job.runs.load(SeqCst) >= 3);
        let skipped = jobs.iter().any(|job| job.skipped.load(SeqCst) > 0);
        let done = ran && skipped && deleted.load(SeqCst) > 0;
        assert!(done || begun.elapsed() < Duration::from_secs(120), "the jobs do not run");
        done
    });

    show(&store)?;

    // Here the example checks itself; a program has no need of this.
    for job in &jobs {
        let runs = match store.system_tasks().find(job.name, job.uid)? {
            Some(uuid) => store.system_tasks().history(uuid, None, 1_000)?.items,
            // Its last run has expired. A job that is to be listed all the same is registered.
            None => Vec::new(),
        };
        let interrupted = runs.iter().filter(|run| run.interrupted).count();
        assert!(runs.iter().all(|run| run.finished.is_some()), "{} was not waited for", job.name);
        assert_eq!(interrupted, usize::from(job.name == "rotate_logs"), "{}", job.name);
        match job.name {
            "back_up" => assert!(runs.iter().all(|run| run.status == Some(SystemTaskStatus::Error))),
            "fetch_mail" => assert!(runs.len() < usize::try_from(job.runs.load(SeqCst))?, "none was deleted"),
            _ => assert_eq!(runs.len(), usize::try_from(job.runs.load(SeqCst))?),
        }
    }
    store.close()?;
    Ok(())
}

/// Prints each job with its last runs, and what the newest of them has logged.
fn show(store: &TaskStore) -> taskstore::Result<()> {
    let system_tasks = store.system_tasks();
    for job in system_tasks.list(&SystemTaskFilter::new())?.items {
        println!("{} ({}): {}", job.full_name(), job.description, job.status());
        let runs = system_tasks.history(job.uuid, None, 3)?.items;
        for run in &runs {
            let status = run.status.map_or("in progress", SystemTaskStatus::as_str);
            let interrupted = if run.interrupted { ", interrupted" } else { "" };
            println!("    run {}: {status}{interrupted}, {:?}", run.id, run.duration.unwrap_or_default());
        }
        for event in runs.first().map_or(Ok(Vec::new()), |run| system_tasks.events(run.id, 0, 100))? {
            println!("        {:9} {} {}", event.level, event.event, event.attributes.as_str());
        }
    }
    Ok(())
}
