//! Which table or index a query goes to, where the caller leaves it open.

use super::Terms;
use super::candidate::{Candidate, Candidates};
use super::fit::{Miss, Service, serve};
use crate::error::Error;
use crate::expr::ast::Condition;

/// A candidate, and what it does for the condition.
pub(super) type Verdict<'c> = (&'c Candidate, Result<Service, Miss<'c>>);

/// In the candidates' own order, which is that of preference.
pub(super) fn verdicts<'c>(
    candidates: &'c Candidates,
    terms: Terms<'_>,
    parts: &[Condition],
) -> impl Iterator<Item = Verdict<'c>> {
    candidates
        .all
        .iter()
        .map(move |candidate| (candidate, serve(candidates, candidate, terms, parts)))
}

/// The one that serves best; of several that serve alike the first.
pub(super) fn best<'c>(verdicts: impl Iterator<Item = Verdict<'c>>) -> Option<(&'c Candidate, Service)> {
    verdicts
        .filter_map(|(candidate, verdict)| Some((candidate, verdict.ok()?)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// No candidate serves the condition: every one is named with what it misses. Where a part of the condition is to blame,
/// that is told first.
#[cold]
pub(super) fn refusal(candidates: &Candidates, terms: Terms<'_>, parts: &[Condition]) -> Error {
    let mut refused = None;
    let mut others = Vec::new();
    // An index that the caller can name, having been told what that means.
    let mut forcible = None;
    for (candidate, verdict) in verdicts(candidates, terms, parts) {
        match verdict {
            Err(Miss::Key(misfit)) if misfit.is_refusal() && refused.is_none() => {
                refused = Some(misfit.refusal(candidate, candidates));
            }
            Err(miss) => {
                forcible = forcible.or(candidate.index.as_deref().filter(|_| miss.can_be_forced()));
                others.push(format!("{candidate} {}", miss.brief(candidates)));
            }
            Ok(_) => {}
        }
    }
    let others = others.join("; ");
    let force = forcible.map_or_else(String::new, |index| {
        format!(", name the index all the same (index=\"{index}\")")
    });
    Error::Expression(match refused {
        Some(refusal) if others.is_empty() => refusal,
        Some(refusal) => format!("{refusal}. No other key serves the query: {others}"),
        None => format!(
            "no key serves the query: {others}. Add what is missing{force}, or use scan with where=, which reads \
             everything"
        ),
    })
}
