//! Text for people: aligned columns, cut to the width of the terminal, colours where they are wanted.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

/// How text is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; `None` where the output goes elsewhere and nothing is cut.
    pub width: Option<usize>,
    /// Whether to colour.
    pub colour: bool,
}

impl Look {
    /// `text` in the colour of the verdict or result it names, padded by the caller.
    pub fn paint(self, word: &str, text: &str) -> String {
        let colour = match word {
            "allowed" | "pass" | "proven" | "+" => AnsiColor::Green,
            "denied" | "fail" | "error" | "-" => AnsiColor::Red,
            "unproven" => AnsiColor::Yellow,
            _ => return text.to_owned(),
        };
        if !self.colour {
            return text.to_owned();
        }
        let style = Style::new().fg_color(Some(colour.into()));
        format!("{style}{text}{style:#}")
    }
}

/// Blanks between two columns.
const GAP: usize = 2;
/// No column is cut to fewer characters than this.
const LEAST: usize = 12;

/// Writes rows under a header, columns aligned to the left.
///
/// # Errors
/// Those of `out`.
pub fn table(header: &[&str], rows: &[Vec<String>], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    if let Some(limit) = look.width {
        shrink(&mut widths, limit);
    }
    line(&header.iter().map(|h| h.to_uppercase()).collect::<Vec<_>>(), &widths, Look::default(), out)?;
    for row in rows {
        line(row, &widths, look, out)?;
    }
    Ok(())
}

/// Takes from the widest column until the line fits.
fn shrink(widths: &mut [usize], limit: usize) {
    loop {
        let total: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let Some(widest) = (0..widths.len()).max_by_key(|&n| widths[n]) else { return };
        if total <= limit || widths[widest] <= LEAST {
            return;
        }
        widths[widest] -= (total - limit).min(widths[widest] - LEAST).clamp(1, 8);
    }
}

fn line(cells: &[String], widths: &[usize], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut pending = 0;
    for (cell, &width) in cells.iter().zip(widths) {
        let text = cut(cell, width);
        let blank = width - text.chars().count();
        if !text.is_empty() {
            write!(out, "{:pending$}{}", "", look.paint(cell, &text))?;
            pending = 0;
        }
        pending += blank + if text.is_empty() { width - blank } else { 0 } + GAP;
    }
    writeln!(out)
}

/// `text`, or its beginning and an ellipsis. Line breaks and control characters become blanks.
pub fn cut(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.chars().count() <= width {
        return clean;
    }
    let mut short: String = clean.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// `1 row`, `2 rows`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(look: Look) -> String {
        let mut out = Vec::new();
        let rows = [
            vec!["vm:a".to_owned(), String::new(), "denied".to_owned()],
            vec!["vm:a-long-name-of-a-machine".to_owned(), "x".to_owned(), "allowed".to_owned()],
        ];
        table(&["from", "via", "verdict"], &rows, look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_align_and_lines_have_no_blanks_at_the_end() {
        insta::assert_snapshot!(render(Look::default()), @r"
        FROM                         VIA  VERDICT
        vm:a                              denied
        vm:a-long-name-of-a-machine  x    allowed
        ");
    }

    #[test]
    fn the_widest_column_is_cut() {
        let text = render(Look { width: Some(30), colour: false });
        assert!(text.lines().all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains('…'));
    }
}
