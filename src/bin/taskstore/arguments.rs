//! What can be typed.

mod duration;
pub mod filter;
pub mod prune;
pub mod serve;
pub mod simulate;
mod size;
pub mod system_task;
pub mod token;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use taskstore::{ConfigurationId, Level, TaskId};

use filter::FilterArguments;
use prune::{PruneArguments, StatsArguments};
use serve::ServeArguments;
use simulate::SimulateArguments;
use system_task::SystemTaskVerb;
use token::TokenVerb;

/// Records what is going on, and shows it to people.
///
/// Everything is in one database file. `start`, `run`, `configuration add`, `import` and `simulate` create it.
#[derive(Debug, Parser)]
#[command(name = "taskstore", version, max_term_width = 100)]
pub struct Arguments {
    /// The database file.
    #[arg(long, global = true, value_name = "PATH", env = "TASKSTORE_DB", default_value = "tasks.db")]
    #[arg(hide_env_values = true)]
    pub db: PathBuf,

    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Add, list, rename or delete configurations: what tasks relate to.
    #[command(subcommand)]
    Configuration(ConfigurationVerb),

    /// Start a task that stays in progress until `finish` or `fail`; prints its id alone.
    Start(StartArguments),

    /// Record a message of a task in progress.
    Message(MessageArguments),

    /// Record how far a task in progress has come; replaces what was recorded before.
    Progress(ProgressArguments),

    /// End a task as finished.
    Finish {
        /// The task.
        #[arg(allow_negative_numbers = true)]
        id: TaskId,
    },

    /// End a task as failed.
    Fail {
        /// The task.
        #[arg(allow_negative_numbers = true)]
        id: TaskId,

        /// Why; becomes the task's last message, at level error. None by default.
        #[arg(allow_hyphen_values = true)]
        reason: Option<String>,
    },

    /// Put ended tasks away, so that lists hide them: all that are named, or none.
    Dismiss {
        /// The tasks.
        #[arg(required = true, value_name = "ID", allow_negative_numbers = true)]
        ids: Vec<TaskId>,

        /// Who does it; the login user by default.
        #[arg(long, value_name = "USER", allow_hyphen_values = true)]
        by: Option<String>,
    },

    /// Take dismissed tasks out again: all that are named, or none.
    Restore {
        /// The tasks.
        #[arg(required = true, value_name = "ID", allow_negative_numbers = true)]
        ids: Vec<TaskId>,
    },

    /// List tasks, newest first: 50 of those that are not dismissed, unless something else is asked for.
    List(ListArguments),

    /// Write all that is in the database as lines of JSON, or only the tasks that are asked for.
    ///
    /// Without any option it is everything: configurations, tasks with all their messages, system tasks, and runs with all
    /// their events; deleted configurations and dismissed tasks, too. With any of them it is the tasks that pass, with their
    /// messages and configurations, and dismissed ones only if they are asked for. `import` takes both.
    ///
    /// It is one snapshot, however long the writing takes. If nobody takes our output for 30 seconds, it is cut there, with
    /// an error and status 1. What does not end in a line `{"end":…}` was cut.
    Export(FilterArguments),

    /// Add what `export` wrote: all of it, or nothing.
    ///
    /// In a database that held nothing, or is created now, everything is as it was, ids included. In another, the ids are
    /// raised, tasks and runs whose key is known are left out, and runs of a system task of the same name and uid are added
    /// to that.
    ///
    /// Meanwhile others can read, but not write. Ctrl-C undoes all, and the status is 130; what is wrong with the file is told with its line, and
    /// then nothing was imported either.
    Import(ImportArguments),

    /// Show one task and its messages.
    Show(ShowArguments),

    /// Fill a database with a past that could have been, and that ends now: for demonstrations and benchmarks.
    ///
    /// People start tasks, which say how far they are, and finish, fail or are cut off; some are dismissed later. Background
    /// jobs run beside them, and log. The same seed, number and end make the same past, to the last byte of an export.
    ///
    /// Others can read and write meanwhile. Ctrl-C ends it between two transactions, with status 130: what was made by then
    /// stays.
    Simulate(SimulateArguments),

