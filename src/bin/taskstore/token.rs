//! `taskstore token`: who may ask a server.

use taskstore::http::{BearerTokens, User};

use crate::arguments::token::{NewTokenArguments, TokenVerb};
use crate::failure::Failure;
use crate::terminal::{must_be_read, print};

pub fn perform(verb: TokenVerb) -> Result<(), Failure> {
    match verb {
        TokenVerb::New(arguments) => new(arguments),
    }
}

fn new(NewTokenArguments { user, rights, token_file }: NewTokenArguments) -> Result<(), Failure> {
    // A token that nobody is told is of no use.
    must_be_read()?;
    let token = BearerTokens::add(token_file, &User::new(user, rights))?;
    print(|out| Ok(writeln!(out, "{token}")?))
}
