//! Bad and hostile input: stored exactly, or refused by name with nothing written.

use taskstore::{ConfigurationId, Error, Level, Limits, NewTask, OpenOptions, Progress, Result, TaskId, TaskStore};

use crate::support::{everything, finished, messages, open, options, start, temporary, texts};

/// Texts that break what is careless: each must come back as it went in.
pub(crate) const HOSTILE: &[&str] = &[
    "",
    " ",
    "\t \u{a0}\u{2003}",
    "'; DROP TABLE task; --",
    "\" OR 1=1 --",
    ":id ?1 @x $y {} %s %n {{title}}",
    "100% _ \\% \\_ [a-z] *",
    "\u{202e}gnp.exe\u{202c}\u{2066}x\u{2069}",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\u{9b}2J",
    "\r",
    "one\rtwo\r\nthree\n\n\nsix\u{85}\u{2028}\u{2029}",
    "\u{feff}BOM",
    "\u{ffff}\u{fffe}\u{fdd0}\u{10ffff}\u{fffd}",
    "👩‍👩‍👧‍👦🏳️‍🌈 e\u{301} é a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
    "\u{1}\u{2}\u{8}\u{b}\u{c}\u{e}\u{1f}\u{7f}\u{80}",
    "ﬁ ß ẞ İ ı Σ ς",
    "</script><b>&amp;&#0;",
    "{\"params\":{}} \\u0000 \\\" \\",
    "NULL",
    "0",
    "-9223372036854775809",
    "1e999",
    "日本語 العربية עברית ไทย",
];

fn too_long(answer: Result<()>, field: &str, bytes: usize, bytes_max: usize) {
    let error = answer.unwrap_err();
    let Error::TooLong { field: named, bytes: found, bytes_max: max } = error else { panic!("{error:?}") };
    assert_eq!((named, found, max), (field, bytes, bytes_max));
    assert_eq!(error.to_string(), format!("{field} is {bytes} bytes long; the limit is {bytes_max}"));
}

