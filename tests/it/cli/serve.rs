//! `taskstore serve`: a real server, its signals, and what it refuses.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use taskstore::http::{BearerTokens, Rights, User};
use taskstore::{Level, NewTask};

use super::{PATIENCE, Place, Started, wait_until};

pub(super) const ANONYMOUS: [&str; 4] = ["serve", "--allow-anonymous-loopback", "--listen", "127.0.0.1:0"];

impl Place {
    /// A server of this place's store, and where it listens.
    pub(super) fn serve(&self, more: &[&str]) -> (Started, String) {
        let started = self.start(&[&ANONYMOUS[..], more].concat());
        let line = started.first_line();
        (started, line.strip_prefix("listening on http://").unwrap().to_owned())
    }

    /// A store with a list of more than 8 MiB, which no buffers between two programs hold.
    pub(super) fn fill(&self) {
        let (store, text) = (self.store(), "x".repeat(1 << 20));
        for _ in 0..16 {
            let id = store.start_detached(NewTask::new("long")).unwrap();
            store.message(id, Level::Info, &text).unwrap();
        }
        store.close().unwrap();
    }
}

pub(super) fn ask(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// All that comes of a request that asks for the end of the connection.
pub(super) fn answer(address: &str, request: &str) -> String {
    let mut answer = String::new();
    ask(address, request).read_to_string(&mut answer).unwrap();
    answer
}

pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

pub(super) const LIST: &str =
    "POST /task/list HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn both_apis_are_answered_and_a_signal_ends_it_in_order() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let place = Place::new();
        place.ok(&["start", "--title", "copy"]);
        let (server, address) = place.serve(&[]);
        let list = answer(&address, LIST);
        assert!(status(&list) == "200" && list.contains(r#""title":"copy""#), "{list}");
        assert_eq!(status(&answer(&address, &get("/api/v3/events/system_tasks/"))), "200");
        server.signal(signal);
        let ended = server.end();
        assert_eq!((ended.code, ended.signal, ended.error.as_str()), (Some(0), None, ""));
        assert_eq!(ended.text(), format!("listening on http://{address}\n"));
        assert!(!place.path("tasks.db-wal").exists());
    }
}

/// Asks for the long list and takes its begin.
fn begun(address: &str) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(ask(address, LIST));
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(status(&line), "200");
    stream
}

#[test]
fn a_long_answer_arrives_whole_after_a_signal_and_nobody_else_is_let_in() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let place = Place::new();
        place.fill();
        let (server, address) = place.serve(&[]);
        let mut taking = begun(&address);
        server.signal(signal);
        wait_until("new connections to be refused", || TcpStream::connect(&address).is_err());
        let mut rest = Vec::new();
        taking.read_to_end(&mut rest).unwrap();
        assert!(rest.len() > 16 << 20 && rest.ends_with(b"\r\n0\r\n\r\n"), "{} bytes", rest.len());
        assert_eq!(server.end().code, Some(0));
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    place.fill();
    let (server, address) = place.serve(&[]);
    let mut taking = begun(&address);
    server.signal(Signal::SIGTERM);
    wait_until("new connections to be refused", || TcpStream::connect(&address).is_err());
    server.signal(Signal::SIGINT);
    assert_eq!(server.end().signal, Some(Signal::SIGINT as i32));
    let mut rest = Vec::new();
    let _ = taking.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"));
}

#[test]
fn only_hosts_that_are_named_are_answered_and_nobody_for_whom_a_proxy_asks() {
    let place = Place::new();
    place.store();
    let (_server, address) = place.serve(&["--allowed-host", "panel.example.org"]);
    let of = |host: &str| answer(&address, &LIST.replace("localhost", host));
    for (host, expected) in [("panel.example.org", "200"), ("127.0.0.1", "200"), ("example.org", "421")] {
        assert_eq!(status(&of(host)), expected, "{host}");
    }
    let forwarded = LIST.replace("connection", "x-forwarded-for: 192.0.2.1\r\nconnection");
    assert_eq!(status(&answer(&address, &forwarded)), "401");
}

