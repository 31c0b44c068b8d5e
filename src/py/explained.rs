//! What `explain` tells Python: plain values, of which python/oxidyn/explanation.py makes an `Explanation`.

use std::sync::Arc;

use crate::expr::split::Explanation;

/// The index, the key condition, the filter, why, notes, and the candidates.
pub type Explained = (
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    Vec<String>,
    Vec<Stands>,
);
/// A candidate's index, the fields of its key, those that are served, and what it misses.
type Stands = (Option<String>, Vec<String>, Vec<String>, Option<String>);

/// The explanation in the order in which `Explanation.of` (python/oxidyn/explanation.py) takes it.
pub fn told(explained: Explanation) -> Explained {
    let name = |index: Option<Arc<str>>| index.map(|index| index.to_string());
    let candidates = explained.candidates.into_iter();
    (
        name(explained.index),
        explained.key_condition,
        explained.filter,
        explained.why,
        explained.notes,
        candidates
            .map(|each| (name(each.index), each.key, each.serves, each.misses))
            .collect(),
    )
}
