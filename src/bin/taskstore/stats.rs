//! `taskstore stats`.

use std::io::Write;
use std::path::Path;

use chrono::Utc;
use taskstore::Stats;

use crate::arguments::prune::StatsArguments;
use crate::database;
use crate::failure::Failure;
use crate::terminal::size::size;
use crate::terminal::{print, time};

pub fn stats(db: &Path, arguments: &StatsArguments) -> Result<(), Failure> {
    let stats = database::open_to_look(db)?.stats()?;
    print(|out| {
        if !arguments.json {
            return tell(out, &stats);
        }
        serde_json::to_writer(&mut *out, &stats).map_err(std::io::Error::from)?;
        Ok(writeln!(out)?)
    })
}

fn tell(out: &mut dyn Write, stats: &Stats) -> Result<(), Failure> {
    let [file, wal] = [stats.file_bytes, stats.wal_bytes].map(|bytes| size(bytes.unwrap_or(0)));
    let free = size(stats.free_pages * stats.page_bytes);
    let tasks = stats.tasks;
    let oldest = stats.oldest_in_progress.map_or("-".to_owned(), |oldest| {
        let (started, now) = (oldest.started, Utc::now());
        format!("task {}, started {} ({})", oldest.id, time::relative(started, now), time::absolute(started))
    });
    let in_progress = format!("{} in progress", tasks.in_progress);
    let ended = |[finished, failed, interrupted]: [u64; 3]| {
        format!("{finished} finished, {failed} failed, {interrupted} interrupted")
    };
    let shown = ended([tasks.finished, tasks.failed, tasks.interrupted]);
    let dismissed = ended([tasks.dismissed_finished, tasks.dismissed_failed, tasks.dismissed_interrupted]);
    writeln!(out, "file:            {file}, of which {free} are free")?;
    writeln!(out, "-wal:            {wal}")?;
    writeln!(out, "tasks:           {in_progress}, {shown}")?;
    writeln!(out, "dismissed:       {dismissed}")?;
    writeln!(out, "longest running: {oldest}")?;
    writeln!(out, "configurations:  {}", stats.configurations)?;
    writeln!(out, "system tasks:    {}, with {} runs", stats.system_tasks, stats.runs)?;
    Ok(writeln!(out, "versions:        schema {}, SQLite {}", stats.schema_version, stats.sqlite_version)?)
}
