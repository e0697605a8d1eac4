//! Text compared whatever the case.

/// Unicode's simple case folding.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

fn fold_into(text: &str, folded: &mut String) {
    let fold = |character: char| {
        let code = unicode_case_mapping::case_folded(character)?;
        char::from_u32(code.get())
    };
    folded.extend(text.chars().map(|character| fold(character).unwrap_or(character)));
}

/// A text that is looked for in others, whatever the case. No character in it has another meaning than itself.
#[derive(Debug)]
pub(crate) struct Needle {
    folded: String,
    /// Where texts are folded, one after another.
    buffer: String,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        Self { folded: fold(text), buffer: String::new() }
    }

    /// Whether it is found, at a cost that grows with the sum of both lengths. An empty needle is found everywhere.
    pub(crate) fn is_in(&mut self, text: &str) -> bool {
        self.buffer.clear();
        if text.is_ascii() {
            self.buffer.push_str(text);
            self.buffer.make_ascii_lowercase();
        } else {
            fold_into(text, &mut self.buffer);
        }
        self.buffer.contains(&self.folded)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_needle_is_found_whatever_the_case_and_with_no_wildcards() {
        for (needle, text, expected) in [
            ("", "", true),
            ("", "anything", true),
            ("a", "", false),
            ("MAIL", "fetch mail", true),
            ("fetch mail", "MAIL", false),
            ("Ärger", "der ÄRGER", true),
            ("σίσυφος", "ΣΊΣΥΦΟΣ", true),
            ("k", "\u{212a}elvin", true),
            ("\u{212a}", "ok", true),
            ("é", "plain", false),
            ("%", "100 %", true),
            ("%", "100", false),
            ("a_b", "axb", false),
            ("*", "x", false),
            ("\\", "a\\b", true),
            ("b\0c", "a B\0C", true),
            ("ana", "banana", true),
            ("aab", "aaab", true),
        ] {
            assert_eq!(Needle::new(needle).is_in(text), expected, "{needle:?} in {text:?}");
        }
    }

    #[test]
    fn a_long_needle_that_is_nearly_everywhere_costs_no_more_than_both_are_long() {
        // Looked for from each place anew it would take hours.
        let (needle, text) = ("a".repeat(1 << 19) + "b", "A".repeat(1 << 20));
        assert!(!Needle::new(&needle).is_in(&text));
        assert!(Needle::new(&needle).is_in(&format!("{text}B")));
    }

    proptest! {
        #[test]
        fn ascii_is_folded_as_the_rest_is(
            needle in "[aAbB \u{212a}kK]{0,4}", text in "[aAbB kK]{0,12}",
        ) {
            prop_assert_eq!(Needle::new(&needle).is_in(&text), fold(&text).contains(&fold(&needle)));
        }
    }
}