    /// Look for damage, and for what breaks the rules of the store.
    ///
    /// It reads the whole database, some seconds a gigabyte, holds up nobody, and changes nothing. If all is sound it
    /// prints `ok`. Otherwise it prints what it has found, a line each and a hundred of a kind at most, and exits with 1.
    Check,

    /// Copy the whole database to a new file, whoever writes meanwhile.
    ///
    /// The copy is of one instant, and a database of its own: give it to `--db`. The file gets its name when it is complete
    /// and on disk. Nothing is overwritten.
    ///
    /// At Ctrl-C (SIGINT or SIGTERM) it stops, leaves nothing behind, and exits with 130. A second one ends it at once, and
    /// may leave a file `unfinished-taskstore-backup-...` beside the new one's place, as a crash may.
    Backup {
        /// The new file.
        #[arg(value_name = "DEST")]
        destination: PathBuf,
    },
    /// Delete ended tasks that are no longer to be kept, and give their space back. Nothing else deletes any.
    ///
    /// Tasks in progress stay, whatever is asked. Others read and write meanwhile. Ctrl-C ends it between two tasks, with
    /// status 130: what was deleted by then is gone, and another call goes on.
    Prune(PruneArguments),

    /// Tell how large the database is, and how much is in it.
    Stats(StatsArguments),

    /// Run a command as a task: its output becomes messages, its end the task's end.
    ///
    /// Each line of the command's standard output becomes a message at level info, each line of its standard error one
    /// at level warn. Both still come out here as they come in, byte for byte. The command sees pipes there, not a
    /// terminal; its standard input is the one of `taskstore run`. If our output is closed, the command's is closed too.
    ///
    /// Status 0 finishes the task, anything else fails it with the reason. `run` then exits as the command did: with its
    /// status or by its signal; with 127 if the command was not found, 126 if it could not be started. Without a task
    /// (the database cannot be written, say) the command is not run, and the status is 1.
    ///
    /// SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT are passed on to the command and recorded.
    ///
    /// Once the command has exited, `run` waits at most 2 seconds for processes that it left behind and that still hold
    /// its output. What they print later is not recorded, and they find the pipe closed.
    Run(RunArguments),

    /// Run, list, show or clean up system tasks: background jobs and the history of their runs.
    #[command(subcommand)]
    SystemTask(SystemTaskVerb),

    /// Interrupt what is still in progress though the process that ran it has ended; prints how much it was.
    ///
    /// Every command does that first where it can write the database, and `serve` every 10 seconds. A process that runs is
    /// never taken for an ended one, however slow it is, or stopped. What `start` started belongs to no process.
    Recover,

    /// Answer both published APIs over HTTP, until SIGINT (Ctrl-C) or SIGTERM.
    ///
    /// Who is let in must be said: those with a token, or everybody on this machine. Once it is ready, it prints one line
    /// with its address. It speaks plain HTTP; for other machines put a proxy with TLS before it.
    ///
    /// At a signal it takes no more requests, finishes what it is answering within 30 seconds, and exits with 0. A second
    /// signal ends it at once.
    Serve(ServeArguments),

    /// Make bearer tokens, by which people and programs ask a server.
    #[command(subcommand)]
    Token(TokenVerb),
}

#[derive(Debug, Subcommand)]
pub enum ConfigurationVerb {
    /// Add a configuration; prints its id alone.
    Add {
        /// Its name.
        #[arg(allow_hyphen_values = true)]
        name: String,
    },

    /// List the configurations.
    List,

    /// Rename a configuration, which shows on all its tasks.
    Rename {
        /// The configuration.
        #[arg(allow_negative_numbers = true)]
        id: ConfigurationId,

        /// Its new name.
        #[arg(allow_hyphen_values = true)]
        name: String,
    },

