//! Tasks in every state, with everything that they may hold.

use chrono::{DateTime, Utc};
use serde::Serialize;
use taskstore::{ConfigurationId, Level, NewTask, Progress, TaskId};

use super::World;

/// What the task API must say.
#[derive(Serialize)]
pub(crate) struct Expected {
    /// Newest first.
    tasks: Vec<Task>,
    /// The configuration that still is, and the one that was deleted.
    configuration: ConfigurationId,
    deleted_configuration: ConfigurationId,
}

/// A task's members, in their order.
#[derive(Clone, Serialize)]
struct Task {
    configuration_id: i64,
    configuration_name: &'static str,
    hidden_by: &'static str,
    finished: String,
    messages: Vec<Message>,
    performed_by: String,
    started: String,
    state: &'static str,
    task_id: TaskId,
    title: String,
    updated: String,
}

#[derive(Clone, Serialize)]
struct Message {
    message: String,
    time: String,
}

/// Nine digits, always.
fn wire_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string()
}

impl World {
    /// The time as the API must say it, after so long.
    fn wire_after_ns(&self, ns: u64) -> String {
        wire_time(self.after_ns(ns))
    }

    /// Starts a task.
    fn start(&self, task: NewTask) -> Task {
        let (title, performed_by) = (task.title.clone(), task.performed_by.clone());
        let started = self.wire_after_ns(1_000_000_007);
        Task {
            configuration_id: 0,
            configuration_name: "",
            hidden_by: "",
            finished: String::new(),
            messages: Vec::new(),
            performed_by,
            started: started.clone(),
            state: "In Progress",
            task_id: self.store.start_detached(task).unwrap(),
            title,
            updated: started,
        }
    }
}

impl Task {
    fn say(&mut self, world: &World, text: &str) {
        self.updated = world.wire_after_ns(1);
        world.store.message(self.task_id, Level::Info, text).unwrap();
        self.messages.push(Message { message: text.to_owned(), time: self.updated.clone() });
    }

    fn finished(self, world: &World) -> Self {
        let time = world.wire_after_ns(999);
        world.store.finish(self.task_id).unwrap();
        Self { state: "End", finished: time.clone(), updated: time, ..self }
    }

    fn failed(mut self, world: &World, reason: &str) -> Self {
        let time = world.wire_after_ns(1_000);
        world.store.fail(self.task_id, reason).unwrap();
        // A failure without a reason says nothing.
        let said = Some(reason).filter(|reason| !reason.is_empty());
        self.messages.extend(said.map(|reason| Message { message: reason.to_owned(), time: time.clone() }));
        Self { state: "Failed", finished: time.clone(), updated: time, ..self }
    }

    fn dismissed(self, world: &World, by: &'static str) -> Self {
        let updated = world.wire_after_ns(1_000_000);
        world.store.dismiss(self.task_id, by).unwrap();
        Self { state: "Dismissed", hidden_by: by, updated, ..self }
    }

    fn restored(self, world: &World, state: &'static str) -> Self {
        let updated = world.wire_after_ns(1_000_000);
        world.store.restore(self.task_id).unwrap();
        Self { state, hidden_by: "", updated, ..self }
    }
}

/// Records all of them.
pub(crate) fn record(world: &World) -> Expected {
    world.set_time("2026-11-21T11:59:58.999999993Z");
    let configurations = world.store.configurations();
    let [configuration, deleted_configuration] = ["old name", "deleted"].map(|name| configurations.add(name).unwrap());
    let mut tasks = in_every_state(world);
    tasks.extend(of_configurations(world, configuration, deleted_configuration));
    tasks.extend(with_hard_texts(world));
    tasks.push(with_many_messages(world));
    tasks.push(interrupted(world));
    configurations.rename(configuration, "prod æ 🦀").unwrap();
    configurations.delete(deleted_configuration).unwrap();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.task_id));
    Expected { tasks, configuration, deleted_configuration }
}