#[test]
fn the_document_of_both_apis_is_there_where_it_is_asked_for() {
    let place = Place::new();
    place.store();
    for (more, expected) in [(&[][..], "404"), (&["--openapi"], "200")] {
        let (_server, address) = place.serve(more);
        assert_eq!(status(&answer(&address, &get("/openapi.json"))), expected);
    }
}

#[test]
fn who_has_a_token_is_let_in_with_the_rights_that_it_gives() {
    let place = Place::new();
    place.ok(&["start", "--title", "copy"]);
    place.ok(&["finish", "1"]);
    let user = User::new("ann", Rights::VIEW | Rights::DISMISS);
    let token = BearerTokens::add(place.path("tokens"), &user).unwrap();
    let server = place.start(&["serve", "--token-file", "tokens", "--listen", "127.0.0.1:0"]);
    let address = server.first_line().replace("listening on http://", "");
    assert_eq!(status(&answer(&address, LIST)), "401");
    let dismiss = format!(
        "POST /task/dismiss HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: 24\r\n\r\n{{\"params\":{{\"task_id\":1}}}}"
    );
    let answer = answer(&address, &dismiss);
    assert!(status(&answer) == "200" && answer.contains(r#""hidden_by":"ann""#), "{answer}");
    server.signal(Signal::SIGTERM);
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn what_keeps_it_from_serving_is_told_in_one_line() {
    let place = Place::new();
    place.store();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let refused = place.refused(&["serve", "--allow-anonymous-loopback", "--listen", &taken]);
    assert!(refused.starts_with(&format!("taskstore: cannot listen on {taken}: Address already in use")), "{refused}");
    let refused = place.refused(&["serve", "--allow-anonymous-loopback", "--listen", "no-such-host.invalid:80"]);
    assert!(refused.starts_with("taskstore: cannot listen on no-such-host.invalid:80: "), "{refused}");
    let refused = place.refused(&["serve", "--token-file", "no-tokens", "--listen", "127.0.0.1:0"]);
    assert!(refused.contains("no-tokens"), "{refused}");
}

#[test]
fn a_file_that_may_only_be_read_is_served() {
    let place = Place::new();
    place.ok(&["start", "--title", "copy"]);
    let mut rights = std::fs::metadata(place.path("tasks.db")).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(place.path("tasks.db"), rights).unwrap();
    let (server, address) = place.serve(&[]);
    assert!(answer(&address, LIST).contains(r#""title":"copy""#));
    server.signal(Signal::SIGTERM);
    assert_eq!(server.end().code, Some(0));
}

#[test]
fn that_nobody_takes_its_line_is_no_matter() {
    let place = Place::new();
    place.store();
    let (read, write) = io::pipe().unwrap();
    drop(read);
    // A port that was free a moment ago, since there is no line to learn it from.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = place.command(&["serve", "--allow-anonymous-loopback", "--listen", &address]);
    let mut child = command.stdout(write).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the server to listen", || TcpStream::connect(&address).is_ok());
    assert_eq!(status(&answer(&address, LIST)), "200");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn where_no_more_files_can_be_opened_a_newcomer_is_answered_still() {
    let place = Place::new();
    place.store();
    // Half of that is for connections, and what else is open takes more than the other half. There are so many that they
    // would not all end by themselves while we wait.
    let mut command = Command::new("sh");
    let script = "ulimit -n 24; exec \"$0\" \"$@\"";
    let program = place.command(&ANONYMOUS);
    command
        .args(["-c", script])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(place.directory.path());
    let server = Started::new(command);
    let address = server.first_line().replace("listening on http://", "");
    let _idle: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(&address).unwrap()).collect();
    assert_eq!(status(&answer(&address, &get("/none"))), "404");
    server.signal(Signal::SIGTERM);
    assert_eq!(server.end().code, Some(0));
}
