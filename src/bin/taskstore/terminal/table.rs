//! Tables of text in columns.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: &str = "  ";
/// A column is not made narrower than this.
const COLUMN_WIDTH_MIN: usize = 4;

/// A table whose rows come in portions, so that it need not be in memory. A column never gets narrower from one
/// portion to the next.
pub struct Table<const N: usize> {
    headings: Option<[String; N]>,
    widths: [usize; N],
    width_max: Option<usize>,
}

impl<const N: usize> Table<N> {
    /// Without a `width_max` nothing is cut.
    pub fn new(headings: [&str; N], width_max: Option<usize>) -> Self {
        Self { headings: Some(headings.map(str::to_owned)), widths: [0; N], width_max }
    }

    /// Writes some rows, the first time below the headings. The cells must be harmless.
    pub fn write(&mut self, out: &mut dyn Write, rows: &[[String; N]]) -> io::Result<()> {
        let headings = self.headings.take();
        for cells in headings.iter().chain(rows) {
            for (width, cell) in self.widths.iter_mut().zip(cells) {
                *width = cell.width().max(*width);
            }
        }
        self.fit();
        headings.iter().chain(rows).try_for_each(|cells| self.write_row(out, cells))
    }

    /// Takes from the widest column, the last of several, until the table fits.
    fn fit(&mut self) {
        let Some(width_max) = self.width_max else { return };
        let columns_max = width_max.saturating_sub(GAP.len() * (N - 1));
        while self.widths.iter().sum::<usize>() > columns_max {
            match self.widths.iter_mut().max() {
                Some(widest) if *widest > COLUMN_WIDTH_MIN => *widest -= 1,
                _ => return,
            }
        }
    }

    fn write_row(&self, out: &mut dyn Write, cells: &[String; N]) -> io::Result<()> {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(self.widths) {
            let cell = if self.width_max.is_some() { cut(cell, width) } else { cell.clone() };
            line.push_str(&cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            line.push_str(GAP);
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// `text` in at most `width` columns; `…` shows where it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        // Measured as a whole: a character may change the width of the one before it.
        if kept.width() >= width {
            kept.pop();
            break;
        }
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn<const N: usize>(width_max: Option<usize>, rows: &[[&str; N]]) -> String {
        let mut out = Vec::new();
        let rows = rows.iter().map(|row| row.map(str::to_owned)).collect::<Vec<_>>();
        Table::new([""; N].map(|_| "H"), width_max).write(&mut out, &rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_stand_below_one_another_and_lines_have_no_blanks_at_their_end() {
        assert_eq!(drawn(None, &[["a", "漢字", ""], ["bbb", "c", "d"]]), "H    H     H\na    漢字\nbbb  c     d\n");
    }

    #[test]
    fn the_widest_column_is_cut_until_the_table_fits() {
        assert_eq!(drawn(Some(10), &[["ab", "0123456789"]]), "H   H\nab  01234…\n");
        assert_eq!(drawn(Some(10), &[["ab", "012345"]]), "H   H\nab  012345\n");
        assert_eq!(drawn(Some(10), &[["ab", "漢字漢字"]]), "H   H\nab  漢字…\n");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_whatever_it_says() {
        let hostile = ["e\u{301}".repeat(99), "👩\u{200d}👩".repeat(9), "❤\u{fe0f}".repeat(50), "🇩🇪".repeat(50)];
        for width in 16..60 {
            let rows: Vec<_> = hostile.iter().map(|text| ["1", text.as_str(), text.as_str()]).collect();
            for line in drawn(Some(width), &rows).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_table_without_a_width_cuts_nothing() {
        let long = "x".repeat(5_000);
        assert!(drawn(None, &[["1", &long]]).contains(&long));
    }
}
