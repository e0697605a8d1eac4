//! Our output, for whoever holds a snapshot while it is written: there is an end to how long it waits for its reader.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A pipe that polls as writable takes as much as this without a wait: POSIX's `PIPE_BUF` is 512 bytes at the least, and
/// Linux says so of a page.
const WRITE_BYTES_MAX: usize = 4_096;

/// A writer that fails where nothing of it is taken for too long, and at once where nobody can take it any more. It has no
/// buffer: what it has taken is on its way.
///
/// A pipe or a socket is never waited for longer. A terminal that is stopped amid one write, or a pipe that others fill
/// too, may hold up that write.
pub struct Patient {
    out: File,
    patience: Duration,
}

impl Patient {
    pub fn new(out: impl AsFd, patience: Duration) -> io::Result<Self> {
        Ok(Self { out: out.as_fd().try_clone_to_owned()?.into(), patience })
    }

    fn wait(&self) -> io::Result<()> {
        if polled(&self.out, PollFlags::POLLOUT, self.patience)?.is_empty() {
            return Err(io::Error::new(ErrorKind::TimedOut, format!("nobody took any of it for {:?}", self.patience)));
        }
        Ok(())
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = match bytes.get(..WRITE_BYTES_MAX) {
            // What is cut off behind a line would be taken for all the lines there are.
            Some([start @ .., b'\n']) => start,
            Some(part) => part,
            None => bytes,
        };
        loop {
            self.wait()?;
            match self.out.write(bytes) {
                // Of an output that does not block, what polled as writable may be gone to another writer.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => return written,
            }
        }
    }

    /// There is nothing to flush. It fails if nobody can read on, so that what finds nothing to write learns of it.
    fn flush(&mut self) -> io::Result<()> {
        must_be_read(&self.out)
    }
}

/// Fails if whoever read `out` has closed it.
pub fn must_be_read(out: impl AsFd) -> io::Result<()> {
    // No event is asked for, so that only errors are told.
    let is_read = polled(out, PollFlags::empty(), Duration::ZERO)?.is_empty();
    if is_read { Ok(()) } else { Err(ErrorKind::BrokenPipe.into()) }
}

/// What comes about of these events, and of errors, within a time.
fn polled(out: impl AsFd, events: PollFlags, patience: Duration) -> io::Result<PollFlags> {
    let until = Instant::now() + patience;
    loop {
        let mut fds = [PollFd::new(out.as_fd(), events)];
        // Rounded up: what is left may be less than a millisecond.
        let left = until.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
        match poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(fds.iter().filter_map(PollFd::revents).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::thread;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_nobody_takes_is_cut_off_in_time_behind_what_was_taken() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut out = Patient::new(&writer, SHORT).unwrap();
        drop(writer);
        let mut taken = 0;
        let error = loop {
            match out.write(&[b'x'; 100_000]) {
                Ok(bytes) => taken += bytes,
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::TimedOut, "nobody took any of it for 20ms"));
        drop(out);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert!(taken > 0 && read.len() == taken, "{taken} written, {} read", read.len());
    }

    #[test]
    fn what_may_be_cut_off_does_not_end_with_a_line() {
        let (_reader, writer) = io::pipe().unwrap();
        let mut out = Patient::new(&writer, SHORT).unwrap();
        let mut lines = vec![b'x'; WRITE_BYTES_MAX + 10];
        lines[WRITE_BYTES_MAX - 1] = b'\n';
        assert_eq!(out.write(&lines).unwrap(), WRITE_BYTES_MAX - 1);
        assert_eq!(out.write(&lines[WRITE_BYTES_MAX - 1..]).unwrap(), 11);
        assert_eq!(out.write(b"\n").unwrap(), 1);
    }

    #[test]
    fn a_slow_reader_that_goes_on_gets_all() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut out = Patient::new(&writer, LONG).unwrap();
        drop(writer);
        let all: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let expected = all.clone();
        let writing = thread::spawn(move || out.write_all(&all));
        // Less at a time than is written at once.
        let (mut read, mut some) = (Vec::new(), [0; 1_000]);
        while let count @ 1.. = reader.read(&mut some).unwrap() {
            read.extend_from_slice(&some[..count]);
            thread::yield_now();
        }
        writing.join().unwrap().unwrap();
        assert!(read == expected);
    }

    #[test]
    fn an_output_that_is_closed_fails_at_once_also_where_nothing_is_written() {
        let (reader, writer) = io::pipe().unwrap();
        let mut out = Patient::new(&writer, LONG).unwrap();
        out.flush().unwrap();
        drop(reader);
        assert_eq!(out.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(out.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_file_takes_all_with_no_patience_at_all() {
        let file = tempfile::tempfile().unwrap();
        let mut out = Patient::new(&file, Duration::ZERO).unwrap();
        out.write_all(&[b'x'; 100_000]).unwrap();
        out.flush().unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100_000);
    }
}
