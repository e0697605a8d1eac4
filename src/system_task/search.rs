//! How a search is split into terms, and when a term is found: as the published API does since its version 2025.4.

use crate::text::fold;

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
            None => terms.extend(part.split(',').filter(|term| !term.is_empty()).map(|term| fold(term.trim()))),
        }
    }
    terms
}

/// Whether every term is found in one of the texts.
pub(crate) fn found(terms: &[String], texts: &[&str]) -> bool {
    let texts: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    terms.iter().all(|term| texts.iter().any(|text| text.contains(term.as_str())))
}

/// The parts between blanks. One with a closed quotation goes on through the blanks inside it.
fn parts(search: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = search.trim_start();
    while !rest.is_empty() {
        let end = with_quotations(rest).or_else(|| rest.find(char::is_whitespace)).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        parts.push(part);
        rest = behind.trim_start();
    }
    parts
}

/// Where a part ends that has a closed quotation: at a blank, or at a quote that is not closed.
fn with_quotations(text: &str) -> Option<usize> {
    let is_plain = |character: char| !character.is_whitespace() && !matches!(character, '"' | '\'');
    let mut rest = text.trim_start_matches(is_plain);
    let mut end = None;
    while let Some(behind) = behind_quotation(rest) {
        rest = behind.trim_start_matches(is_plain);
        end = Some(text.len() - rest.len());
    }
    end
}

/// What comes behind a quotation, if one begins here and is closed.
fn behind_quotation(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    let quote = characters.next().filter(|first| matches!(first, '"' | '\''))?;
    loop {
        let next = characters.next()?;
        if next == quote {
            return Some(characters.as_str());
        }
        if next == '\\' {
            characters.next()?;
        }
    }
}

/// What a part that begins and ends with one quote says. A quote alone says nothing, which is found everywhere: whoever
/// begins to write a phrase still sees what the terms before it find.
fn phrase(part: &str) -> Option<String> {
    let quote = part.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let inner = part.strip_prefix(quote)?;
    let inner = if inner.is_empty() { inner } else { inner.strip_suffix(quote)? };
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
