//! What a process does, and tells of it.

use taskstore::{Level, TaskStore};

use super::event::{Event, now_ns};
use super::shared;

/// The most messages of one read.
const PAGE: u32 = 1_000;

/// Writes a message that nobody else writes. Told before the call, and after it.
pub(super) fn write(store: &TaskStore, text: String, tell: &mut impl FnMut(Event)) {
    tell(Event::Called { at: now_ns(), text: text.clone() });
    store.message(shared(), Level::Info, text.as_str()).unwrap();
    tell(Event::Acknowledged { at: now_ns(), text });
}

/// Reads how many messages there are.
pub(super) fn read(store: &TaskStore, tell: &mut impl FnMut(Event)) {
    let called = now_ns();
    let seen = store.task(shared()).unwrap().message_count;
    tell(Event::Read { called, returned: now_ns(), seen, last: None });
}

/// Reads the messages behind those that `seen` counts, up to the last.
pub(super) fn follow(store: &TaskStore, seen: &mut u64, tell: &mut impl FnMut(Event)) {
    loop {
        let (called, after) = (now_ns(), *seen);
        let page = store.messages(shared(), after, PAGE).unwrap();
        let returned = now_ns();
        assert!(page.iter().map(|message| message.seq).eq((after + 1..).take(page.len())), "behind {after}: {page:?}");
        let last = page.last().map(|message| message.text.clone());
        *seen = after + page.len() as u64;
        // A full page need not be all that there was.
        if page.len() < PAGE as usize {
            return tell(Event::Read { called, returned, seen: *seen, last });
        }
    }
}

/// A thread that writes, and reads after each fourth write.
pub(super) fn write_and_read(store: &TaskStore, who: &str, calls: usize, tell: &mut impl FnMut(Event)) {
    for call in 0..calls {
        if call % 5 == 4 {
            read(store, tell);
        } else {
            write(store, format!("{who}.{call}"), tell);
        }
    }
}