fn invalid(answer: Result<()>, text: &str) {
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

fn out_of_range<T: std::fmt::Debug>(answer: Result<T>, text: &str) {
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

/// Calls every verb that takes a name with this one, on a store of a running task 1, an ended task 2 and configuration 1.
fn every_name(store: &TaskStore, name: &str) -> [(&'static str, Result<()>); 6] {
    let [running, ended] = [1, 2].map(crate::support::task_id);
    let configuration = crate::support::configuration_id(1);
    [
        ("performed_by", store.start_detached(NewTask::new("t").performed_by(name)).map(drop)),
        ("phase", store.progress(running, &Progress::new(1).phase(name))),
        ("dismissed_by", store.dismiss(ended, name)),
        ("dismissed_by", store.dismiss_all(None, name).map(drop)),
        ("configuration_name", store.configurations().add(name).map(drop)),
        ("configuration_name", store.configurations().rename(configuration, name)),
    ]
}

fn store_for_names() -> TaskStore {
    let store = temporary();
    start(&store, "running");
    finished(&store, "ended");
    store.configurations().add("prod").unwrap();
    store
}

#[test]
fn every_hostile_text_is_stored_exactly_wherever_a_text_may_stand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let ids: Vec<_> = HOSTILE
        .iter()
        .map(|&text| {
            let id = store.start_detached(NewTask::new(text).performed_by(text)).unwrap();
            for level in Level::ALL {
                store.message(id, level, text).unwrap();
            }
            store.progress(id, &Progress::new(0).phase(text)).unwrap();
            store.fail(id, text).unwrap();
            if !text.is_empty() {
                store.dismiss(id, text).unwrap();
                store.configurations().add(text).unwrap();
            }
            id
        })
        .collect();
    let all = everything(&store);
    store.close().unwrap();

    let store = open(&path);
    assert_eq!(everything(&store), all);
    for (&text, id) in HOSTILE.iter().zip(ids) {
        let task = store.task(id).unwrap();
        assert_eq!((task.title.as_str(), task.performed_by.as_str()), (text, text));
        assert_eq!(task.progress.unwrap().phase.as_deref(), Some(text));
        assert_eq!(task.dismissed_by.unwrap_or_default(), text);
        // An empty reason is no message.
        let reasons = usize::from(!text.is_empty());
        assert_eq!(texts(&store, id), vec![text; Level::ALL.len() + reasons]);
    }
    let names = store.configurations().list().unwrap().into_iter().map(|configuration| configuration.name);
    assert!(names.eq(HOSTILE.iter().filter(|text| !text.is_empty()).map(|&text| text.to_owned())));
}

#[test]
fn a_nul_in_a_title_or_a_name_is_refused_by_name_and_nothing_is_written() {
    let store = store_for_names();
    let before = everything(&store);
    for text in ["\0", "cut\0off", "end\0"] {
        invalid(store.start_detached(NewTask::new(text)).map(drop), "title must not contain NUL (U+0000)");
        for (field, answer) in every_name(&store, text) {
            invalid(answer, &format!("{field} must not contain NUL (U+0000)"));
        }
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn a_nul_in_a_message_or_a_reason_is_stored_exactly() {
    let store = temporary();
    let id = start(&store, "binary");
    for text in ["\0", "a\0b", "a\0"] {
        store.message(id, Level::Info, text).unwrap();
    }
    store.fail(id, "because\0of").unwrap();
    assert_eq!(texts(&store, id), ["\0", "a\0b", "a\0", "because\0of"]);
}

#[test]
fn a_name_that_must_be_given_is_refused_when_it_is_empty() {
    let store = store_for_names();
    for (field, answer) in every_name(&store, "") {
        if matches!(field, "performed_by" | "phase") {
            answer.unwrap();
        } else {
            invalid(answer, &format!("{field} must not be empty"));
        }
    }
    assert_eq!(store.configurations().list().unwrap()[0].name, "prod");
    assert_eq!(store.task(crate::support::task_id(2)).unwrap().dismissed_by, None);
}

#[test]
fn a_title_of_1024_bytes_is_stored_and_a_longer_one_refused() {
    let store = temporary();
    for title in ["x".repeat(1024), "é".repeat(512), "👩".repeat(256)] {
        assert_eq!(store.task(start(&store, &title)).unwrap().title, title);
    }
    let before = everything(&store);
    for (title, bytes) in [("x".repeat(1025), 1025), ("é".repeat(513), 1026), ("x".repeat(1 << 20), 1 << 20)] {
        too_long(store.start_detached(NewTask::new(title.clone())).map(drop), "title", bytes, 1024);
        too_long(store.start(NewTask::new(title)).map(drop), "title", bytes, 1024);
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn a_name_of_256_bytes_is_stored_and_a_longer_one_refused() {
    for name in ["n".repeat(256), "é".repeat(128), "👩".repeat(64)] {
        for (field, answer) in every_name(&store_for_names(), &name) {
            answer.unwrap_or_else(|error| panic!("{field}: {error}"));
        }
    }
    let store = store_for_names();
    let before = everything(&store);
    for (name, bytes) in [("n".repeat(257), 257), (format!("n{}", "é".repeat(128)), 257), ("é".repeat(129), 258)] {
        for (field, answer) in every_name(&store, &name) {
            too_long(answer, field, bytes, 256);
        }
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn a_text_of_a_mebibyte_is_stored_and_a_longer_one_refused() {
    let store = temporary();
    let id = start(&store, "long");
    let text = "é".repeat(1 << 19);
    store.message(id, Level::Info, text.as_str()).unwrap();
    let before = everything(&store);
    let longer = format!("{text}x");
    too_long(store.message(id, Level::Info, longer.as_str()), "text", (1 << 20) + 1, 1 << 20);
    too_long(store.fail(id, longer.as_str()), "text", (1 << 20) + 1, 1 << 20);
    assert_eq!(everything(&store), before);
    store.fail(id, text.as_str()).unwrap();
    assert_eq!(texts(&store, id), [text.as_str(), text.as_str()]);
}

#[test]
fn raised_limits_let_more_in_and_what_they_let_in_stays_readable_without_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let limits = Limits {
        title_bytes_max: 17 << 20,
        name_bytes_max: 600,
        text_bytes_max: 20 << 20,
        page_rows_max: 2_000,
        ..Limits::default()
    };
    let store = options().limits(limits).open(&path).unwrap();
    let (title, name, text) = ("t".repeat(17 << 20), "n".repeat(600), "x".repeat(20 << 20));
    let id = store.start_detached(NewTask::new(title.clone()).performed_by(name.clone())).unwrap();
    store.message(id, Level::Info, text.as_str()).unwrap();
    assert!(store.messages(id, 0, 2_000).is_ok());
    too_long(store.message(id, Level::Info, format!("{text}x")), "text", (20 << 20) + 1, 20 << 20);
    store.close().unwrap();

    let store = open(&path);
    let task = store.task(id).unwrap();
    assert!(task.title == title && task.performed_by == name);
    assert!(messages(&store, id)[0].text == text);
    too_long(store.message(id, Level::Info, "x".repeat((1 << 20) + 1)), "text", (1 << 20) + 1, 1 << 20);
}

#[test]
fn no_limit_lets_in_more_than_256_mebibytes() {
    let limits = Limits { text_bytes_max: usize::MAX, ..Limits::default() };
    let store = OpenOptions::new().limits(limits).open_in_memory().unwrap();
    let id = start(&store, "too much");
    let bytes = Limits::TEXT_BYTES_MAX + 1;
    too_long(store.message(id, Level::Info, "x".repeat(bytes)), "text", bytes, Limits::TEXT_BYTES_MAX);
    assert_eq!(store.task(id).unwrap().message_count, 0);
}

#[test]
fn lowered_limits_refuse_by_their_own_numbers() {
    let limits =
        Limits { title_bytes_max: 2, name_bytes_max: 1, text_bytes_max: 0, page_rows_max: 3, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    too_long(store.start_detached(NewTask::new("abc")).map(drop), "title", 3, 2);
    too_long(store.configurations().add("ab").map(drop), "configuration_name", 2, 1);
    let id = start(&store, "ab");
    too_long(store.message(id, Level::Info, "a"), "text", 1, 0);
    store.message(id, Level::Info, "").unwrap();
    out_of_range(store.messages(id, 0, 4), "limit is \"4\"; it must be a whole number from 1 to 3");
    assert_eq!(texts_up_to_3(&store, id), [""]);
}

fn texts_up_to_3(store: &TaskStore, id: TaskId) -> Vec<String> {
    store.messages(id, 0, 3).unwrap().into_iter().map(|message| message.text).collect()
}

#[test]
fn a_page_of_messages_has_from_1_to_1000_rows() {
    let store = temporary();
    let id = start(&store, "chatty");
    store.batch(|batch| (1..=1_001).try_for_each(|n| batch.message(id, Level::Info, n.to_string()))).unwrap();
    for limit in [0, 1_001, u32::MAX] {
        let text = format!("limit is \"{limit}\"; it must be a whole number from 1 to 1000");
        out_of_range(store.messages(id, 0, limit), &text);
    }
    let seqs = |after, limit| -> Vec<_> {
        store.messages(id, after, limit).unwrap().into_iter().map(|message| message.seq).collect()
    };
    assert!(seqs(0, 1_000).into_iter().eq(1..=1_000));
    assert_eq!(seqs(999, 1), [1_000]);
    assert_eq!(seqs(1_000, 1_000), [1_001]);
    for beyond in [1_001, u64::MAX / 2, u64::MAX] {
        assert!(seqs(beyond, 10).is_empty());
    }
}

#[test]
fn an_id_is_positive_and_fits_an_i64() {
    for id in [0, -1, i64::MIN] {
        let text = |field| format!("{field} is \"{id}\"; it must be a whole number from 1 to 9223372036854775807");
        out_of_range(TaskId::try_from(id), &text("task_id"));
        out_of_range(ConfigurationId::try_from(id), &text("configuration_id"));
    }
    for text in ["", "0", "-1", "9223372036854775808", "1.0", "1e3", " 1", "0x1", "١", "one", "1'; DROP TABLE task"] {
        let expected = format!("task_id is {text:?}; it must be a whole number from 1 to 9223372036854775807");
        out_of_range(text.parse::<TaskId>(), &expected);
        assert!(text.parse::<ConfigurationId>().is_err());
    }
    for id in [1, 1 << 53, i64::MAX] {
        let parsed: TaskId = id.to_string().parse().unwrap();
        assert_eq!((parsed.get(), parsed.to_string(), i64::from(parsed)), (id, id.to_string(), id));
        assert_eq!(ConfigurationId::try_from(id).unwrap().get(), id);
    }
}

#[test]
fn an_id_read_from_json_is_checked_too() {
    assert_eq!(serde_json::from_str::<TaskId>("9007199254740993").unwrap().get(), 9_007_199_254_740_993);
    for json in ["0", "-1", "9223372036854775808", "1.0", "\"1\"", "null"] {
        assert!(serde_json::from_str::<TaskId>(json).is_err(), "{json}");
    }
}

#[test]
fn progress_beyond_an_i64_is_refused_by_name_and_nothing_is_written() {
    let store = temporary();
    let id = start(&store, "copy");
    let before = everything(&store);
    let beyond = 1 << 63;
    let range = "it must be a whole number from 0 to 9223372036854775807";
    out_of_range(store.progress(id, &Progress::new(beyond)), &format!("done is \"9223372036854775808\"; {range}"));
    let of_too_much = Progress::new(1).of(u64::MAX);
    out_of_range(store.progress(id, &of_too_much), &format!("total is \"18446744073709551615\"; {range}"));
    assert_eq!(everything(&store), before);
}

#[test]
fn a_level_is_read_by_its_exact_name() {
    for level in Level::ALL {
        assert_eq!(level.to_string().parse::<Level>().unwrap(), level);
    }
    for name in ["", "Info", "INFO", "information", " info", "6"] {
        invalid(name.parse::<Level>().map(drop), "level must be trace, debug, info, warn or error");
    }
}
