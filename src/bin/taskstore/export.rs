//! `taskstore export`.

use std::path::Path;

use crate::arguments::filter::FilterArguments;
use crate::database;
use crate::failure::Failure;
use crate::terminal::stream;

pub fn export(db: &Path, filter: FilterArguments) -> Result<(), Failure> {
    let store = database::open_to_read(db)?;
    stream(|out| match filter.is_given() {
        true => Ok(store.export_tasks(&filter.filter(), out).map(drop)?),
        false => Ok(store.export(out).map(drop)?),
    })
}
