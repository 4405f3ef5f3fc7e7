//! The drawing: a bar whose parts are what happens from minute to minute.

use crate::phase::Phase;
use std::fmt;

const WIDTH: u32 = 960;
const MARGIN: u32 = 20;

pub(crate) struct Drawing {
    minutes: u32,
    /// From which minute on it is what.
    parts: Vec<(u32, Phase)>,
}

impl Drawing {
    pub(crate) fn new(minutes: u32) -> Self {
        Self { minutes, parts: Vec::new() }
    }

    pub(crate) fn add(&mut self, minute: u32, phase: Phase) {
        if self.parts.last().is_none_or(|(_, last)| *last != phase) {
            self.parts.push((minute, phase));
        }
    }

    fn x(&self, minute: u32) -> u32 {
        MARGIN + minute * (WIDTH - 2 * MARGIN) / self.minutes
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 170\" role=\"img\" \
             font-family=\"sans-serif\" font-size=\"14\">"
        )?;
        writeln!(f, "<title>What a call gets, by the age of the value</title>")?;
        writeln!(f, "<rect width=\"{WIDTH}\" height=\"170\" fill=\"#ffffff\"/>")?;
        let ends = self.parts.iter().skip(1).map(|(minute, _)| *minute).chain([self.minutes]);
        for ((from, phase), to) in self.parts.iter().zip(ends) {
            let (x, end) = (self.x(*from), self.x(to));
            let (width, colour, name) = (end - x, phase.colour(), phase.name());
            writeln!(
                f,
                "<rect x=\"{x}\" y=\"40\" width=\"{width}\" height=\"34\" fill=\"{colour}\"/>"
            )?;
            writeln!(f, "<text x=\"{}\" y=\"62\" fill=\"#ffffff\">{name}</text>", x + 8)?;
            writeln!(f, "<text x=\"{x}\" y=\"30\" fill=\"#333333\">{from} min</text>")?;
            for (line, text) in (0_u32..).zip(phase.says()).filter(|(_, text)| !text.is_empty()) {
                let y = 100 + 20 * line;
                writeln!(f, "<text x=\"{x}\" y=\"{y}\" fill=\"#333333\">{text}</text>")?;
            }
        }
        writeln!(f, "</svg>")
    }
}
