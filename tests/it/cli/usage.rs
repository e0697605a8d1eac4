//! What is typed wrongly.

use super::Place;

#[test]
fn a_usage_error_exits_with_2_and_says_so_on_standard_error() {
    let place = Place::new();
    let wrong: [&[&str]; 43] = [
        &["simulate", "--tasks", "0"],
        &["simulate", "--seed", "-1"],
        &["simulate", "--until", "soon"],
        &["backup"],
        &["check", "now"],
        &[],
        &["frobnicate"],
        &["start"],
        &["start", "--title"],
        &["start", "--title", "t", "--configuration", "0"],
        &["message", "1"],
        &["message", "one", "x"],
        &["message", "-1", "x"],
        &["message", "9223372036854775808", "x"],
        &["message", "1", "x", "--level", "loud"],
        &["progress", "1"],
        &["progress", "1", "-1"],
        &["progress", "1", "1", "much"],
        &["dismiss"],
        &["restore"],
        &["list", "--limit", "0"],
        &["list", "--limit", "-1"],
        &["show"],
        &["show", "1", "--tail", "-1"],
        &["show", "1", "--tail", "1", "--json"],
        &["prune"],
        &["prune", "--older-than", "30"],
        &["prune", "--keep", "-1"],
        &["prune", "--max-size", "500"],
        &["prune", "--keep", "1", "--outcome", "in-progress"],
        &["stats", "now"],
        &["run", "--title", "t"],
        &["run", "--title", "t", "true"],
        &["configuration"],
        &["serve"],
        &["serve", "--token-file", "tokens", "--allow-anonymous-loopback"],
        &["serve", "--allow-anonymous-loopback", "--listen", "8080"],
        &["serve", "--allow-anonymous-loopback", "--listen", "localhost"],
        &["serve", "--allow-anonymous-loopback", "--listen", "::1:0"],
        &["serve", "--allow-anonymous-loopback", "--listen", "127.0.0.1:65536"],
        &["serve", "--allow-anonymous-loopback", "--listen", "0.0.0.0:0"],
        &["serve", "--allow-anonymous-loopback", "--listen", "[::]:0"],
        &["serve", "--allow-anonymous-loopback", "--allowed-host", "http://localhost"],
    ];
    for arguments in wrong {
        let ended = place.call(arguments);
        assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.error.contains("Usage: ") || ended.error.contains("--help"), "{}", ended.error);
    }
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_limit_is_refused_with_json_which_has_none() {
    let place = Place::new();
    place.store();
    let ended = place.call(&["list", "--json", "--limit", "5"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""));
    assert!(ended.error.contains("'--json' cannot be used with '--limit <N>'"), "{}", ended.error);
}

#[test]
fn no_credentials_at_an_address_that_others_reach_is_refused_with_what_to_do() {
    let ended = Place::new().call(&["serve", "--allow-anonymous-loopback", "--listen", "192.0.2.1:80"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""));
    let expected =
        "--allow-anonymous-loopback cannot be used with --listen 192.0.2.1:80, which other machines may reach";
    assert!(ended.error.contains(expected) && ended.error.contains("use --token-file"), "{}", ended.error);
}

#[test]
fn what_was_typed_is_repeated_harmlessly() {
    let ended = Place::new().call(&["list", "\x1b[2J\u{202e}"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.error.contains(r"\x1b[2J\u{202e}"), "{:?}", ended.error);
}

#[test]
fn every_command_and_every_option_has_a_help_text() {
    let place = Place::new();
    let commands: [&[&str]; 30] = [
        &[],
        &["configuration"],
        &["configuration", "add"],
        &["configuration", "list"],
        &["configuration", "rename"],
        &["configuration", "delete"],
        &["start"],
        &["message"],
        &["progress"],
        &["finish"],
        &["fail"],
        &["dismiss"],
        &["restore"],
        &["list"],
        &["export"],
        &["import"],
        &["show"],
        &["simulate"],
        &["prune"],
        &["stats"],
        &["run"],
        &["serve"],
        &["system-task"],
        &["system-task", "run"],
        &["system-task", "list"],
        &["system-task", "show"],
        &["system-task", "history"],
        &["system-task", "clean"],
        &["token"],
        &["token", "new"],
    ];
    for command in commands {
        let help = place.ok(&[command, &["-h"]].concat());
        assert!(help.contains("Usage: taskstore"), "{help}");
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.trim().contains("  ") || line.starts_with("          "), "{command:?} leaves unsaid: {line}");
        }
    }
    assert!(place.ok(&["--version"]).starts_with("taskstore "));
}

/// The words of a help text that stand first in their lines and begin with `--`, or with a short option before that.
fn options(help: &str) -> Vec<String> {
    let first = |line: &str| line.trim().trim_start_matches("-q, ").split([' ', '=']).next().unwrap_or("").to_owned();
    help.lines().map(first).filter(|word| word.starts_with("--")).collect()
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that goes on below is indented further.
    let names = listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names.map(|line| line.split(' ').next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

#[test]
fn the_readme_names_every_command_and_every_option() {
    let readme = include_str!("../../../README.md");
    let place = Place::new();
    let mut found = 0;
    let mut unseen = vec![Vec::new()];
    while let Some(path) = unseen.pop() {
        let help = place.ok(&[path.clone(), vec!["--help".to_owned()]].concat());
        for option in options(&help) {
            assert!(option == "--help" || readme.contains(&option), "{option} of {path:?} is not in the README");
            found += 1;
        }
        for name in commands(&help) {
            assert!(readme.contains(&name), "{name} is not in the README");
            unseen.push([path.clone(), vec![name]].concat());
        }
    }
    assert!(found > 40, "{found} options found");
}
