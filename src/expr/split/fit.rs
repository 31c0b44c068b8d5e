//! What a table or index can do for a condition, or why it can do nothing.

use std::sync::Arc;

use super::Terms;
use super::asked::{Asked, Unfit};
use super::candidate::{Candidate, Candidates, Kind};
use super::parts;
use crate::expr::ast::Condition;

/// Why a condition is no key condition of a table or index.
#[derive(Debug, Clone, Copy)]
pub(super) enum Misfit<'a> {
    /// The value of a partition attribute is not given,
    NoPartition(&'a Arc<str>),
    /// or not its exact value.
    NoEquality(&'a Arc<str>),
    /// What is asked of a key attribute can be no key condition; the words for what it is.
    NoTest(&'a Arc<str>, &'static str),
    /// Too much is asked of a sort attribute.
    Several(&'a Arc<str>),
    /// Nothing, or only a range, is asked of the first attribute, which stands before the second.
    Gap(&'a Arc<str>, &'a Arc<str>),
}

/// Read what `parts` ask of the candidate's key, from left to right. `take` gets each attribute of which something is
/// asked.
pub(super) fn fit<'c, 'p>(
    candidate: &'c Candidate,
    parts: &'p [Condition],
    mut take: impl FnMut(&'c Arc<str>, Asked<'p>),
) -> Result<(), Misfit<'c>> {
    let asked_of = |name: &'c Arc<str>| {
        Asked::of(name, parts).map_err(|unfit| match unfit {
            Unfit::NoTest(found) => Misfit::NoTest(name, found),
            Unfit::Several => Misfit::Several(name),
        })
    };
    for name in &candidate.key.partition {
        let asked = match asked_of(name) {
            Err(Misfit::Several(_)) => return Err(Misfit::NoEquality(name)),
            asked => asked?,
        };
        if asked.is_nothing() {
            return Err(Misfit::NoPartition(name));
        }
        if !asked.is_equality() {
            return Err(Misfit::NoEquality(name));
        }
        take(name, asked);
    }
    // The attribute after which the key condition cannot go on: one without a condition, or one with a range.
    let mut last: Option<&Arc<str>> = None;
    for name in &candidate.key.sort {
        let asked = asked_of(name)?;
        if asked.is_nothing() {
            last = last.or(Some(name));
            continue;
        }
        if let Some(last) = last {
            return Err(Misfit::Gap(last, name));
        }
        if !asked.is_equality() {
            last = Some(name);
        }
        take(name, asked);
    }
    Ok(())
}

/// How well a candidate serves a condition. The greater one serves better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Service {
    /// Its items come whole.
    pub is_whole: bool,
    /// The table's whole key is given, which is one item at most.
    pub is_one_item: bool,
    /// Key attributes that are conditions of the key,
    pub used: usize,
    /// and those of them whose exact value is given.
    pub equal: usize,
}

/// Why a candidate is not chosen, although `index=` may force some of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Miss<'a> {
    Key(Misfit<'a>),
    /// A global index is never read consistently.
    NotConsistent,
    /// Items without this attribute are not in the index, and the condition may mean them.
    LeavesOut(&'a Arc<str>),
    /// Nothing is asked of its sort attribute, so it is no more than the table's partition in another order.
    OtherOrder(&'a Arc<str>),
    /// The condition asks for an attribute that it does not hold.
    Lacks(&'a Arc<str>),
}

/// What the candidate does for a condition that does not say where it is to go.
pub(super) fn serve<'c>(
    candidates: &'c Candidates,
    candidate: &'c Candidate,
    terms: Terms<'_>,
    parts: &[Condition],
) -> Result<Service, Miss<'c>> {
    let (mut used, mut equal) = (0, 0);
    fit(candidate, parts, |_, asked| {
        used += 1;
        equal += usize::from(asked.is_equality());
    })
    .map_err(Miss::Key)?;
    if terms.consistent && candidate.kind == Kind::Global {
        return Err(Miss::NotConsistent);
    }
    let is_asked = |name: &Arc<str>| parts.iter().any(|part| parts::is_about(part, name));
    if let Some(name) = candidate.optional.iter().find(|name| !is_asked(name)) {
        return Err(Miss::LeavesOut(name));
    }
    if let Some(name) = candidates.only_other_order(candidate)
        && !is_asked(name)
    {
        return Err(Miss::OtherOrder(name));
    }
    if let Some(name) = candidate.unseen().iter().find(|name| is_asked(name)) {
        return Err(Miss::Lacks(name));
    }
    Ok(Service {
        is_whole: terms.hydrate || candidate.is_queried_whole(),
        is_one_item: candidate.kind == Kind::Table && equal == candidate.key.attributes().count(),
        used,
        equal,
    })
}

impl Misfit<'_> {
    /// Whether a part of the condition is to blame, and not only one that is not there.
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::NoPartition(_))
    }

    fn brief(self, candidates: &Candidates) -> String {
        let field = |name| candidates.field(name);
        match self {
            Self::NoPartition(name) => format!("needs `{} == …`", field(name)),
            Self::NoEquality(name) => format!("finds {} by `==` alone", field(name)),
            Self::NoTest(name, found) => format!("has {} in its key, where {found} cannot be asked", field(name)),
            Self::Several(name) => format!("takes one condition on {}", field(name)),
            Self::Gap(last, name) => format!("needs `{} == …` before a condition on {}", field(last), field(name)),
        }
    }

    /// The refusal to query this very candidate; what to do next is still to be said.
    pub fn refusal(self, candidate: &Candidate, candidates: &Candidates) -> String {
        let field = |name| candidates.field(name);
        match self {
            Self::NoPartition(name) => format!(
                "the query needs `{name} == …`, since {name} is a partition attribute of {candidate}",
                name = field(name)
            ),
            Self::NoEquality(name) => format!(
                "{} is a partition attribute of {candidate}, which takes only `==`: DynamoDB finds a partition by its \
                 exact value",
                field(name)
            ),
            Self::NoTest(name, found) => format!(
                "{} is a key attribute of {candidate}, and {found} cannot be a key condition: DynamoDB takes one `==`, \
                 range or begins_with for it and refuses key attributes in filters; ask once for each value or range, \
                 or scan with where=",
                field(name)
            ),
            Self::Several(name) => format!(
                "{} is a sort attribute of {candidate}, which takes one condition: `==`, begins_with, one bound, or a \
                 lower and an upper bound; leave out the ones that the others contain",
                field(name)
            ),
            Self::Gap(last, name) => format!(
                "{candidate} sorts by {last} before {name}: a condition on {name} needs `{last} == …` as well, since \
                 DynamoDB reads the parts of a key from left to right",
                last = field(last),
                name = field(name)
            ),
        }
    }
}

impl Miss<'_> {
    /// Whether `index=` forces what is missed.
    pub fn can_be_forced(self) -> bool {
        matches!(self, Self::LeavesOut(_) | Self::OtherOrder(_))
    }

    /// What is missed, in a list of candidates: "needs `org == …`".
    pub fn brief(self, candidates: &Candidates) -> String {
        let field = |name| candidates.field(name);
        match self {
            Self::Key(misfit) => misfit.brief(candidates),
            Self::NotConsistent => "is a global index, which is never read consistently".to_owned(),
            Self::LeavesOut(name) => {
                format!(
                    "leaves out items without {}, of which the condition says nothing",
                    field(name)
                )
            }
            Self::OtherOrder(name) => {
                format!(
                    "is the table in the order of {}, of which the condition says nothing",
                    field(name)
                )
            }
            Self::Lacks(name) => format!("does not hold {}, which the condition asks for", field(name)),
        }
    }
}
