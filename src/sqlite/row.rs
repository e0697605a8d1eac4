//! How columns become values.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::configuration::ConfigurationId;
use crate::task::{Level, Outcome, TaskId};

/// A text column, with replacement characters where another program wrote what is not UTF-8: one such row must not
/// break a list.
pub(super) struct Text(pub(super) String);

impl FromSql for Text {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(String::from_utf8_lossy(value.as_bytes()?).into_owned()))
    }
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

id_column!(ConfigurationId, TaskId);
