//! What is written as it is read: the task API's list of any filter, and the export. A client that goes away, and times to
//! the nanosecond, are in `wire::streams`.

mod equal;
mod memory;
mod reader;
mod search;

use std::io;

use taskstore::wire::task_api::{self, Answer, DismissedMember, TaskList, write_task_list};
use taskstore::{ExportLine, Message, Result, Task, TaskFilter, TaskState, TaskStore, TaskWithMessages};

/// A way to stream a filter.
type Write = fn(&TaskStore, &TaskFilter, &mut dyn io::Write) -> Result<()>;

/// Both ways. What holds for the one holds for the other.
const BOTH: [Write; 2] = [
    |store, filter, out| write_task_list(store, filter, DismissedMember::HiddenBy, out),
    |store, filter, out| store.export_tasks(filter, out).map(drop),
];

fn written(store: &TaskStore, filter: &TaskFilter, write: Write) -> String {
    let mut out = Vec::new();
    write(store, filter, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// All tasks of a filter, page by page.
fn walked(store: &TaskStore, filter: &TaskFilter) -> Vec<TaskWithMessages> {
    let mut filter = filter.clone().limit(3);
    filter.cursor = None;
    let mut tasks = Vec::new();
    loop {
        let page = store.list_with_messages(&filter).unwrap();
        tasks.extend(page.items);
        match page.next {
            Some(next) => filter = filter.cursor(next),
            None => return tasks,
        }
    }
}

/// What serde writes for these tasks in the answer of the task API.
fn as_answer(tasks: &[TaskWithMessages]) -> String {
    let tasks = tasks.iter().map(on_the_wire).collect();
    serde_json::to_string(&Answer::success(TaskList { tasks })).unwrap()
}

fn on_the_wire(TaskWithMessages { task, messages, .. }: &TaskWithMessages) -> task_api::Task {
    let state = match task.state() {
        TaskState::InProgress => "In Progress",
        TaskState::Finished => "End",
        TaskState::Failed | TaskState::Interrupted => "Failed",
        TaskState::Dismissed => "Dismissed",
    };
    let said = messages.iter().map(|said| task_api::Message { message: said.text.clone(), time: said.time });
    task_api::Task {
        configuration_id: task.configuration_id.map_or(0, |id| id.get()),
        configuration_name: task.configuration_name.clone(),
        hidden_by: task.dismissed_by.clone().unwrap_or_default(),
        finished: task.finished,
        messages: said.collect(),
        performed_by: task.performed_by.clone(),
        started: task.started,
        state: state.to_owned(),
        task_id: task.id.get(),
        title: task.title.clone(),
        updated: task.updated,
    }
}

/// The tasks of an export, each of whose lines must be what serde writes for it. It must be whole, and the configuration of
/// each task stand before it.
fn tasks_of(export: &str) -> Vec<(Task, Vec<Message>)> {
    let mut tasks = Vec::new();
    let mut configurations = Vec::new();
    for line in export.lines() {
        let read: ExportLine = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
        match read {
            ExportLine::Configuration(configuration) => configurations.push(configuration.id),
            ExportLine::Task(exported) => {
                let id = exported.task.configuration_id.or(exported.deleted_configuration_id);
                assert!(id.is_none_or(|id| configurations.contains(&id)), "{line}");
                tasks.push((exported.task, exported.messages));
            }
            _ => {}
        }
    }
    assert!(export.starts_with("{\"taskstore_export\":"));
    assert!(export.lines().last().unwrap().starts_with("{\"end\":") && export.ends_with('\n'));
    tasks
}

fn both(tasks: &[TaskWithMessages]) -> Vec<(Task, Vec<Message>)> {
    tasks.iter().map(|task| (task.task.clone(), task.messages.clone())).collect()
}
