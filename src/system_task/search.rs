//! How a search is split into terms, and when a term is found: as the published API does since its version 2025.4.

use std::iter::Peekable;
use std::str::Chars;

/// The terms of a search, each folded to be compared whatever the case.
///
/// A search is split at blanks, but not inside quotes. A part that is quoted as a whole is one term, with `\` before a
/// quote or another `\` taken away; any other part is split again at commas.
pub(crate) fn terms(search: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for part in parts(search) {
        let part = part.trim_matches(',');
        match phrase(part) {
            Some(phrase) => terms.push(fold(&phrase)),
            None => terms.extend(part.split(',').filter(|term| !term.is_empty()).map(fold)),
        }
    }
    terms
}

/// Whether every term is found in one of the texts.
pub(crate) fn found(terms: &[String], texts: &[&str]) -> bool {
    let texts: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    terms.iter().all(|term| texts.iter().any(|text| text.contains(term.as_str())))
}

/// Unicode's simple case folding.
fn fold(text: &str) -> String {
    let folded = |character: char| {
        let code = unicode_case_mapping::case_folded(character)?;
        char::from_u32(code.get())
    };
    text.chars().map(|character| folded(character).unwrap_or(character)).collect()
}

/// The parts between blanks. A quoted stretch inside a part may hold blanks, if its quote is closed.
fn parts(search: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut rest = search.chars().peekable();
    while let Some(&next) = rest.peek() {
        if next.is_whitespace() {
            rest.next();
            if !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            continue;
        }
        match quoted(&mut rest) {
            Some(stretch) => part.push_str(&stretch),
            None => part.extend(rest.next()),
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Takes a quoted stretch with its quotes, if one begins here and is closed.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let quote = *rest.peek().filter(|next| matches!(next, '"' | '\''))?;
    let mut ahead = rest.clone();
    let mut stretch = String::from(ahead.next()?);
    loop {
        let next = ahead.next()?;
        stretch.push(next);
        if next == quote {
            *rest = ahead;
            return Some(stretch);
        }
        if next == '\\' {
            stretch.push(ahead.next()?);
        }
    }
}

/// What a part that begins and ends with one quote says.
fn phrase(part: &str) -> Option<String> {
    let quote = part.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let inner = part.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inner.replace(&format!("\\{quote}"), &quote.to_string()).replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_split_at_blanks_and_commas_but_not_inside_quotes() {
        for (search, expected) in [
            ("", &[][..]),
            ("  ,, ", &[]),
            ("mail", &["mail"]),
            ("mail ann,ben", &["mail", "ann", "ben"]),
            ("\"two words\" x", &["two words", "x"]),
            ("'two words',x", &["'two words'", "x"]),
            ("'two words', x", &["two words", "x"]),
            (r#""a \"b\" c""#, &[r#"a "b" c"#]),
            ("it's", &["it's"]),
            ("\"open end", &["\"open", "end"]),
            ("a\u{a0}b\tc\nd", &["a", "b", "c", "d"]),
        ] {
            assert_eq!(terms(search), expected, "{search:?}");
        }
    }

    #[test]
    fn terms_are_found_whatever_the_case_and_with_no_wildcards() {
        let texts = ["Fetch_Mail", "Ärger, ΣΊΣΥΦΟΣ", "", "successful"];
        for (search, expected) in [
            ("fetch", true),
            ("ärger σίσυφος", true),
            ("ΣΊΣΥΦΟς", true),
            ("CCESS", true),
            ("fetch%mail", false),
            ("fetch_mail", true),
            ("fetchxmail", false),
            ("mail nowhere", false),
        ] {
            assert_eq!(found(&terms(search), &texts), expected, "{search:?}");
        }
    }
}
