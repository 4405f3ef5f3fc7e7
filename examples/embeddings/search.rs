//! The texts that are closest to another.

use crate::embedding::embedding;

/// A text that was found, and how alike it is.
pub(crate) struct Neighbour<'a> {
    pub(crate) text: &'a str,
    pub(crate) similarity: f32,
}

/// The nearest of some texts, the nearest first; of several alike, those that come first.
pub(crate) fn nearest<'a>(
    wanted: &str,
    texts: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<Neighbour<'a>> {
    let wanted = embedding(wanted);
    let neighbour = |text| Neighbour { text, similarity: wanted.similarity(&embedding(text)) };
    let mut neighbours: Vec<_> = texts.into_iter().map(neighbour).collect();
    neighbours.sort_by(|one, other| other.similarity.total_cmp(&one.similarity));
    neighbours.truncate(most);
    neighbours
}
