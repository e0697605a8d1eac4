//! What can be typed behind `token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use taskstore::http::Rights;

#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token for a user and add it to a file; prints the token alone, this once.
    ///
    /// The file holds a hash of the token, the rights and the user: whoever reads it cannot ask in the user's place. It is
    /// made if there is none, for its owner alone. Delete the line of a token and it is refused: a server sees that within
    /// a second.
    New(NewTokenArguments),
}

#[derive(Args, Debug)]
pub struct NewTokenArguments {
    /// Who has the token, as dismissals name it: at most 256 bytes.
    #[arg(allow_hyphen_values = true)]
    pub user: String,

    /// What the user may do: some of view, dismiss and run, with commas between. The others take view too.
    #[arg(long, value_name = "view,dismiss,run", value_parser = rights)]
    pub rights: Rights,

    /// The file of the tokens.
    #[arg(long, value_name = "PATH", env = "TASKSTORE_TOKEN_FILE", hide_env_values = true)]
    pub token_file: PathBuf,
}

fn rights(text: &str) -> Result<Rights, String> {
    let rights = text.parse().ok().filter(|rights| *rights != Rights::NONE);
    rights.ok_or_else(|| "must be some of view, dismiss and run, with commas between".to_owned())
}
