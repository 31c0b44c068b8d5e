//! A plan in words: where a query goes, why, and what the other candidates miss. No values.

use std::sync::Arc;

use super::candidate::{Candidate, Candidates, Kind};
use super::choice::{best, verdicts};
use super::fit::{Service, fit};
use super::{Planned, Terms, parts, plan, scanned};
use crate::error::Result;
use crate::expr::ast::Condition;
use crate::expr::placeholders::Placeholders;
use crate::expr::{condition, key_condition};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// `None` is the table itself.
    pub index: Option<Arc<str>>,
    /// As it is sent, with stored names, and without values; `None` is a scan.
    pub key_condition: Option<String>,
    pub filter: Option<String>,
    pub why: String,
    /// What else happens.
    pub notes: Vec<String>,
    pub candidates: Vec<Standing>,
}

/// What a candidate does for the condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub index: Option<Arc<str>>,
    /// The fields of its key.
    pub key: Vec<String>,
    /// Those of which the condition asks something that its key condition takes.
    pub serves: Vec<String>,
    pub misses: Option<String>,
}

/// As `plan`, in words.
pub fn explain(
    candidates: &Candidates,
    terms: Terms<'_>,
    condition: Condition,
    wanted: Option<Condition>,
) -> Result<Explanation> {
    let parts = parts::conjuncts(condition.clone());
    let Planned { candidate, split } = plan(candidates, terms, condition, wanted)?;
    let key_condition = spelled(|text, placeholders| key_condition::write(text, &split.key, placeholders))?;
    let mut notes = Vec::new();
    if split.empty {
        notes.push("nothing is sent, since no item can meet the condition".to_owned());
    }
    if let Some(end) = split.drop.first() {
        let field = candidates.field(&end.attribute);
        notes.push(format!(
            "an item whose {field} is an open end of the range is left out on the client"
        ));
    }
    notes.extend(note_of_lacks(
        candidates,
        candidate,
        terms,
        candidate.kind == Kind::Local,
    ));
    Ok(Explanation {
        index: candidate.index.clone(),
        key_condition: Some(key_condition),
        filter: split.filter.as_ref().map(spelled_filter).transpose()?,
        why: why(candidates, candidate, terms, &parts),
        notes,
        candidates: standings(candidates, terms, &parts),
    })
}

/// As `scanned`, in words.
pub fn explain_scan(candidates: &Candidates, terms: Terms<'_>, filter: Option<&Condition>) -> Result<Explanation> {
    let candidate = scanned(candidates, terms, filter)?;
    Ok(Explanation {
        index: candidate.index.clone(),
        key_condition: None,
        filter: filter.map(spelled_filter).transpose()?,
        why: format!("a scan reads every item of {candidate}"),
        notes: note_of_lacks(candidates, candidate, terms, false).into_iter().collect(),
        candidates: Vec::new(),
    })
}

fn spelled(write: impl FnOnce(&mut String, &mut Placeholders) -> Result<()>) -> Result<String> {
    let mut placeholders = Placeholders::default();
    let mut text = String::new();
    write(&mut text, &mut placeholders)?;
    Ok(placeholders.spelled(&text))
}

fn spelled_filter(filter: &Condition) -> Result<String> {
    spelled(|text, placeholders| condition::write(text, filter, placeholders))
}

/// What becomes of the attributes that the candidate does not hold.
fn note_of_lacks(
    candidates: &Candidates,
    candidate: &Candidate,
    terms: Terms<'_>,
    service_fetches: bool,
) -> Option<String> {
    if candidate.is_whole() {
        return None;
    }
    let lacks = candidates.lacking(candidate);
    Some(if service_fetches {
        format!("DynamoDB reads what the index does not hold of each item from the table: {lacks}")
    } else if terms.hydrate {
        format!("each item is read from the table, since the index does not hold {lacks}")
    } else {
        format!("there are no items to be had but their count, since the index does not hold {lacks}")
    })
}

fn why(candidates: &Candidates, chosen: &Candidate, terms: Terms<'_>, parts: &[Condition]) -> String {
    if let Some(index) = terms.index {
        return format!("index=\"{index}\" names it");
    }
    let others = verdicts(candidates, terms, parts).filter(|(other, _)| !std::ptr::eq(*other, chosen));
    let own = verdicts(candidates, terms, parts).find(|(other, _)| std::ptr::eq(*other, chosen));
    let (Some((second, theirs)), Some((_, Ok(ours)))) = (best(others), own) else {
        return "no other key serves the condition".to_owned();
    };
    reason(ours, theirs, second)
}

/// What tells the better service from the second best.
fn reason(ours: Service, theirs: Service, second: &Candidate) -> String {
    let count = |number: usize| match number {
        1 => "1 key attribute".to_owned(),
        _ => format!("{number} key attributes"),
    };
    if ours.is_whole && !theirs.is_whole {
        format!("it holds whole items, and {second} does not")
    } else if ours.is_one_item {
        "the table's whole key finds one item at most".to_owned()
    } else if ours.used > theirs.used {
        format!(
            "it serves {} by the key, and {second}, the next, {}",
            count(ours.used),
            theirs.used
        )
    } else if ours.equal > theirs.equal {
        format!("it serves more by `==` than {second}, the next")
    } else {
        format!(
            "it serves {}, as {second} does, and goes before it: first the table, then local and then global indexes, \
             each as declared",
            count(ours.used)
        )
    }
}

fn standings(candidates: &Candidates, terms: Terms<'_>, parts: &[Condition]) -> Vec<Standing> {
    let fields = |names: &mut dyn Iterator<Item = &Arc<str>>| -> Vec<String> {
        names.map(|name| candidates.field(name).to_owned()).collect()
    };
    verdicts(candidates, terms, parts)
        .map(|(candidate, verdict)| {
            let mut served = Vec::new();
            // What is served in front of a misfit counts too.
            let _ = fit(candidate, parts, |name, _| served.push(name));
            Standing {
                index: candidate.index.clone(),
                key: fields(&mut candidate.key.attributes()),
                serves: fields(&mut served.into_iter()),
                misses: match verdict {
                    Err(miss) => Some(miss.brief(candidates)),
                    Ok(service) if !service.is_whole => {
                        Some(format!("does not hold {}", candidates.lacking(candidate)))
                    }
                    Ok(_) => None,
                },
            }
        })
        .collect()
}
