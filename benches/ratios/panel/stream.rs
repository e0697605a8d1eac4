//! All tasks as JSON: streamed, and by way of structs.

use std::io;
use std::rc::Rc;

use taskstore::Outcome;
use taskstore::wire::task_api::{Answer, DismissedMember, ListRequest, Message, Task, TaskList, write_list};

use super::{Filled, Kind, filled::options, lists::quicker};
use crate::measure::{Measured, Run};
use crate::peak::{self, peak_mib};
use crate::raw::panel::{self, Way};

pub fn cpu_to_structs(run: &Run) -> Measured {
    let filled = run.panel(Kind::AllVisible, 100_000);
    let mut streamed = Vec::new();
    write(&filled, &mut streamed);
    assert!(streamed == by_structs(&filled, Way::Merge), "the same bytes, in the order of the wire");
    let (way, seconds) = quicker(run, |way| by_structs(&filled, way));
    let compared = run.compare(|| run.cpu(|| write(&filled, io::sink())), || run.cpu(|| by_structs(&filled, way)));
    compared.note(format!("raw: {way:?} in {:.0} ms for {} MiB", 1e3 * seconds, streamed.len() >> 20))
}

fn write(filled: &Filled, out: impl io::Write) {
    write_list(&filled.store, ListRequest::default(), DismissedMember::HiddenBy, out).expect("writes");
}

/// The quickest way that has structs: by hand into these, then to the wire's, whose texts are those.
fn by_structs(filled: &Filled, way: Way) -> Vec<u8> {
    let tasks = filled.raw.all(way).into_iter().map(of_wire).collect();
    serde_json::to_vec(&Answer::success(TaskList { tasks })).expect("serialises")
}

fn of_wire(task: panel::Task) -> Task {
    let state = match task.outcome {
        _ if task.dismissed.is_some() => "Dismissed",
        None => "In Progress",
        Some(Outcome::Finished) => "End",
        Some(Outcome::Failed | Outcome::Interrupted) => "Failed",
    };
    let message = |message: panel::Message| Message { message: message.text, time: message.time };
    Task {
        configuration_id: task.configuration_id.unwrap_or(0),
        configuration_name: task.configuration_name,
        hidden_by: task.dismissed_by.unwrap_or_default(),
        finished: task.finished,
        messages: task.messages.into_iter().map(message).collect(),
        performed_by: task.performed_by,
        started: task.started,
        state: state.to_owned(),
        task_id: task.id,
        title: task.title,
        updated: task.updated,
    }
}

/// The most memory that a process has which streams.
pub fn memory(run: &Run) -> Measured {
    Measured::Turns(vec![peak_mib(MEASURED, run.panel(Kind::AllVisible, run.large()).path())])
}

/// The same to that for a tenth of the tasks.
pub fn memory_growth(run: &Run) -> Measured {
    let stores: [Rc<Filled>; 2] = [run.large(), run.large() / 10].map(|count| run.panel(Kind::AllVisible, count));
    let [large, small] = stores.map(|filled| peak_mib(MEASURED, filled.path()));
    Measured::Turns(vec![large / small])
}

/// The variable that asks for the process that is measured, with the store's path.
const MEASURED: &str = "TASKSTORE_RATIOS_MEASURED";

/// Does the work of the process that is measured, if this is it.
pub fn is_measured() -> bool {
    peak::is_measured(MEASURED, |path| {
        let store = options().open(path).expect("opens");
        write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, io::sink()).expect("writes");
    })
}