fn in_every_state(world: &World) -> Vec<Task> {
    let start = |title: &str| world.start(NewTask::new(title).performed_by("ann"));
    let whole_second = start("In progress, since a whole second");
    assert!(whole_second.started.ends_with(":00.000000000Z"), "{}", whole_second.started);
    let mut progressing = start("With progress, which is not on this wire");
    progressing.updated = world.wire_after_ns(1);
    world.store.progress(progressing.task_id, &Progress::new(1).of(2).phase("copy")).unwrap();
    vec![
        whole_second,
        progressing,
        start("Finished").finished(world),
        start("Failed").failed(world, "no answer"),
        start("Failed, without a reason").failed(world, ""),
        start("Finished, dismissed").finished(world).dismissed(world, "ben"),
        start("Failed, dismissed").failed(world, "no answer").dismissed(world, "Ærø 🦀"),
        start("Finished, dismissed, restored").finished(world).dismissed(world, "ben").restored(world, "End"),
        start("Failed, dismissed, restored").failed(world, "no").dismissed(world, "ben").restored(world, "Failed"),
    ]
}

fn of_configurations(world: &World, configuration: ConfigurationId, deleted: ConfigurationId) -> Vec<Task> {
    let start = |title: &str, of| world.start(NewTask::new(title).configuration(of));
    let of_one = |task| Task { configuration_id: configuration.get(), configuration_name: "prod æ 🦀", ..task };
    let of_none = |task| Task { configuration_name: "deleted", ..task };
    vec![
        of_one(start("Of a configuration that was renamed", configuration)),
        of_one(start("The same, dismissed", configuration).finished(world).dismissed(world, "ben")),
        of_none(start("Of a configuration that was deleted", deleted).finished(world)),
    ]
}

fn with_hard_texts(world: &World) -> Vec<Task> {
    let long_title = "t".repeat(1 << 10);
    let long_text = "message ".repeat(128 << 10);
    let titles =
        ["", " ", "Ærø 日本語 🦀", "a\r\n\tb", "\"\\/\u{2028}\u{1b}[2J", "<b>&amp;</b>", "\u{10ffff}", &long_title];
    let tasks = titles.map(|title| {
        let mut task = world.start(NewTask::new(title).performed_by(title.get(..title.len().min(9)).unwrap_or("🦀")));
        for text in ["", "\0\u{1}\u{7f}", title, "after"] {
            task.say(world, text);
        }
        task
    });
    let mut tasks = tasks.to_vec();
    let mut long = world.start(NewTask::new("A long message"));
    long.say(world, &long_text);
    tasks.push(long.finished(world));
    tasks
}

fn with_many_messages(world: &World) -> Task {
    let mut task = world.start(NewTask::new("Many messages"));
    let times: Vec<_> = (0..10_000).map(|number| (number, world.after_ns(100))).collect();
    let all = world.store.batch(|batch| {
        times.iter().try_for_each(|(number, time)| {
            world.clock.set(*time);
            batch.message(task.task_id, Level::Debug, format!("copied file {number}"))
        })
    });
    all.unwrap();
    let said = times.iter().map(|(number, time)| (format!("copied file {number}"), wire_time(*time)));
    task.messages = said.map(|(message, time)| Message { message, time }).collect();
    task.finished(world)
}

fn interrupted(world: &World) -> Task {
    let title = "Its program ended";
    let started = world.wire_after_ns(1);
    let task = world.store.start(NewTask::new(title)).unwrap();
    let (task_id, time) = (task.id(), world.wire_after_ns(1));
    drop(task);
    Task {
        configuration_id: 0,
        configuration_name: "",
        hidden_by: "",
        finished: time.clone(),
        messages: vec![Message { message: "ended without finish or fail".to_owned(), time: time.clone() }],
        performed_by: String::new(),
        started,
        state: "Failed",
        task_id,
        title: title.to_owned(),
        updated: time,
    }
}
