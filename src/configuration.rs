//! Configurations: what tasks relate to.

use serde::{Deserialize, Serialize};

use crate::id::id_type;
use crate::sqlite::{self, Write};
use crate::store::Context;
use crate::{Result, TaskStore};

id_type! {
    /// A configuration's id: positive, never used twice, also after a deletion.
    ConfigurationId, "configuration_id"
}

/// Something that tasks relate to: a database, a host, a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Configuration {
    /// Its id.
    pub id: ConfigurationId,
    /// Its name. Two configurations may have the same one.
    pub name: String,
}

/// The verbs of configurations; from [`TaskStore::configurations`].
///
/// # Example
///
/// ```
/// use taskstore::{NewTask, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let prod = store.configurations().add("prod")?;
/// let task = store.start_detached(NewTask::new("Backup").configuration(prod))?;
///
/// store.configurations().rename(prod, "production")?;
/// assert_eq!(store.task(task)?.configuration_name, "production");
///
/// store.configurations().delete(prod)?;
/// let task = store.task(task)?;
/// assert_eq!((task.configuration_id, task.configuration_name.as_str()), (None, "production"));
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Configurations<'a> {
    store: &'a TaskStore,
}

impl TaskStore {
    /// The verbs of configurations.
    #[must_use]
    pub fn configurations(&self) -> Configurations<'_> {
        Configurations { store: self }
    }
}

impl Configurations<'_> {
    /// Adds a configuration. Its name must not be empty and holds at most
    /// [`Limits::name_bytes_max`](crate::Limits::name_bytes_max).
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the name, and the errors of
    /// [writing](TaskStore#errors-of-writing).
    pub fn add(&self, name: impl Into<String>) -> Result<ConfigurationId> {
        self.store.database().write(add(self.store.context(), name.into())?)
    }

    /// Renames a configuration, which shows at once on all its tasks.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound) if there is none or it was deleted, those of [`add`](Self::add) otherwise.
    pub fn rename(&self, id: ConfigurationId, name: impl Into<String>) -> Result<()> {
        self.store.database().write(rename(self.store.context(), id, name.into())?)
    }

    /// Deletes a configuration: one row is written, whatever the number of its tasks, which stay.
    /// From then on they have no configuration id (0 in the task API) and the last name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound) if there is none or it was deleted, and the errors of
    /// [writing](TaskStore#errors-of-writing).
    pub fn delete(&self, id: ConfigurationId) -> Result<()> {
        self.store.database().write(delete(self.store.context(), id)?)
    }

    /// All configurations that were not deleted, in the order of their ids.
    ///
    /// # Errors
    ///
    /// The errors of [reading](TaskStore#errors-of-reading).
    pub fn list(&self) -> Result<Vec<Configuration>> {
        self.store.database().read(sqlite::configuration::list)
    }
}

pub(crate) fn add(context: &Context, name: String) -> Result<impl Fn(&Write<'_>) -> Result<ConfigurationId> + use<>> {
    context.limits.check_given_name("configuration_name", &name)?;
    Ok(move |write: &Write<'_>| sqlite::configuration::add(write, &name))
}

pub(crate) fn rename(
    context: &Context,
    id: ConfigurationId,
    name: String,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    context.limits.check_given_name("configuration_name", &name)?;
    Ok(move |write: &Write<'_>| sqlite::configuration::rename(write, id, &name))
}

pub(crate) fn delete(context: &Context, id: ConfigurationId) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    let now_ns = context.now_ns()?;
    Ok(move |write: &Write<'_>| sqlite::configuration::delete(write, id, now_ns))
}