    /// Delete a configuration. Its tasks stay, and keep its last name.
    Delete {
        /// The configuration.
        #[arg(allow_negative_numbers = true)]
        id: ConfigurationId,
    },
}

/// What `start` and `run` know of a task.
#[derive(Args, Debug)]
pub struct TaskArguments {
    /// What the task is: at most 1,024 bytes.
    #[arg(long, allow_hyphen_values = true)]
    pub title: String,

    /// The user who starts it; the login user by default.
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    pub performed_by: Option<String>,

    /// The configuration that it relates to; none by default.
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub configuration: Option<ConfigurationId>,
}

#[derive(Args, Debug)]
pub struct StartArguments {
    #[command(flatten)]
    pub task: TaskArguments,

    /// Start nothing if a task has this key, and print the id of that task; no key by default.
    #[arg(long, allow_hyphen_values = true)]
    pub key: Option<String>,
}

#[derive(Args, Debug)]
pub struct MessageArguments {
    /// The task.
    #[arg(allow_negative_numbers = true)]
    pub id: TaskId,

    /// What it says: any text of at most 1 MiB, also none, also many lines.
    #[arg(allow_hyphen_values = true)]
    pub text: String,

    /// How much it matters.
    #[arg(long, default_value = Level::Info.as_str(), value_parser = level())]
    pub level: Level,

    /// Record nothing if a message of the task has this key; no key by default.
    #[arg(long, allow_hyphen_values = true)]
    pub key: Option<String>,
}

#[derive(Args, Debug)]
pub struct ProgressArguments {
    /// The task.
    #[arg(allow_negative_numbers = true)]
    pub id: TaskId,

    /// How much is done, in units of the task's own.
    #[arg(allow_negative_numbers = true)]
    pub done: u64,

    /// How much there is to do, in the same units; not known by default.
    #[arg(allow_negative_numbers = true)]
    pub total: Option<u64>,

    /// What the task is doing now; nothing by default.
    #[arg(long, allow_hyphen_values = true)]
    pub phase: Option<String>,
}

#[derive(Args, Debug)]
pub struct ListArguments {
    /// The most tasks to list, from 1. Not with --json, which lists all, as the task API does.
    #[arg(long, value_name = "N", default_value = "50", value_parser = count_from::<1>)]
    #[arg(conflicts_with = "json", allow_negative_numbers = true)]
    pub limit: u64,

    /// Print the body of a successful /task/list of the task API; a table by default.
    ///
    /// If nobody takes our output for 30 seconds, it is cut there, with an error and status 1.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub filter: FilterArguments,
}

#[derive(Args, Debug)]
pub struct ImportArguments {
    /// What `taskstore export` wrote; "-" for standard input, as by default.
    #[arg(default_value = "-", hide_default_value = true)]
    pub file: PathBuf,
}

#[derive(Args, Debug)]
pub struct ShowArguments {
    /// The task.
    #[arg(allow_negative_numbers = true)]
    pub id: TaskId,

    /// Go on until the task ends: print new messages as they come. With --json, wait for the end first.
    #[arg(long)]
    pub follow: bool,

    /// Only the last N messages, before those that --follow adds; all by default. Not with --json.
    #[arg(long, value_name = "N", value_parser = count_from::<0>)]
    #[arg(conflicts_with = "json", allow_negative_numbers = true)]
    pub tail: Option<u64>,

    /// Print the body of a successful /task/show of the task API; text for people by default.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct RunArguments {
    #[command(flatten)]
    pub task: TaskArguments,

    /// Print nothing of our own about a task that started and ended; by default two lines on standard error.
    #[arg(long, short)]
    pub quiet: bool,

    /// The command and its arguments, behind `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

fn count_from<const LEAST: u64>(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|count| *count >= LEAST);
    count.ok_or_else(|| format!("must be a whole number from {LEAST} to {}", u64::MAX))
}

/// Reads a level, and lists them all in the help.
fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::as_str)).try_map(|name| name.parse::<Level>())
}
