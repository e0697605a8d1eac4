//! Bearer tokens: which header lets whom in.

mod file;
mod header;

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Method};
use taskstore::http::{BearerTokens, Options, Rights, User};
use tempfile::TempDir;

use super::{Answer, Served, request};
use crate::support::{ManualClock, Nanoseconds as _, temporary};

const SECOND_NS: i64 = 1_000_000_000;
const LIST: &str = "/task/list";
const SYSTEM_TASKS: &str = "/api/v3/events/system_tasks/";

/// A file of tokens, and a router that lets in who has one of them.
struct Guarded {
    directory: TempDir,
    clock: ManualClock,
    tokens: BearerTokens,
    served: Served,
}

impl Guarded {
    /// With these texts in the file.
    fn with(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens");
        write(&path, text);
        // By this clock the file changed long ago, so that its looks decide, as in the long run.
        let clock = ManualClock::at("2200-01-01T00:00:00Z".parse().unwrap());
        let tokens = BearerTokens::open(&path).unwrap().clock(clock.clone());
        let served = Served::with(temporary(), Options::new(tokens.clone()));
        Self { directory, clock, tokens, served }
    }

    fn new() -> Self {
        Self::with("")
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("tokens")
    }

    /// A new token, after the second in which nobody looks whether there is one.
    fn add(&self, name: &str, rights: Rights) -> String {
        let token = BearerTokens::add(self.path(), &User::new(name, rights)).unwrap();
        self.look();
        token
    }

    /// Lets the file be looked at.
    fn look(&self) {
        self.clock.advance_ns(SECOND_NS);
    }

    /// What a request with these values of `Authorization` gets.
    fn ask(&self, method: Method, path: &str, authorizations: &[&[u8]], body: &str) -> Answer {
        let mut request = request(method, path).body(Body::from(body.to_owned())).unwrap();
        for value in authorizations {
            request.headers_mut().append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", json);
        self.served.ask(request)
    }

    fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        self.ask(Method::POST, path, &[bearer(token).as_bytes()], body)
    }

    /// Whether this token lets anybody in.
    fn knows(&self, token: &str) -> bool {
        let status = self.post(LIST, token, "").status;
        assert!(matches!(status, 200 | 401), "{status}");
        status == 200
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Makes this the text of the file, in the same inode, for its owner alone.
fn write(path: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn read(path: &Path) -> String {
    String::from_utf8(crate::support::files::bytes(path).unwrap()).unwrap()
}
