//! Housekeeping, copies, and what is in a store.

use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::AsyncTaskStore;
use crate::{
    BackupProgress, CheckProgress, CleanReport, ExportReport, Finding, ImportReport, PruneProgress, PruneReport,
    RecoverReport, Result, Retention, Stats, TaskFilter, TaskStore,
};

impl AsyncTaskStore {
    /// See [`TaskStore::recover`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::recover`].
    pub async fn recover(&self) -> Result<RecoverReport> {
        self.call(TaskStore::recover).await
    }

    /// See [`TaskStore::prune`]. It takes as long as it needs, also if the future is dropped;
    /// [`prune_with`](Self::prune_with) can be stopped.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::prune`].
    pub async fn prune(&self, retention: &Retention) -> Result<PruneReport> {
        let retention = retention.clone();
        self.call(move |store| store.prune(&retention)).await
    }

    /// See [`TaskStore::prune_with`]. `progress` is called on a thread of the blocking pool.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::prune_with`].
    ///
    /// # Panics
    ///
    /// If `progress` panics, with what it panicked with.
    pub async fn prune_with(
        &self,
        retention: &Retention,
        progress: impl FnMut(&PruneProgress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<PruneReport> {
        let retention = retention.clone();
        self.call(move |store| store.prune_with(&retention, progress)).await
    }

    /// See [`TaskStore::prune_dry_run`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::prune_dry_run`].
    pub async fn prune_dry_run(&self, retention: &Retention) -> Result<PruneReport> {
        let retention = retention.clone();
        self.call(move |store| store.prune_dry_run(&retention)).await
    }

    /// See [`TaskStore::clean_expired`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::clean_expired`].
    pub async fn clean_expired(&self) -> Result<CleanReport> {
        self.call(TaskStore::clean_expired).await
    }

    /// See [`TaskStore::backup_to`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::backup_to`].
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref().to_owned();
        self.call(move |store| store.backup_to(path)).await
    }

    /// See [`TaskStore::backup_to_with`]. `progress` is called on a thread of the blocking pool.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::backup_to_with`].
    ///
    /// # Panics
    ///
    /// If `progress` panics, with what it panicked with.
    pub async fn backup_to_with(
        &self,
        path: impl AsRef<Path>,
        progress: impl FnMut(BackupProgress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<u64> {
        let path = path.as_ref().to_owned();
        self.call(move |store| store.backup_to_with(path, progress)).await
    }

    /// See [`TaskStore::check`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::check`].
    pub async fn check(&self) -> Result<Vec<Finding>> {
        self.call(TaskStore::check).await
    }

    /// See [`TaskStore::check_with`]. `progress` is called on a thread of the blocking pool.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::check_with`].
    ///
    /// # Panics
    ///
    /// If `progress` panics, with what it panicked with.
    pub async fn check_with(
        &self,
        progress: impl FnMut(CheckProgress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Vec<Finding>> {
        self.call(|store| store.check_with(progress)).await
    }

    /// See [`TaskStore::recount`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::recount`].
    pub async fn recount(&self) -> Result<()> {
        self.call(TaskStore::recount).await
    }

    /// See [`TaskStore::stats`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::stats`].
    pub async fn stats(&self) -> Result<Stats> {
        self.call(TaskStore::stats).await
    }

    /// Writes everything to `out`, a file for instance, on a thread of the blocking pool; see [`TaskStore::export`]. It goes on to the
    /// end, or until `out` fails, also if the future is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::export`].
    ///
    /// # Panics
    ///
    /// If `out` panics, with what it panicked with.
    pub async fn export(&self, out: impl Write + Send + 'static) -> Result<ExportReport> {
        self.call(|store| store.export(out)).await
    }

    /// The same of the tasks of a filter; see [`TaskStore::export_tasks`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::export_tasks`].
    ///
    /// # Panics
    ///
    /// If `out` panics, with what it panicked with.
    pub async fn export_tasks(&self, filter: &TaskFilter, out: impl Write + Send + 'static) -> Result<u64> {
        let filter = filter.clone();
        self.call(move |store| store.export_tasks(&filter, out)).await
    }

    /// Reads an export, from a file for instance, on a thread of the blocking pool; see [`TaskStore::import`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::import`].
    ///
    /// # Panics
    ///
    /// If `reader` panics, with what it panicked with. Nothing is imported then.
    pub async fn import(&self, reader: impl BufRead + Send + 'static) -> Result<ImportReport> {
        self.call(|store| store.import(reader)).await
    }
}
