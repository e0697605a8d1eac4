//! The one function that the store adds to SQL.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use crate::system_task::{SystemTaskStatus, search};

/// `search_found(search, name, description, uid, status)`: whether every term of the search is found. `LIKE` folds
/// ASCII only.
pub(super) fn add_function(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("search_found", 5, flags, |context| {
        // Split once for the whole list.
        let terms = context.get_or_create_aux(0, |value| Ok::<_, rusqlite::Error>(search::terms(&text(value))))?;
        let status: SystemTaskStatus = context.get(4)?;
        let [name, description, uid] = [1, 2, 3].map(|argument| argument_text(context, argument));
        Ok(search::found(&terms, &[&name, &description, &uid, status.as_str()]))
    })
}

fn argument_text(context: &Context<'_>, argument: usize) -> String {
    text(context.get_raw(argument))
}

/// A NULL uid holds no term.
fn text(value: ValueRef<'_>) -> String {
    value.as_bytes_or_null().ok().flatten().map(String::from_utf8_lossy).unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn what_the_file_says_cannot_call_it() {
        let connection = Connection::open_in_memory().unwrap();
        add_function(&connection).unwrap();
        let flags = "SELECT flags FROM pragma_function_list WHERE name = 'search_found'";
        let flags: i32 = connection.query_row(flags, [], |row| row.get(0)).unwrap();
        for flag in [ffi::SQLITE_DETERMINISTIC, ffi::SQLITE_DIRECTONLY, ffi::SQLITE_INNOCUOUS] {
            assert_ne!(flags & flag, 0, "{flags:x} without {flag:x}");
        }
        let call = "search_found('a', 'a', '', NULL, 1)";
        let found: bool = connection.query_row(&format!("SELECT {call}"), [], |row| row.get(0)).unwrap();
        assert!(found);
        connection.execute_batch(&format!("CREATE VIEW hostile AS SELECT {call}")).unwrap();
        connection.query_row("SELECT * FROM hostile", [], |_| Ok(())).unwrap_err();
    }
}
