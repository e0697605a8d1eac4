//! `taskstore configuration`.

use std::path::Path;

use crate::arguments::ConfigurationVerb;
use crate::database;
use crate::failure::Failure;
use crate::terminal::table::Table;
use crate::terminal::text::harmless;
use crate::terminal::{print, width};

pub fn perform(db: &Path, verb: ConfigurationVerb) -> Result<(), Failure> {
    match verb {
        ConfigurationVerb::Add { name } => {
            let id = database::open_or_create(db)?.configurations().add(name)?;
            print(|out| Ok(writeln!(out, "{id}")?))
        }
        ConfigurationVerb::List => list(db),
        ConfigurationVerb::Rename { id, name } => Ok(database::open_existing(db)?.configurations().rename(id, name)?),
        ConfigurationVerb::Delete { id } => Ok(database::open_existing(db)?.configurations().delete(id)?),
    }
}

fn list(db: &Path) -> Result<(), Failure> {
    let configurations = database::open_to_read(db)?.configurations().list()?;
    print(|out| {
        if configurations.is_empty() {
            return Ok(writeln!(out, "No configurations.")?);
        }
        let rows = configurations.iter().map(|found| [found.id.to_string(), harmless(&found.name)]);
        Ok(Table::new(["ID", "NAME"], width()).write(out, &rows.collect::<Vec<_>>())?)
    })
}
