//! The ids of the store: positive 64-bit integers that are never used twice.

/// Defines one id type: a positive `i64` with the conversions that every id has.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// The id as the positive integer that is stored.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }

            /// The id of a row that SQLite just made or found, whose `CHECK (id > 0)` held.
            pub(crate) const fn of_row(id: i64) -> Self {
                Self(id)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = crate::Error;

            /// # Errors
            ///
            /// [`OutOfRange`](crate::Error::OutOfRange) if `id` is not positive.
            fn try_from(id: i64) -> crate::Result<Self> {
                if id > 0 {
                    Ok(Self(id))
                } else {
                    Err(crate::Error::OutOfRange { field: $field, value: id.to_string(), min: 1, max: i64::MAX })
                }
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::Error;

            /// # Errors
            ///
            /// [`OutOfRange`](crate::Error::OutOfRange) if `text` is not a whole number from 1 to `i64::MAX`.
            fn from_str(text: &str) -> crate::Result<Self> {
                text.parse::<i64>().ok().and_then(|id| Self::try_from(id).ok()).ok_or_else(|| {
                    crate::Error::OutOfRange { field: $field, value: text.to_owned(), min: 1, max: i64::MAX }
                })
            }
        }
    };
}

pub(crate) use id_type;
