//! The README's recipes for curl, each run as it stands there: only the address is another.

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::http::request::Parts;
use taskstore::http::{Options, Rights, RunRequest, Unauthenticated, User, router};
use taskstore::{NewTask, RunOptions, TaskStore};
use tokio::runtime::Runtime;

use super::{Place, Started, wait_until};

const README: &str = include_str!("../../../README.md");

/// Where the recipes say the server is.
const ADDRESS: &str = "127.0.0.1:8080";

/// What is answered, in the order of the recipes: the end of a command, the status, and parts of the body.
const ANSWERS: [(&str, &str, &[&str]); 12] = [
    ("--json '{}' http://127.0.0.1:8080/task/list", "200", &[r#""title":"Copy""#, r#""title":"Of prod""#]),
    ("/task/list", "200", &[r#""title":"Copy""#, r#""title":"Put away""#, r#""state":"Dismissed""#]),
    ("/task/list", "200", &[r#"{"result":{"tasks":[{"configuration_id":1,"#, r#""title":"Of prod""#]),
    ("/task/show", "200", &[r#"{"result":{"configuration_id":0,"#, r#""state":"End","task_id":1,"title":"Copy""#]),
    ("/task/dismiss", "200", &[r#""hidden_by":"ann""#, r#""state":"Dismissed","task_id":1"#]),
    ("/task/restore", "200", &[r#""hidden_by":"""#, r#""state":"End","task_id":1"#]),
    ("/task/dismiss_all", "200", &[r#"{"result":{"dismissed":2},"successful":true}"#]),
    ("/system_tasks/", "200", &[r#""count":3,"#, r#""name":"nightly backup""#, r#""name":"scan""#]),
    ("page_size=20'", "200", &[r#""count":1,"#, r#""name":"scan""#, r#""status":"error""#]),
    ("/system_tasks/", "200", &[r#""count":1,"#, r#""full_name":"nightly backup:prod""#]),
    (r#"/system_tasks/$UUID/""#, "200", &[r#""full_name":"nightly backup:prod""#]),
    (r#"-X POST "http://127.0.0.1:8080/api/v3/events/system_tasks/$UUID/run/""#, "204", &[]),
];

/// The commands in the section's blocks of shell.
fn recipes() -> Vec<&'static str> {
    let (_, section) = README.split_once("\n## HTTP\n").expect("the README has a section on HTTP");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("\n```sh\n").skip(1).map(|block| block.split("\n```").next().unwrap_or_default());
    blocks.flat_map(str::lines).filter(|line| !line.starts_with('#')).collect()
}

/// A store for the recipes, and the uuid that they speak of.
fn recorded(store: &TaskStore) -> String {
    let prod = store.configurations().add("prod").unwrap();
    let end = |task| store.finish(store.start_detached(task).unwrap()).unwrap();
    end(NewTask::new("Copy"));
    end(NewTask::new("Of prod").configuration(prod));
    let away = store.start_detached(NewTask::new("Put away")).unwrap();
    store.fail(away, "no answer").unwrap();
    store.dismiss(away, "ben").unwrap();

    let of = |name, uid| store.system_tasks().start_with(name, uid, RunOptions::new()).unwrap();
    of("nightly backup", None).finish().unwrap();
    drop(of("scan", None));
    let run = of("nightly backup", Some("prod"));
    let uuid = run.uuid().to_string();
    run.finish().unwrap();
    uuid
}

/// Runs a command of the shell, with our program in the path.
fn shell(place: &Place, script: &str, variables: &[(&str, &str)]) -> Output {
    let program = place.command::<&str>(&[]).get_program().to_owned();
    let directory = std::path::Path::new(&program).parent().unwrap().to_owned();
    let path =
        std::env::join_paths([directory].into_iter().chain(std::env::split_paths(&std::env::var("PATH").unwrap())));
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(place.directory.path()).env("PATH", path.unwrap());
    command.envs(variables.iter().copied()).output().unwrap()
}

/// Starts the program by its recipe, at a port of its own: the program and its address.
fn served(place: &Place, recipe: &str) -> (Started, String) {
    let arguments = recipe.strip_prefix("taskstore ").expect("the second recipe starts the server");
    assert!(arguments.contains(ADDRESS), "{recipe}");
    let arguments = arguments.replace(ADDRESS, "127.0.0.1:0");
    let server = place.start(&arguments.split(' ').collect::<Vec<_>>());
    let mut address = None;
    wait_until("the address of the server", || {
        let printed = String::from_utf8_lossy(&server.output.bytes.lock().unwrap()).into_owned();
        address = printed
            .split_once("listening on http://")
            .and_then(|(_, rest)| rest.split_once('\n'))
            .map(|(at, _)| at.to_owned());
        address.is_some()
    });
    (server, address.unwrap())
}

/// An application that can run a system task again, and whom it was asked by.
fn application(store: &TaskStore, token: &str, runtime: &Runtime) -> (String, Arc<Mutex<Vec<String>>>) {
    let (asked, bearer) = (Arc::new(Mutex::new(Vec::new())), format!("Bearer {token}"));
    let asks = Arc::clone(&asked);
    let authenticate = move |request: &Parts| match request.headers.get("authorization") {
        Some(header) if header == bearer.as_str() => Ok(User::new("ann", Rights::ALL)),
        _ => Err(Unauthenticated::InvalidToken),
    };
    let run = move |request: RunRequest| asks.lock().unwrap().push(request.user);
    let options = Options::new(authenticate).on_run("nightly backup", run);
    let service = router(store.clone(), options).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, service).await.unwrap();
    });
    (address, asked)
}

/// The status and the body that a recipe is answered with by the server at this address.
fn answered(place: &Place, recipe: &str, address: &str, variables: &[(&str, &str)]) -> (String, String) {
    let told = recipe.replacen("curl ", "curl --silent --show-error --write-out '\\n%{http_code}' ", 1);
    let output = shell(place, &told.replace(ADDRESS, address), variables);
    assert!(output.status.success(), "{recipe}: {output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let (body, code) = printed.rsplit_once('\n').unwrap();
    (code.to_owned(), body.to_owned())
}

fn has_curl() -> bool {
    match Command::new("curl").arg("--version").output() {
        Ok(_) => true,
        // CI has curl; a newcomer's machine need not.
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("no recipe is run, since curl does not start: {error}");
            false
        }
        Err(error) => panic!("curl is needed, to run the README's recipes: {error}"),
    }
}

#[test]
fn every_recipe_of_the_readme_is_answered_as_it_says() {
    if !has_curl() {
        return;
    }
    let place = Place::new();
    let store = place.store();
    let uuid = recorded(&store);

    let recipes = recipes();
    let (making_a_token, rest) = recipes.split_first().expect("the first recipe makes a token");
    let (serving, asking) = rest.split_first().expect("the second recipe starts the server");
    let made = shell(&place, &format!("{making_a_token}\nprintf %s \"$TOKEN\""), &[]);
    assert!(made.status.success(), "{made:?}");
    let token = String::from_utf8(made.stdout).unwrap();
    assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{token:?}");
    let (server, address) = served(&place, serving);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (application, asked) = application(&store, &token, &runtime);

    assert_eq!(asking.len(), ANSWERS.len(), "each recipe has an answer: {asking:#?}");
    for (recipe, (end, status, parts)) in asking.iter().zip(ANSWERS) {
        assert!(recipe.starts_with("curl ") && recipe.contains(ADDRESS) && recipe.ends_with(end), "{recipe}");
        let address = if recipe.contains("/run/") { &application } else { &address };
        let answer = |token| answered(&place, recipe, address, &[("TOKEN", token), ("UUID", &uuid)]);
        let (code, body) = answer(&token);
        assert_eq!(code, status, "{recipe}: {body}");
        assert!(parts.iter().all(|part| body.contains(part)), "{recipe}: {body}");
        assert!(!parts.is_empty() || body.is_empty(), "{recipe}: {body}");
        // The control: it is the token that lets it in.
        let (code, _) = answer("x");
        assert!(["401", "403"].contains(&code.as_str()), "{recipe}: {code}");
    }
    wait_until("the application to be asked", || *asked.lock().unwrap() == ["ann"]);

    server.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(server.end().code, Some(0));
}
