//! System tasks and their runs as lines.

use std::io;

use super::line::is_on_one_line;
use super::lines::Lines;
use super::task::time_or_null;
use crate::rfc3339::JsonTime;
use crate::sqlite::system_task::{ExportedEvents, IdentityRow, RunRow};
use crate::stream::{Out, Stop};
use crate::system_task::Attributes;

pub(super) fn write_system_task(out: &mut Out<'_>, row: &IdentityRow<'_>) -> io::Result<()> {
    out.member("\n{\"system_task\":{\"uuid\":", &row.uuid)?;
    out.text(r#","name":"#, &row.name)?;
    out.member(r#","uid":"#, &row.uid)?;
    out.text(r#","description":"#, &row.description)?;
    time_or_null(out, r#","registered":"#, row.registered_ns)?;
    out.member(r#","shown_run":"#, &row.shown_run)?;
    out.raw("}}")
}

/// Writes a run with its events, and gives their number.
pub(super) fn write_run(out: &mut Out<'_>, row: &RunRow<'_>, events: &mut ExportedEvents<'_>) -> Result<u64, Stop> {
    let mut lines = Lines::begin(out);
    out.member("\n{\"run\":{\"id\":", &row.id)?;
    out.member(r#","status":"#, &row.status)?;
    out.member(r#","interrupted":"#, &row.interrupted)?;
    out.time(r#","started":"#, &JsonTime::few_digits(row.started_ns))?;
    time_or_null(out, r#","finished":"#, row.finished_ns)?;
    out.member(r#","duration":"#, &row.duration)?;
    time_or_null(out, r#","expires":"#, row.expires_ns)?;
    out.member(r#","event_count":"#, &row.event_count)?;
    out.member(r#","system_task":"#, &row.system_task)?;
    out.member(r#","expires_after":"#, &row.expires_after)?;
    out.member(r#","only_on_failure":"#, &row.only_on_failure)?;
    out.member(r#","key":"#, &row.key)?;
    out.raw(r#","events":["#)?;
    events.each(row.id, |event| {
        let begin = lines.entry(out, |out| {
            out.member("\n{\"events\":{\"run_id\":", &row.id)?;
            out.raw(r#","events":["#)
        })?;
        out.member(begin, &event.seq)?;
        out.time(r#","time":"#, &JsonTime::few_digits(event.time_ns))?;
        out.member(r#","level":"#, &event.level)?;
        out.text(r#","logger":"#, &event.logger)?;
        out.text(r#","event":"#, &event.event)?;
        let attributes = Attributes::stored_json(&event.attributes);
        if is_on_one_line(attributes) {
            out.raw(r#","attributes":"#)?;
            out.raw(attributes)?;
        } else {
            out.member(r#","attributes":"#, attributes)?;
        }
        out.member(r#","key":"#, &event.key)?;
        Ok::<_, Stop>(out.raw("}")?)
    })?;
    Ok(lines.end(out)?)
}
