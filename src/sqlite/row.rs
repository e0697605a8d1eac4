//! How columns become values.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::configuration::ConfigurationId;
use crate::system_task::{LogLevel, RunId, SystemTaskStatus};
use crate::task::{Level, Outcome, TaskId};

/// A text column, with replacement characters where another program wrote what is not UTF-8: one such row must not
/// break a list.
pub(super) struct Text(pub(super) String);

impl FromSql for Text {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_bytes().map(lossy).map(Cow::into_owned).map(Self)
    }
}

/// A lent text column: borrowed where it is UTF-8; with replacement characters where it is not.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<Cow<'a, str>> {
    Ok(text_or_null(row, column)?.unwrap_or_default())
}

/// The same for a column that may be NULL.
pub(super) fn text_or_null<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<Option<Cow<'a, str>>> {
    let bytes = row.get_ref(column)?.as_bytes_or_null()?;
    Ok(bytes.map(lossy))
}

/// `String::from_utf8_lossy` looks at each byte; to find out that there is nothing to replace, this is much quicker.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A time column.
pub(super) struct Time(pub(super) DateTime<Utc>);

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(DateTime::from_timestamp_nanos).map(Self)
    }
}

/// A count or an amount: what the schema keeps from being negative.
pub(super) struct Amount(pub(super) u64);

impl FromSql for Amount {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl Outcome {
    /// The number that is stored; 0 stands for "none yet", which is stored as NULL.
    pub(crate) const fn code(outcome: Option<Self>) -> u8 {
        match outcome {
            None => 0,
            Some(Self::Finished) => 1,
            Some(Self::Failed) => 2,
            Some(Self::Interrupted) => 3,
        }
    }
}

impl ToSql for Outcome {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(Self::code(Some(*self)).into())
    }
}

impl FromSql for Outcome {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            1 => Ok(Self::Finished),
            2 => Ok(Self::Failed),
            3 => Ok(Self::Interrupted),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for Level {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code: u8 = match self {
            Self::Trace => 1,
            Self::Debug => 2,
            Self::Info => 3,
            Self::Warn => 4,
            Self::Error => 5,
        };
        Ok(code.into())
    }
}

impl FromSql for Level {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            1 => Ok(Self::Trace),
            2 => Ok(Self::Debug),
            3 => Ok(Self::Info),
            4 => Ok(Self::Warn),
            5 => Ok(Self::Error),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl SystemTaskStatus {
    /// The number that is stored: in the order of the words, by which the published list is ordered.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Successful => 2,
            Self::Unknown => 3,
            Self::Warning => 4,
        }
    }
}

impl ToSql for SystemTaskStatus {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for SystemTaskStatus {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = value.as_i64()?;
        Self::ALL.into_iter().find(|status| i64::from(status.code()) == code).ok_or(FromSqlError::OutOfRange(code))
    }
}

impl LogLevel {
    /// The number that is stored: the place in [`LogLevel::ALL`], from 1 on.
    const fn code(self) -> u8 {
        match self {
            Self::Critical => 1,
            Self::Exception => 2,
            Self::Error => 3,
            Self::Warn => 4,
            Self::Warning => 5,
            Self::Info => 6,
            Self::Debug => 7,
            Self::Notset => 8,
        }
    }
}

impl ToSql for LogLevel {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

impl FromSql for LogLevel {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = value.as_i64()?;
        Self::ALL.into_iter().find(|level| i64::from(level.code()) == code).ok_or(FromSqlError::OutOfRange(code))
    }
}

/// Ids are stored as their integers.
macro_rules! id_column {
    ($($id:ty),+) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.get().into())
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self::of_row)
            }
        }
    )+};
}

id_column!(ConfigurationId, RunId, TaskId);
