//! How large an input may be. What is over a limit is refused before anything is written.

use crate::{Error, Result};

/// The largest inputs a store takes, in bytes of UTF-8 or in rows.
///
/// A store refuses what is longer with [`Error::TooLong`], which names the field, the limit and the size.
/// Limits bind what is written from now on; what an earlier store with larger limits wrote stays readable.
///
/// # Example
///
/// ```
/// use taskstore::{Error, Limits, NewTask, OpenOptions};
///
/// let limits = Limits { title_bytes_max: 8, ..Limits::default() };
/// let store = OpenOptions::new().limits(limits).open_in_memory()?;
/// let refused = store.start_detached(NewTask::new("nine byte")).unwrap_err();
/// assert!(matches!(refused, Error::TooLong { field: "title", bytes: 9, bytes_max: 8 }));
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A task's title: 1 KiB.
    pub title_bytes_max: usize,
    /// The name of a user, a configuration, a phase, a system task or a logger, a uid, and a key: 256 bytes.
    pub name_bytes_max: usize,
    /// The text of one message or log event: 1 MiB. At the most [`Limits::TEXT_BYTES_MAX`].
    pub text_bytes_max: usize,
    /// The description of a system task: 16 KiB.
    pub description_bytes_max: usize,
    /// The attributes of one log event, as JSON text: 256 KiB.
    pub attributes_bytes_max: usize,
    /// The rows of one page: 1,000.
    pub page_rows_max: u32,
}

impl Limits {
    /// No store takes a longer text than this, whatever its options say: 256 MiB.
    pub const TEXT_BYTES_MAX: usize = 256 << 20;

    pub(crate) fn check_title(&self, title: &str) -> Result<()> {
        within("title", title, self.title_bytes_max.min(Self::TEXT_BYTES_MAX))?;
        without_nul("title", title)
    }

    /// A name may be empty; [`Limits::check_given_name`] is for those that may not.
    pub(crate) fn check_name(&self, field: &'static str, name: &str) -> Result<()> {
        within(field, name, self.name_bytes_max)?;
        without_nul(field, name)
    }

    pub(crate) fn check_given_name(&self, field: &'static str, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::Invalid { field, problem: "must not be empty" });
        }
        self.check_name(field, name)
    }

    pub(crate) fn check_key(&self, key: Option<&str>) -> Result<()> {
        key.map_or(Ok(()), |key| self.check_given_name("key", key))
    }

    pub(crate) fn check_text(&self, field: &'static str, text: &str) -> Result<()> {
        within(field, text, self.text_bytes_max.min(Self::TEXT_BYTES_MAX))
    }

    pub(crate) fn check_description(&self, description: &str) -> Result<()> {
        within("description", description, self.description_bytes_max.min(Self::TEXT_BYTES_MAX))?;
        without_nul("description", description)
    }

    pub(crate) fn check_attributes(&self, attributes: &str) -> Result<()> {
        within("attributes", attributes, self.attributes_bytes_max.min(Self::TEXT_BYTES_MAX))
    }

    pub(crate) fn check_page(&self, limit: u32) -> Result<()> {
        if (1..=self.page_rows_max).contains(&limit) {
            return Ok(());
        }
        Err(Error::OutOfRange { field: "limit", value: limit.to_string(), min: 1, max: self.page_rows_max.into() })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            title_bytes_max: 1 << 10,
            name_bytes_max: 256,
            text_bytes_max: 1 << 20,
            description_bytes_max: 16 << 10,
            attributes_bytes_max: 256 << 10,
            page_rows_max: 1_000,
        }
    }
}

fn within(field: &'static str, text: &str, bytes_max: usize) -> Result<()> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    Err(Error::TooLong { field, bytes: text.len(), bytes_max })
}

/// SQLite stores a NUL, but its shell, `length` and `LIKE` stop there: a title that shows short is refused.
fn without_nul(field: &'static str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::Invalid { field, problem: "must not contain NUL (U+0000)" });
    }
    Ok(())
}
