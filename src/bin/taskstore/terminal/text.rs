//! Text that others wrote, made harmless for a terminal. What is stored is not changed: --json gives it as it is.

/// A tab in a longer text. Its width on a terminal depends on where it stands.
const TAB: &str = "    ";

/// `text` in one line, with every character escaped that could steer a terminal or reorder what is read.
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| push(&mut out, character));
    out
}

/// The same with its line breaks kept; every line but the first begins with `indent`.
pub fn harmless_lines(text: &str, indent: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => {
                out.push('\n');
                out.push_str(indent);
            }
            '\t' => out.push_str(TAB),
            other => push(&mut out, other),
        }
    }
    out
}

/// What stands for nothing in a table.
pub fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

fn push(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
        // C1 controls, line separators, and the marks that turn the direction of writing.
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => out.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
        harmless => out.push(harmless),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_and_every_direction_mark_is_escaped() {
        for character in '\0'..=char::MAX {
            let steers = character.is_control()
                || matches!(u32::from(character), 0x61c | 0x200e..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069);
            assert_eq!(harmless(&character.to_string()) != character.to_string(), steers, "{character:?}");
        }
    }

    #[test]
    fn escapes_are_readable() {
        assert_eq!(harmless("a\x1b[2J\n\r\t\u{9b}\u{202e}ü"), r"a\x1b[2J\n\r\t\u{9b}\u{202e}ü");
    }

    #[test]
    fn longer_texts_keep_their_lines_below_one_another() {
        assert_eq!(harmless_lines("a\n\tb\x07\n", "> "), "a\n>     b\\x07\n> ");
    }
}
