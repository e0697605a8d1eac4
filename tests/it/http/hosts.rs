//! Only requests that are meant for this server are answered.

use super::{ROWS, Served, bare, detail, failure, options, with_headers};
use crate::support::temporary;

/// The status of a request that has these `Host` headers and this address.
fn status(served: &Served, address: &str, hosts: &[&str]) -> u16 {
    let hosts: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
    served.ask(with_headers(bare("POST", address).header("x-user", "ann"), &hosts)).status
}

#[test]
fn this_machine_is_known_in_every_way_to_write_it() {
    let served = Served::new();
    for host in [
        "localhost",
        "LocalHost",
        "localhost.",
        "localhost:80",
        "localhost.:8080",
        "127.0.0.1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:8080",
        "[0:0:0:0:0:0:0:1]",
    ] {
        assert_eq!(status(&served, "/task/list", &[host]), 200, "{host}");
    }
}

#[test]
fn any_other_host_is_misdirected_and_so_is_none_or_an_unclear_one() {
    let served = Served::new();
    for hosts in [
        &["evil.example"][..],
        &["localhost.evil.example"],
        &["evil.example:8080"],
        &["notlocalhost"],
        &["127.0.0.2"],
        &["127.0.0.1.evil.example"],
        &["127.1"],
        &["2130706433"],
        &["0.0.0.0"],
        &["[::2]"],
        &["[::ffff:127.0.0.1]"],
        &["::1"],
        &["localhost:"],
        &["localhost:x"],
        &["localhost:99999"],
        &["localhost:80:80"],
        &["localhost, evil.example"],
        &["localhost/"],
        &["evil.example@localhost"],
        &["localhost@evil.example"],
        &["http://localhost"],
        &["localhost.."],
        &[""],
        &[],
        &["localhost", "localhost"],
        &["localhost", "evil.example"],
    ] {
        let known = if hosts == ["::1"] { 200 } else { 421 };
        assert_eq!(status(&served, "/task/list", hosts), known, "{hosts:?}");
    }
    for (path, refused) in [
        ("/task/list", failure("requests to this host are not answered")),
        ("/task/x", failure("requests to this host are not answered")),
        (ROWS, detail("Requests to this host are not answered.")),
        ("/", detail("Requests to this host are not answered.")),
    ] {
        let answer = served.ask(with_headers(bare("GET", path), &[("host", "evil.example")]));
        assert_eq!(answer.told(), (421, refused.as_str()), "{path}");
    }
}

#[test]
fn an_absolute_address_names_the_host_too_and_must_not_contradict() {
    let served = Served::new();
    for (address, hosts, expected) in [
        ("http://localhost:80/task/list", &[][..], 200),
        ("http://localhost/task/list", &["localhost"], 200),
        ("http://LOCALHOST:80/task/list", &["localhost.:80"], 200),
        ("http://evil.example/task/list", &[], 421),
        ("http://evil.example/task/list", &["localhost"], 421),
        ("http://localhost/task/list", &["evil.example"], 421),
        ("http://localhost:80/task/list", &["localhost:81"], 421),
        ("http://ann@localhost/task/list", &[], 421),
    ] {
        assert_eq!(status(&served, address, hosts), expected, "{address} {hosts:?}");
    }
}

#[test]
fn a_host_that_is_allowed_is_known_at_its_port_or_at_any() {
    let options = options().allowed_host("panel.example.org").unwrap().allowed_host("10.0.0.1:8443").unwrap();
    let served = Served::with(temporary(), options.allowed_host("[2001:db8::1]").unwrap());
    for (host, expected) in [
        ("Panel.Example.org", 200),
        ("panel.example.org:1", 200),
        ("a.panel.example.org", 421),
        ("example.org", 421),
        ("10.0.0.1:8443", 200),
        ("10.0.0.1", 421),
        ("10.0.0.1:8444", 421),
        ("[2001:DB8:0::1]:9", 200),
        ("localhost", 200),
    ] {
        assert_eq!(status(&served, "/task/list", &[host]), expected, "{host}");
    }
    for host in ["", "a b", "http://a", "a/b", "a:x", "u@a", "*"] {
        let Err(error) = super::options().allowed_host(host) else { panic!("{host:?} is no host") };
        let must = "allowed_host must be the name or the address of a host, with a port or without";
        assert_eq!(error.to_string(), must, "{host:?}");
    }
}
