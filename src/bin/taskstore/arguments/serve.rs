//! What can be typed behind `serve`.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use taskstore::http::{AnonymousLoopback, Options, Rights};

#[derive(Args, Debug)]
pub struct ServeArguments {
    /// Where to listen: an address or a name of this machine, and a port. With port 0 the system chooses one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: Listen,

    #[command(flatten)]
    pub access: Access,

    /// Answer requests to this host too, by any port or one; may be repeated. By default localhost, 127.0.0.1, [::1] and
    /// what --listen says.
    #[arg(long = "allowed-host", value_name = "HOST", value_parser = allowed_host)]
    pub allowed_hosts: Vec<String>,

    /// Describe both APIs at /openapi.json; nothing there by default.
    #[arg(long)]
    pub openapi: bool,

    /// Write a line of JSON for each request that is answered to standard error; none by default.
    ///
    /// Paths are without their queries, which may hold what somebody searches for. Lines that standard error does not take
    /// in time are left out, and counted in a later one.
    #[arg(long)]
    pub log: bool,
}

/// Who is let in: one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Access {
    /// Let in who sends a token of this file.
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,

    /// Let in everybody on this machine, without credentials and with all rights; not with a --listen that others reach.
    #[arg(long)]
    pub allow_anonymous_loopback: bool,
}

/// A host and a port, as they were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    host: String,
    port: u16,
}

impl Listen {
    /// All addresses that the host has.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }

    /// What requests may call the host, unless it stands for all that this machine has.
    pub fn allowed_host(&self) -> Option<&str> {
        let is_unspecified = self.host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
        if is_unspecified { None } else { Some(&self.host) }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = || {
            let (host, port) = text.rsplit_once(':')?;
            let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            // Only what has colons of its own is in brackets.
            let host = inner.unwrap_or(host);
            let is_host = !host.is_empty() && host.contains(':') == inner.is_some();
            Some(Self { host: host.to_owned(), port: port.parse().ok()? }).filter(|_| is_host)
        };
        parsed().ok_or("must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080")
    }
}

fn allowed_host(text: &str) -> Result<String, String> {
    // What the router will be asked to do with it.
    let options = Options::new(AnonymousLoopback::new(Rights::NONE));
    options.allowed_host(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen_is_a_host_and_a_port() {
        for (text, host) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("localhost:0", "localhost")] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!((listen.host.as_str(), listen.port, listen.to_string().as_str()), (host, 0, text));
            assert_eq!(listen.allowed_host(), Some(host));
        }
        for text in ["0.0.0.0:80", "[::]:80"] {
            assert_eq!(text.parse::<Listen>().unwrap().allowed_host(), None, "{text}");
        }
        for text in ["", ":", ":80", "80", "localhost", "localhost:", "a:99999", "::1:80", "[]:80", "[a]:80", "a:b:80"]
        {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
    }
}
