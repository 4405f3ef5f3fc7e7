//! A table of HTML under a heading. What its cells say is text, whatever it says.

use crate::escaped::Escaped;
use std::fmt;

pub(crate) struct Table {
    pub(crate) heading: &'static str,
    pub(crate) caption: &'static str,
    /// That of the rows' headings first.
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<(String, Vec<Cell>)>,
}

pub(crate) struct Cell {
    text: String,
    id: &'static str,
    class: &'static str,
    bar: Option<Bar>,
}

struct Bar {
    class: &'static str,
    /// In per cent of the longest there can be.
    length: f64,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), id: "", class: "text", bar: None }
    }

    pub(crate) fn count(count: u64) -> Self {
        Self { class: "count", ..Self::text(count.to_string()) }
    }

    /// A rate in per cent, and a bar of that class beside it.
    pub(crate) fn rate(rate: f64, class: &'static str) -> Self {
        let bar = Some(Bar { class, length: rate });
        Self { class: "rate", bar, ..Self::text(format!("{rate:.1} %")) }
    }

    /// What links lead to, and whoever reads the page by program looks for.
    pub(crate) fn named(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    /// What somebody has to do something about.
    pub(crate) fn alarming(self) -> Self {
        Self { class: "alarming", ..self }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { heading, caption, columns, rows } = self;
        writeln!(f, "<section>\n<h2>{}</h2>\n<table>", Escaped(heading))?;
        writeln!(f, "<caption>{}</caption>\n<thead>\n<tr>", Escaped(caption))?;
        for column in *columns {
            writeln!(f, r#"<th scope="col">{}</th>"#, Escaped(column))?;
        }
        writeln!(f, "</tr>\n</thead>\n<tbody>")?;
        for (heading, cells) in rows {
            writeln!(f, "<tr>\n<th scope=\"row\">{}</th>", Escaped(heading))?;
            cells.iter().try_for_each(|cell| writeln!(f, "{cell}"))?;
            writeln!(f, "</tr>")?;
        }
        writeln!(f, "</tbody>\n</table>\n</section>")
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, id, class, bar } = self;
        write!(f, r#"<td class="{class}""#)?;
        if !id.is_empty() {
            write!(f, r#" id="{id}""#)?;
        }
        f.write_str(">")?;
        if let Some(bar) = bar {
            write!(f, "{bar}")?;
        }
        write!(f, "{}</td>", Escaped(text))
    }
}

/// For those who see it; the text beside it says the same.
impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, length } = self;
        let bar = format!(r#"<rect class="{class}" width="{length:.1}%" height="100%"/>"#);
        write!(f, r#"<svg aria-hidden="true">{bar}</svg>"#)
    }
}
