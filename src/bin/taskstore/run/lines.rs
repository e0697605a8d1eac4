//! Bytes cut into lines.

/// The longest UTF-8 sequence.
const CHARACTER_BYTES_MAX: usize = 4;

/// Cuts bytes into lines as they come. A line ends at `\n`, and one `\r` before that belongs to its end. What is not
/// UTF-8 is replaced; what is over the limit becomes several lines, cut between characters.
pub struct Lines {
    bytes_max: usize,
    /// A line whose end has not come.
    begun: Vec<u8>,
}

impl Lines {
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, begun: Vec::new() }
    }

    /// Takes some bytes and gives the lines that end in them.
    pub fn take(&mut self, bytes: &[u8], mut line: impl FnMut(String)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if self.begun.ends_with(b"\n") {
                self.begun.pop();
                self.end_line(&mut line);
            } else {
                self.cut_long(&mut line);
            }
        }
    }

    /// Gives the last line if it had no end.
    pub fn end(mut self, mut line: impl FnMut(String)) {
        if !self.begun.is_empty() {
            self.end_line(&mut line);
        }
    }

    fn end_line(&mut self, line: &mut impl FnMut(String)) {
        let bytes = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        give(bytes, self.bytes_max, line);
        self.begun.clear();
    }

    /// Gives what is surely a line of its own, so that a line without end does not fill the memory. Enough is kept
    /// that the rest is not empty once a `\r` is taken off.
    fn cut_long(&mut self, line: &mut impl FnMut(String)) {
        while self.begun.len() > self.bytes_max + CHARACTER_BYTES_MAX {
            let rest = self.begun.split_off(boundary(&self.begun, self.bytes_max));
            give(&self.begun, self.bytes_max, line);
            self.begun = rest;
        }
    }
}

/// Where to cut `bytes` at `most` or just before it, so that no character is cut.
fn boundary(bytes: &[u8], most: usize) -> usize {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    let first = most.saturating_sub(CHARACTER_BYTES_MAX - 1).max(1);
    // More continuations in a row than a character has are no UTF-8; any place is as good then.
    (first..=most).rev().find(|at| !continues(*at)).unwrap_or(most)
}

/// One line in as many texts as the limit asks for: replaced bytes take more room than they had.
fn give(bytes: &[u8], bytes_max: usize, line: &mut impl FnMut(String)) {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    while text.len() > bytes_max {
        let rest = text.split_off(text.floor_char_boundary(bytes_max));
        line(text);
        text = rest;
    }
    line(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `bytes`, the same however they come in.
    fn lines(bytes_max: usize, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        let mut lines = Lines::new(bytes_max);
        lines.take(bytes, |line| whole.push(line));
        lines.end(|line| whole.push(line));
        for size in 1..bytes.len() {
            let mut found = Vec::new();
            let mut lines = Lines::new(bytes_max);
            bytes.chunks(size).for_each(|chunk| lines.take(chunk, |line| found.push(line)));
            lines.end(|line| found.push(line));
            assert_eq!(found.concat(), whole.concat(), "in chunks of {size}");
            assert!(found.iter().all(|line| line.len() <= bytes_max), "in chunks of {size}: {found:?}");
        }
        whole
    }

    #[test]
    fn a_line_ends_at_a_newline_and_loses_one_carriage_return() {
        assert_eq!(lines(99, b"a\nb\r\nc\r\r\n\n\r\nd\re"), ["a", "b", "c\r", "", "", "d\re"]);
        assert_eq!(lines(99, b""), [""; 0]);
        assert_eq!(lines(99, b"\n"), [""]);
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        assert_eq!(lines(99, b"a\xffb\n\xc3\n\xbc\n"), ["a\u{fffd}b", "\u{fffd}", "\u{fffd}"]);
    }

    #[test]
    fn a_line_as_long_as_the_limit_is_one_line() {
        assert_eq!(lines(8, b"12345678\n12345678\r\n12345678"), ["12345678"; 3]);
    }

    #[test]
    fn a_longer_line_is_cut_between_characters() {
        assert_eq!(lines(8, b"123456789\n"), ["12345678", "9"]);
        assert_eq!(lines(8, "1234567ü9\n".as_bytes()), ["1234567", "ü9"]);
        assert_eq!(lines(8, "漢字漢字漢字".as_bytes()), ["漢字", "漢字", "漢字"]);
        assert_eq!(lines(8, "😀😀😀😀😀".as_bytes()), ["😀😀", "😀😀", "😀"]);
        assert_eq!(lines(8, b"\xff\xff\xff\xff\x80\x80\x80\x80\x80\x80").concat(), "\u{fffd}".repeat(10));
    }
}
