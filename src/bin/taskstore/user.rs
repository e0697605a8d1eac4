//! Who is at the keyboard.

use std::env;

use nix::unistd::{User, getuid};

/// The login user: the name of the real user id, else what the environment says, else the number of that id.
pub fn login_user() -> String {
    let id = getuid();
    let known = User::from_uid(id).ok().flatten().map(|user| user.name);
    known.or_else(from_environment).unwrap_or_else(|| id.to_string())
}

fn from_environment() -> Option<String> {
    ["USER", "LOGNAME"].into_iter().filter_map(|name| env::var(name).ok()).find(|name| !name.is_empty())
}
