//! `taskstore run`: the command's output passes through, and is recorded.

use nix::sys::signal::{Signal, kill};
use taskstore::{Level, TaskId};

use super::{Place, wait_until};

#[test]
fn every_byte_passes_through_as_it_is() {
    let place = Place::new();
    let ended = place.run(r"printf '\000\377\033[1m\r\n\r\nlast'; printf 'err\376\n' >&2; printf '\n' >&2");
    assert_eq!(ended.output, b"\0\xff\x1b[1m\r\n\r\nlast");
    assert_eq!(ended.error_bytes, b"err\xfe\n\n");
    assert_eq!(ended.code, Some(0));

    let ended = place.call(&["run", "-q", "--title", "t", "--", "cat", env!("CARGO_BIN_EXE_taskstore")]);
    let whole = std::process::Command::new("cat").arg(env!("CARGO_BIN_EXE_taskstore")).output().unwrap().stdout;
    assert!(ended.output == whole, "{} bytes instead of {}", ended.output.len(), whole.len());
}

#[test]
fn standard_error_passes_through_to_standard_error() {
    let ended = Place::new().run("echo out; echo err >&2");
    assert_eq!((ended.text().as_str(), ended.error.as_str()), ("out\n", "err\n"));
}

#[test]
fn each_line_becomes_a_message_at_the_level_of_its_stream() {
    let place = Place::new();
    place.run(r"printf 'one\r\n\n\ttwo\r\r\n\377\nno end'");
    assert_eq!(place.said(1), ["info one", "info ", "info \ttwo\r", "info \u{fffd}", "info no end"]);

    place.run(r"printf 'careful\nno end' >&2");
    assert_eq!(place.said(2), ["warn careful", "warn no end"]);
}

#[test]
fn a_prompt_without_a_newline_comes_out_at_once_and_the_input_goes_in() {
    let place = Place::new();
    let mut run = place.start_run("printf 'name? '; read name; echo \"hello $name\"");
    run.wait_for("name? ");
    run.type_in(b"ann\n");
    let ended = run.end();
    assert_eq!(ended.text(), "name? hello ann\n");
    assert_eq!(place.said(1), ["info name? hello ann"]);
}

#[test]
fn a_line_can_be_read_from_the_store_while_the_command_still_runs() {
    let place = Place::new();
    let mut run = place.start_run("echo begun; read go; echo done");
    run.wait_for("begun\n");
    let store = place.store();
    let id = TaskId::try_from(1).unwrap();
    wait_until("the message", || store.messages(id, 0, 9).unwrap().iter().any(|message| message.text == "begun"));
    assert!(store.task(id).unwrap().outcome.is_none());
    run.type_in(b"\n");
    assert_eq!(run.end().code, Some(0));
}

#[test]
fn two_hundred_thousand_quick_lines_are_recorded_completely_and_in_order() {
    let place = Place::new();
    let ended = place.run("seq 200000");
    assert_eq!((ended.code, ended.output.len()), (Some(0), 1_288_895));
    let store = place.store();
    let id = TaskId::try_from(1).unwrap();
    assert_eq!(store.task(id).unwrap().message_count, 200_000);
    for page in 0..200 {
        let messages = store.messages(id, page * 1_000, 1_000).unwrap();
        assert_eq!(messages.len(), 1_000);
        for (message, number) in messages.iter().zip(page * 1_000 + 1..) {
            assert_eq!((message.text.parse(), message.level), (Ok(number), Level::Info));
        }
    }
}

#[test]
fn more_than_the_buffer_holds_is_recorded_too() {
    let place = Place::new();
    // 24 MB, three times the buffer, in few messages.
    let ended = place.run("head -c 24000000 /dev/zero | tr '\\0' x | fold -w 500000");
    assert_eq!(ended.code, Some(0));
    let lengths: Vec<_> = place.messages(1).iter().map(|message| message.text.len()).collect();
    assert_eq!(lengths, [500_000; 48]);
}

#[test]
fn a_line_over_the_limit_becomes_several_messages_cut_between_characters() {
    let place = Place::new();
    // An odd byte first, so that a character of two bytes lies across the limit.
    let ended = place.run("printf a; head -c 786432 /dev/zero | sed 's/\\x00/ü/g'; echo; echo next");
    assert_eq!(ended.output.len(), 1 + 2 * 786_432 + 1 + 5);
    let messages = place.messages(1);
    assert_eq!(messages.iter().map(|message| message.text.len()).collect::<Vec<_>>(), [1_048_575, 524_290, 4]);
    assert_eq!(format!("{}{}", messages[0].text, messages[1].text), format!("a{}", "ü".repeat(786_432)));
}

#[test]
fn a_process_that_is_left_behind_is_waited_for_only_a_little() {
    let place = Place::new();
    let ended = place.run("sleep 600 & echo $!");
    assert_eq!(ended.code, Some(0));
    let left: i32 = ended.text().trim().parse().unwrap();
    kill(nix::unistd::Pid::from_raw(left), Signal::SIGKILL).unwrap();

    let said = place.said(1);
    let note =
        "warn a process that the command left behind still holds its output; what it prints from here is not recorded";
    assert_eq!(said, [format!("info {left}"), note.to_owned()]);
    let task = place.task(1);
    let seconds = (task.finished.unwrap() - task.started).num_seconds();
    assert!((2..30).contains(&seconds), "{seconds}");
}

#[test]
fn what_a_process_that_is_left_behind_prints_soon_is_still_recorded() {
    let place = Place::new();
    let ended = place.run("(sleep 0.3; echo late) & echo early");
    assert_eq!(ended.text(), "early\nlate\n");
    assert_eq!(place.said(1), ["info early", "info late"]);
}

#[test]
fn a_reader_who_has_seen_enough_closes_the_commands_pipe() {
    let place = Place::new();
    let arguments = ["run", "-q", "--title", "t", "--", "yes"];
    let mut command = place.command(&arguments);
    let piped = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut some = [0; 4];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut some).unwrap();
    drop(child.stdout.take());
    wait_until("the command to end", || child.try_wait().unwrap().is_some());

    let ended = child.wait_with_output().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended.status), Some(Signal::SIGPIPE as i32));
    assert_eq!(ended.stderr, b"");
    let store = place.store();
    let id = TaskId::try_from(1).unwrap();
    let count = store.task(id).unwrap().message_count;
    let last: Vec<_> = store.messages(id, count - 2, 9).unwrap().into_iter().map(|message| message.text).collect();
    assert_eq!(store.messages(id, 0, 1).unwrap()[0].text, "y");
    let note = "the command's output was closed, as ours was: Broken pipe";
    assert_eq!(last, [note, "killed by signal 13 (SIGPIPE)"]);
}
