//! Texts that are looked for in task after task.

use rusqlite::{CachedStatement, Row};

use super::super::error::during;
use super::super::row::text;
use super::super::transaction::Read;
use crate::task::TaskFilter;
use crate::text::Needle;
use crate::{Error, Result};

/// After so many messages of a task it is asked whether to go on.
const ASK_EVERY: u32 = 64;

/// What a filter looks for, and the statement that reads the messages of task after task: as in a stream, it is held.
pub(super) struct Search<'a> {
    title: Option<Needle>,
    message: Option<Needle>,
    either: Option<Needle>,
    messages: CachedStatement<'a>,
}

impl<'a> Search<'a> {
    /// `None` if the filter looks for no text.
    pub(super) fn of(read: &Read<'a>, filter: &TaskFilter) -> Result<Option<Self>> {
        if !filter.is_search() {
            return Ok(None);
        }
        let needle = |text: &Option<String>| text.as_deref().map(Needle::new);
        Ok(Some(Self {
            title: needle(&filter.title),
            message: needle(&filter.message),
            either: needle(&filter.text),
            messages: read.connection.prepare_cached(MESSAGES).map_err(during("read the messages"))?,
        }))
    }

    /// Whether a task, given as its row, has all that is looked for; `None` if `go_on`, which is asked now and then among
    /// its messages, said no.
    pub(super) fn finds<E: From<Error>>(
        &mut self,
        task: &Row<'_>,
        go_on: &mut dyn FnMut() -> Result<bool, E>,
    ) -> Result<Option<bool>, E> {
        let title = text(task, 3).map_err(during("read a task"))?;
        let is_found = |needle: &mut Option<Needle>| needle.as_mut().is_none_or(|needle| needle.is_in(&title));
        if !is_found(&mut self.title) {
            return Ok(Some(false));
        }
        let either = if is_found(&mut self.either) { None } else { self.either.as_mut() };
        let mut missing: Vec<&mut Needle> = self.message.iter_mut().chain(either).collect();
        if missing.is_empty() {
            return Ok(Some(true));
        }
        if task.get::<_, i64>(14).map_err(during("read a task"))? == 0 {
            // No message, not even for a text that is found everywhere.
            return Ok(Some(false));
        }
        let id: i64 = task.get(0).map_err(during("read a task"))?;
        let mut rows = self.messages.query([id]).map_err(during("read the messages"))?;
        let mut looked_through = 0_u32;
        while let Some(row) = rows.next().map_err(during("read the messages"))? {
            if looked_through == ASK_EVERY {
                if !go_on()? {
                    return Ok(None);
                }
                looked_through = 0;
            }
            looked_through += 1;
            let text = text(row, 0).map_err(during("read the messages"))?;
            missing.retain_mut(|needle| !needle.is_in(&text));
            if missing.is_empty() {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }
}

pub(super) const MESSAGES: &str = "SELECT text FROM message WHERE task_id = ?1 ORDER BY seq";
