//! Texts that are looked for in task after task.

use rusqlite::{Row, named_params};

use super::super::error::during;
use super::super::row::text;
use super::super::transaction::Read;
use crate::task::TaskFilter;
use crate::text::Needle;
use crate::{Error, Result};

/// After so many messages of a task it is asked whether to go on.
const ASK_EVERY: u32 = 64;

/// What a filter looks for.
pub(super) struct Search {
    title: Option<Needle>,
    message: Option<Needle>,
    either: Option<Needle>,
}

impl Search {
    /// `None` if the filter looks for no text.
    pub(super) fn of(filter: &TaskFilter) -> Option<Self> {
        let needle = |text: &Option<String>| text.as_deref().map(Needle::new);
        filter.is_search().then(|| Self {
            title: needle(&filter.title),
            message: needle(&filter.message),
            either: needle(&filter.text),
        })
    }

    /// Whether a task, given as its row, has all that is looked for; `None` if `go_on`, which is asked now and then among
    /// its messages, said no.
    pub(super) fn finds<E: From<Error>>(
        &mut self,
        read: &Read<'_>,
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
        let mut messages = read.connection.prepare_cached(MESSAGES).map_err(during("read the messages"))?;
        let id: i64 = task.get(0).map_err(during("read a task"))?;
        let mut rows = messages.query(named_params! { ":id": id }).map_err(during("read the messages"))?;
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

pub(super) const MESSAGES: &str = "SELECT text FROM message WHERE task_id = :id ORDER BY seq";
