//! Columns that line up.

use std::fmt;

/// Rows of cells under a heading. The first column is words, the others are numbers.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|it| (*it).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &self.rows {
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match at {
                    0 => write!(f, "{cell:width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A time of so many nanoseconds, in a unit that suits it.
pub(crate) fn time(ns: f64) -> String {
    match ns.abs() {
        size if size < 1e4 => format!("{ns:.1} ns"),
        size if size < 1e6 => format!("{:.1} us", ns / 1e3),
        size if size < 1e9 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["case", "ns"]);
        table.row(vec!["u64".to_owned(), "1234".to_owned()]);
        assert_eq!(table.to_string(), "case    ns\nu64   1234\n");
    }

    #[test]
    fn a_time_has_a_unit_that_suits_it() {
        assert_eq!([23.45, 5.21e6, 3.2e9].map(time), ["23.4 ns", "5.21 ms", "3.20 s"]);
    }
}
