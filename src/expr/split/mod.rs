//! Where a query goes, and how its condition is parted there into the key condition and the filter.
//!
//! DynamoDB takes one condition for each key attribute and refuses key attributes in filters. So two bounds become one
//! BETWEEN: a half-open end moves to the neighbour on the value's grid, and where there is none it is sent closed and
//! the items that lie on it are left out on the client.

mod asked;
mod candidate;
mod choice;
mod explain;
mod fit;
mod parts;

use std::sync::Arc;

pub use candidate::{Candidate, Candidates, KeySchema, Kind};
pub use explain::{Explanation, Standing, explain, explain_scan};

use super::ast::{Condition, Value};
use super::key_condition::KeyCondition;
use crate::error::{Error, Result};
use fit::Misfit;

/// How a query or scan is to be carried out, as far as that decides where it can go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms<'a> {
    /// The index that the caller names; `None` leaves the choice to the query's condition.
    pub index: Option<&'a str>,
    pub consistent: bool,
    /// What an index does not hold of an item is read from the table.
    pub hydrate: bool,
}

/// A query that knows where it goes.
#[derive(Debug, Clone)]
pub struct Planned<'c> {
    pub candidate: &'c Candidate,
    pub split: Split,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub key: KeyCondition,
    pub filter: Option<Condition>,
    /// Items to leave out on the client.
    pub drop: Vec<OpenEnd>,
    /// Nothing can match: there is nothing to send.
    pub empty: bool,
}

/// The end of a range that was sent closed although it is open: an item with this very value is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEnd {
    pub attribute: Arc<str>,
    pub value: Value,
}

/// Choose where the query goes by its condition, and part the condition there. `wanted` (the caller's `where=`) joins the
/// filter as it stands and has no say in the choice.
pub fn plan<'c>(
    candidates: &'c Candidates,
    terms: Terms<'_>,
    condition: Condition,
    wanted: Option<Condition>,
) -> Result<Planned<'c>> {
    let parts = parts::conjuncts(condition);
    let candidate = choose(candidates, terms, &parts)?;
    let split = split(candidates, candidate, parts, wanted)?;
    Ok(Planned { candidate, split })
}

/// Where a scan goes, which may ask for anything that is there.
pub fn scanned<'c>(candidates: &'c Candidates, terms: Terms<'_>, filter: Option<&Condition>) -> Result<&'c Candidate> {
    let candidate = candidates.forced(terms)?;
    let seen = filter.map_or(Ok(()), |filter| {
        candidates.check_seen(candidate, &candidate.lacks, filter)
    });
    seen.map(|()| candidate)
}

fn choose<'c>(candidates: &'c Candidates, terms: Terms<'_>, parts: &[Condition]) -> Result<&'c Candidate> {
    if terms.index.is_none() {
        let best = choice::best(choice::verdicts(candidates, terms, parts));
        return best
            .map(|(candidate, _)| candidate)
            .ok_or_else(|| choice::refusal(candidates, terms, parts));
    }
    let candidate = candidates.forced(terms)?;
    let fits = fit::fit(candidate, parts, |_, _| ());
    fits.map(|()| candidate)
        .map_err(|misfit| forced_refusal(candidates, candidate, terms, parts, misfit))
}

#[cold]
fn forced_refusal(
    candidates: &Candidates,
    candidate: &Candidate,
    terms: Terms<'_>,
    parts: &[Condition],
    misfit: Misfit<'_>,
) -> Error {
    let unforced = Terms { index: None, ..terms };
    let advice = match choice::best(choice::verdicts(candidates, unforced, parts)) {
        Some((other, _)) => format!("; without index= the query goes to {other}"),
        None if misfit.is_refusal() => String::new(),
        None => "; add it, or use scan, which reads everything".to_owned(),
    };
    Error::Expression(misfit.refusal(candidate, candidates) + &advice)
}

/// Part what fits the candidate's key.
fn split(
    candidates: &Candidates,
    candidate: &Candidate,
    parts: Vec<Condition>,
    wanted: Option<Condition>,
) -> Result<Split> {
    let mut split = Split {
        key: KeyCondition::default(),
        filter: None,
        drop: Vec::new(),
        empty: false,
    };
    let mut tested = Vec::with_capacity(4);
    fit::fit(candidate, &parts, |name, asked| {
        tested.push((name, asked.into_test(candidates.field(name))));
    })
    .expect("the candidate was chosen because the condition fits");
    for (name, test) in tested {
        let test = test?;
        split.empty |= test.is_empty;
        split.drop.extend(test.open_ends.into_iter().map(|value| OpenEnd {
            attribute: Arc::clone(name),
            value,
        }));
        split.key.0.push((Arc::clone(name), test.test));
    }
    if let Some(wanted) = &wanted {
        candidates.check_keyless(candidate, wanted)?;
    }
    let is_filter = |part: &Condition| !candidate.key.attributes().any(|name| parts::is_about(part, name));
    let mut filter = parts.into_iter().filter(is_filter).peekable();
    let filter = filter.peek().is_some().then(|| Condition::all(filter));
    split.filter = Condition::both(filter, wanted);
    if let Some(filter) = &split.filter {
        candidates.check_seen(candidate, candidate.unseen(), filter)?;
    }
    Ok(split)
}
