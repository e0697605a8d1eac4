//! `taskstore simulate`.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use taskstore::testing::Simulation;
use taskstore::{Dismissed, Durability, OpenOptions, Outcomes, Stats, TaskStore};

use crate::arguments::Arguments;
use crate::arguments::simulate::SimulateArguments;
use crate::database;
use crate::failure::Failure;
use crate::terminal::bar::Bar;
use crate::terminal::{interrupt, print, time};

/// So many tasks start in an hour at least …
const TASKS_PER_HOUR_MIN: u64 = 20;
/// … and so many more as all of them have room in: 90 days.
const HOURS_MAX: u64 = 90 * 24;
const HOUR_NS: u64 = 3_600_000_000_000;

/// So many tasks between two looks at whether we are to stop.
const TASKS_AT_ONCE: u64 = 100;

pub fn simulate(db: &Path, arguments: &SimulateArguments) -> Result<(), Failure> {
    let interrupt = interrupt::watch()?;
    let until = until(arguments)?;
    let per_hour = arguments.tasks.div_ceil(HOURS_MAX).max(TASKS_PER_HOUR_MIN);
    let per_hour = u32::try_from(per_hour).unwrap_or(u32::MAX);
    // One task starts in each stretch of this length.
    let stretch = HOUR_NS / u64::from(per_hour);
    let begins = begin(until, arguments.tasks.saturating_mul(stretch));
    let mut simulation = Simulation::new(arguments.seed).starting_at(begins).tasks_per_hour(per_hour);

    // What others may have left in progress is no part of this past: its clock is not theirs.
    let options = OpenOptions::new().clock(simulation.clock()).durability(Durability::Normal).recover(false);
    let store = database::open_or_create_with(db, &options)?;
    if !arguments.add && !is_empty(&store.stats()?) {
        return Err(Failure::NotEmpty { path: db.to_owned() });
    }
    let bar = Bar::new("simulating");
    while simulation.now() < until {
        if interrupt.requested() {
            return Err(Failure::Interrupted { what: "what was made so far stays, and to go on needs --add" });
        }
        let next = simulation.now() + Duration::from_nanos(stretch.saturating_mul(TASKS_AT_ONCE));
        simulation.run_until(&store, next.min(until))?;
        bar.set(simulation.tasks_started(), arguments.tasks);
    }
    store.flush()?;
    bar.finish();
    tell(arguments, (begins, until), &store)
}

/// What there is in the database must not get into a future that has not come.
fn until(arguments: &SimulateArguments) -> Result<DateTime<Utc>, Failure> {
    let now = Utc::now();
    match arguments.until {
        Some(until) if arguments.add && until > now => {
            let problem = "--until must not be in the future where --add adds to what is there";
            Err(Failure::Usage(Arguments::command().error(ErrorKind::ArgumentConflict, problem)))
        }
        until => Ok(until.unwrap_or(now)),
    }
}

/// So long before; at the earliest the first time there is.
fn begin(until: DateTime<Utc>, nanoseconds: u64) -> DateTime<Utc> {
    let before = TimeDelta::from_std(Duration::from_nanos(nanoseconds)).ok();
    before.and_then(|before| until.checked_sub_signed(before)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn is_empty(stats: &Stats) -> bool {
    stats.tasks.of(Outcomes::ANY, Dismissed::Included) + stats.configurations + stats.system_tasks == 0
}

fn tell(
    arguments: &SimulateArguments,
    (begins, until): (DateTime<Utc>, DateTime<Utc>),
    store: &TaskStore,
) -> Result<(), Failure> {
    let stats = store.stats()?;
    let of = |outcomes| stats.tasks.of(outcomes, Dismissed::Included);
    let [finished, failed, interrupted] = [Outcomes::FINISHED, Outcomes::FAILED, Outcomes::INTERRUPTED].map(of);
    let in_progress = stats.tasks.in_progress;
    let dismissed = stats.tasks.of(Outcomes::ANY, Dismissed::Only);
    print(|out| {
        writeln!(out, "made            {} tasks, from {} on", arguments.tasks, time::absolute(begins))?;
        let until = until.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        writeln!(out, "to repeat it    --tasks {} --seed {} --until {until}", arguments.tasks, arguments.seed)?;
        writeln!(out, "in the database:")?;
        write!(out, "tasks           {finished} finished, {failed} failed, {interrupted} interrupted, ")?;
        writeln!(out, "{in_progress} in progress; {dismissed} of them dismissed")?;
        writeln!(out, "configurations  {}", stats.configurations)?;
        Ok(writeln!(out, "system tasks    {}, with {} runs", stats.system_tasks, stats.runs)?)
    })
}
