//! JSON as serde_json writes it, for what is written a million times.

use std::io::{self, Write};

use super::time::TimeText;

/// What is written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// JSON on its way out. What is left when this is dropped unfinished is never written.
pub(super) struct Json<'a> {
    buffer: Vec<u8>,
    out: &'a mut dyn Write,
}

impl<'a> Json<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { buffer: Vec::with_capacity(2 * BUFFER_BYTES), out }
    }

    /// JSON as it is, of a few bytes.
    pub(super) fn put(&mut self, json: &str) {
        self.buffer.extend_from_slice(json.as_bytes());
    }

    pub(super) fn number(&mut self, number: i64) -> io::Result<()> {
        write!(self.buffer, "{number}")
    }

    pub(super) fn time(&mut self, ns: i64) {
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(TimeText::of(ns).as_bytes());
        self.buffer.push(b'"');
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        if self.buffer.len() + text.len() > BUFFER_BYTES {
            self.write_buffer()?;
        }
        if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
            return self.escaped(text);
        }
        self.buffer.push(b'"');
        if text.len() > BUFFER_BYTES {
            self.write_buffer()?;
            self.out.write_all(text.as_bytes())?;
        } else {
            self.buffer.extend_from_slice(text.as_bytes());
        }
        self.buffer.push(b'"');
        Ok(())
    }

    fn escaped(&mut self, text: &str) -> io::Result<()> {
        if text.len() > BUFFER_BYTES {
            self.write_buffer()?;
            return Ok(serde_json::to_writer(io::BufWriter::with_capacity(BUFFER_BYTES, &mut *self.out), text)?);
        }
        Ok(serde_json::to_writer(&mut self.buffer, text)?)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write_buffer()
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn is_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(texts: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        texts.iter().for_each(|text| json.text(text).unwrap());
        json.finish().unwrap();
        out
    }

    fn by_serde(texts: &[&str]) -> Vec<u8> {
        texts.iter().flat_map(|text| serde_json::to_vec(text).unwrap()).collect()
    }

    #[test]
    fn every_character_is_written_as_serde_writes_it() {
        for character in (0..0x3000).chain(0x1_f000..0x1_f800).filter_map(char::from_u32) {
            let text = character.to_string();
            assert_eq!(written(&[&text]), by_serde(&[&text]), "{character:?}");
        }
    }

    #[test]
    fn texts_of_any_length_follow_one_another() {
        for bytes in [0, 1, BUFFER_BYTES - 2, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 3 * BUFFER_BYTES] {
            for long in ["x".repeat(bytes), "\n".repeat(bytes)] {
                let texts = ["a", &long, "b\"", &long, &long, "c"];
                assert!(written(&texts) == by_serde(&texts), "{bytes}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_is_written_as_serde_writes_it(text: String) {
            prop_assert_eq!(written(&[&text]), by_serde(&[&text]));
        }
    }
}
