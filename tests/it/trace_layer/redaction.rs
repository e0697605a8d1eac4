//! What a redaction takes out never reaches the file.

use taskstore::trace_layer::TaskLayer;
use tracing::field::Empty;
use tracing::{error, info, info_span};

use super::{events, shown, traced_with};
use crate::support::{files, open};

const SECRET: &str = "correct-horse-battery-staple";

fn work() {
    let span = info_span!(
        "a",
        task.title = format!("Sign in with {SECRET}"),
        task.performed_by = SECRET,
        task.key = SECRET,
        task.error = Empty
    );
    span.in_scope(|| {
        info!("the password is {SECRET}");
        info!(password = SECRET, user = "ann", "signing in");
        info!(debugged = ?Some(SECRET), displayed = %SECRET, number = 7);
        error!(task.error = SECRET);
    });
    span.record("task.error", SECRET);
    info_span!("b", system_task.name = "job", system_task.uid = SECRET, system_task.description = SECRET)
        .in_scope(|| info!(token = SECRET, inside = ?vec![SECRET], number = 7, "{SECRET}"));
}

/// How often the secret is in the file, or beside it, after `work` with this layer.
fn found(redact: bool) -> usize {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let mut builder = TaskLayer::builder(&store);
    if redact {
        builder = builder.redact(|_, value| value.contains(SECRET).then(|| value.replace(SECRET, "[secret]")));
    }
    traced_with(builder, work);
    if redact {
        let [(title, _, texts)] = &shown(&store)[..] else { panic!("{:?}", shown(&store)) };
        assert_eq!(title, "Sign in with [secret]");
        assert_eq!(
            texts.join("|"),
            "task.key was redacted: started without a key|the password is [secret]|signing in password=[secret] user=\"ann\"|\
             debugged=Some(\"[secret]\") displayed=[secret] number=7|[secret]"
        );
        let event = events(&store, "job", Some("[secret]")).remove(0);
        assert_eq!(event.event, "[secret]");
        let attributes = r#"{"token":"[secret]","inside":"[\"[secret]\"]","number":7}"#;
        assert_eq!(event.attributes.as_str(), attributes);
    }
    store.flush().unwrap();
    // With its -wal, before that is merged.
    let (name, copy) = (files::beside(&path, "-wal"), directory.path().join("copy"));
    let mut bytes = Vec::new();
    for file in [&path, &name] {
        // Another process reads it: in this one, closing the file would drop the locks.
        let status = std::process::Command::new("cp").arg(file).arg(&copy).status().unwrap();
        assert!(status.success());
        bytes.extend(files::bytes(&copy).unwrap());
    }
    bytes.windows(SECRET.len()).filter(|window| *window == SECRET.as_bytes()).count()
}

#[test]
fn what_is_redacted_never_reaches_the_file() {
    assert_eq!(found(true), 0);
}

/// The control: the same search finds it where nothing takes it out.
#[test]
fn what_is_not_redacted_is_found_there() {
    assert!(found(false) >= 12);
}
