//! Names of hosts, as `Host` and `Origin` have them.

use std::net::Ipv6Addr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

/// A host and maybe a port, in the one form in which they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// Reads `example.org`, `example.org:8080`, `127.0.0.1`, `[::1]:80`, and `::1` too.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Some(Self { name: format!("[{address}]"), port: None });
        }
        let authority: Authority = text.parse().ok().filter(|_| !text.contains('@'))?;
        let name = authority.host();
        let name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(address) => format!("[{}]", address.parse::<Ipv6Addr>().ok()?),
            None => name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(),
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(&byte);
        // What follows the name is a port or nothing: a bad one is not the same as none.
        let port = authority.port_u16();
        let has_port = text.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        if name.is_empty() || !name.bytes().all(is_plain) || has_port != port.is_some() {
            return None;
        }
        Some(Self { name, port })
    }

    /// Whether requests to `asked` are for this host. One without a port is it at every port.
    pub(super) fn is(&self, asked: &Self) -> bool {
        self.name == asked.name && self.port.is_none_or(|port| asked.port == Some(port))
    }
}

/// An origin as browsers write it: in lower case, and without the port that its scheme has anyway.
pub(super) fn origin(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    let (scheme, usual_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => ("http", 80),
        "https" => ("https", 443),
        _ => return None,
    };
    let Host { name, port } = Host::parse(host)?;
    let port = port.filter(|port| *port != usual_port).map(|port| format!(":{port}"));
    Some(format!("{scheme}://{name}{}", port.unwrap_or_default()))
}

/// Where a request goes: `None` if it does not say so once and in a readable way.
pub(super) fn asked(request: &Parts) -> Option<Host> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let of_header = hosts.next().map(|host| host.to_str().ok().and_then(Host::parse));
    // HTTP/2, and a request that a proxy is meant for, have it in the address.
    let of_address = request.uri.authority().map(|authority| Host::parse(authority.as_str()));
    match (of_header, of_address, hosts.next()) {
        (Some(host), None, None) | (None, Some(host), None) => host,
        (Some(host), Some(same), None) if host == same => host,
        _ => None,
    }
}

/// Whether a page of another origin may have sent this request, by what browsers say of it. A request that says nothing of
/// that does not come from a page.
pub(super) fn is_foreign(request: &Parts, asked: &Host, allowed: &[String]) -> bool {
    let mut origins = request.headers.get_all(ORIGIN).iter();
    let from_here =
        |origin: &str| origin.split_once("://").and_then(|(_, host)| Host::parse(host)).as_ref() == Some(asked);
    match (origins.next().map(|origin| origin.to_str().unwrap_or_default()), origins.next()) {
        (_, Some(_)) => return true,
        (Some(origin), None) if allowed.iter().any(|allowed| allowed == origin) => return false,
        (Some(origin), None) if !from_here(origin) => return true,
        (Some(_) | None, None) => {}
    }
    request.headers.get_all("sec-fetch-site").iter().any(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_do() {
        for (text, written) in [
            ("https://Panel.Example.org", "https://panel.example.org"),
            ("HTTPS://a:443", "https://a"),
            ("https://a:80", "https://a:80"),
            ("http://a:80", "http://a"),
            ("http://[0::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(written), "{text}");
        }
        for text in ["", "a", "null", "*", "https://", "https://a/", "https://a/b", "https://u@a", "file://a", "//a"] {
            assert_eq!(origin(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_host_is_read_in_whatever_way_it_is_written() {
        for (text, name, port) in [
            ("localhost", "localhost", None),
            ("LocalHost.:80", "localhost", Some(80)),
            ("127.0.0.1:8080", "127.0.0.1", Some(8080)),
            ("::1", "[::1]", None),
            ("[::1]", "[::1]", None),
            ("[0:0::1]:1", "[::1]", Some(1)),
        ] {
            assert_eq!(Host::parse(text), Some(Host { name: name.to_owned(), port }), "{text}");
        }
        for text in [
            "", ":", ":80", "a:", "a:b", "a:99999", "a b", "user@a", "[::1", "[a]", "a/b", "[::1]:", "*", "*.a",
            "a%20b", "é",
        ] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
    }
}
