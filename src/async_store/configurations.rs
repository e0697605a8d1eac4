//! The verbs of configurations.

use super::AsyncTaskStore;
use crate::{Configuration, ConfigurationId, Result, configuration};

/// The verbs of configurations; from [`AsyncTaskStore::configurations`].
#[derive(Clone, Copy, Debug)]
pub struct AsyncConfigurations<'a> {
    store: &'a AsyncTaskStore,
}

impl AsyncTaskStore {
    /// The verbs of configurations.
    #[must_use]
    pub fn configurations(&self) -> AsyncConfigurations<'_> {
        AsyncConfigurations { store: self }
    }
}

impl AsyncConfigurations<'_> {
    /// See [`Configurations::add`](crate::Configurations::add).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::add`](crate::Configurations::add).
    pub async fn add(self, name: impl Into<String>) -> Result<ConfigurationId> {
        self.store.write(configuration::add(self.store.store().context(), name.into())?).await
    }

    /// See [`Configurations::rename`](crate::Configurations::rename).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::rename`](crate::Configurations::rename).
    pub async fn rename(self, id: ConfigurationId, name: impl Into<String>) -> Result<()> {
        self.store.write(configuration::rename(self.store.store().context(), id, name.into())?).await
    }

    /// See [`Configurations::delete`](crate::Configurations::delete).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::delete`](crate::Configurations::delete).
    pub async fn delete(self, id: ConfigurationId) -> Result<()> {
        self.store.write(configuration::delete(self.store.store().context(), id)?).await
    }

    /// See [`Configurations::list`](crate::Configurations::list).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::list`](crate::Configurations::list).
    pub async fn list(self) -> Result<Vec<Configuration>> {
        self.store.call(|store| store.configurations().list()).await
    }
}
