//! `taskstore import`.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use taskstore::{Error, ImportReport};

use crate::arguments::ImportArguments;
use crate::database;
use crate::failure::Failure;
use crate::terminal::bar::Bar;
use crate::terminal::interrupt::{self, Interrupt};
use crate::terminal::print;

/// What is read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// How often it is asked, while nothing comes, whether we are to stop.
const ASK_EVERY_MS: u16 = 100;

pub fn import(db: &Path, ImportArguments { file }: &ImportArguments) -> Result<(), Failure> {
    // First, so that a mistyped name creates no database.
    let input = open(db, file)?;
    let interrupt = interrupt::watch()?;
    let store = database::open_or_create(db)?;
    let bar = Bar::new("importing");
    let reader = Watched { input, read: 0, interrupt: &interrupt, bar: &bar };
    let imported = store.import(BufReader::with_capacity(BUFFER_BYTES, reader));
    bar.finish();
    match imported {
        Ok(report) => tell(&report),
        Err(Error::Io { .. }) if interrupt.requested() => Err(Failure::Interrupted { what: "nothing was imported" }),
        Err(error) => Err(error.into()),
    }
}

/// The input, and how much it is if that is known.
fn open(db: &Path, file: &Path) -> Result<(File, Option<u64>), Failure> {
    let failed = |source| Failure::CannotRead { path: file.to_owned(), source };
    if file.as_os_str() == "-" {
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
        return Ok((input.into(), None));
    }
    // Who opens and closes the database itself drops the locks on it.
    let is = |other: &Metadata, one: &Metadata| (other.dev(), other.ino()) == (one.dev(), one.ino());
    let metadata = fs::metadata(file).map_err(failed)?;
    if fs::metadata(db).is_ok_and(|db| is(&db, &metadata)) {
        return Err(failed(io::Error::other("it is the database itself; give what `taskstore export` wrote")));
    }
    #[allow(clippy::disallowed_methods)] // It is not the database.
    let input = File::open(file).map_err(failed)?;
    Ok((input, Some(metadata.len()).filter(|_| metadata.is_file())))
}

/// Shows how much was read, and fails once we are to stop: then all is undone.
struct Watched<'a> {
    input: (File, Option<u64>),
    read: u64,
    interrupt: &'a Interrupt,
    bar: &'a Bar,
}

impl Watched<'_> {
    fn wait(&self) -> io::Result<()> {
        loop {
            if self.interrupt.requested() {
                return Err(io::Error::other("interrupted"));
            }
            let mut watched = [PollFd::new(self.input.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut watched, PollTimeout::from(ASK_EVERY_MS)) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        let (input, total) = &mut self.input;
        let count = input.read(buffer)?;
        self.read += u64::try_from(count).unwrap_or(0);
        if let Some(total) = *total {
            self.bar.set(self.read, total);
        }
        Ok(count)
    }
}

fn tell(report: &ImportReport) -> Result<(), Failure> {
    let ImportReport { configurations, tasks, messages, system_tasks, runs, events, .. } = *report;
    let ImportReport { known_tasks, known_system_tasks, known_runs, ids_raised_by, .. } = *report;
    print(|out| {
        writeln!(out, "configurations  {configurations}")?;
        writeln!(out, "tasks           {tasks}, with {messages} messages")?;
        writeln!(out, "system tasks    {system_tasks}")?;
        writeln!(out, "runs            {runs}, with {events} events")?;
        if known_tasks + known_system_tasks + known_runs > 0 {
            write!(out, "There were already: {known_tasks} tasks and {known_runs} runs, by their keys, ")?;
            writeln!(out, "and {known_system_tasks} system tasks, by name and uid.")?;
        }
        let [by_configuration, by_task, by_run] = [ids_raised_by.configuration, ids_raised_by.task, ids_raised_by.run];
        if by_configuration + by_task + by_run > 0 {
            write!(out, "Their ids were raised: by {by_configuration} for configurations, ")?;
            writeln!(out, "by {by_task} for tasks, by {by_run} for runs.")?;
        }
        Ok(())
    })
}
