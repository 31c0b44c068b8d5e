//! Why a condition cannot be asked of the table or index that was chosen.

use std::sync::Arc;

use super::{Candidate, Queried};
use crate::error::{Error, Result};
use crate::expr::ast::{Condition, Value};
use crate::expr::order;

pub(super) fn no_key_condition(queried: &Queried<'_>, name: &str, found: &str) -> Error {
    let name = queried.field(name);
    Error::Expression(format!(
        "{name} is a key attribute of {queried}, and {found} cannot be a key condition: DynamoDB takes one `==`, \
         range or begins_with for it and refuses key attributes in filters; ask once for each value or range, \
         or scan with where="
    ))
}

pub(super) fn check_filter(queried: &Queried<'_>, wanted: &Condition) -> Result<()> {
    let mut attributes = queried.key.partition.iter().chain(&queried.key.sort);
    let Some(name) = attributes.find(|name| wanted.mentions(name)) else {
        return Ok(());
    };
    let name = queried.field(name);
    Err(Error::Expression(format!(
        "where= may not ask for {name}: it is a key attribute of {queried}, and DynamoDB refuses key attributes in \
         filters; give this condition to query() itself"
    )))
}

/// `equal`: the attributes of which the condition gives the exact value.
pub(super) fn missing_partition(queried: &Queried<'_>, name: &str, equal: &[Arc<str>]) -> Error {
    let serves = |candidate: &&Candidate| candidate.partition.iter().all(|name| equal.contains(name));
    let advice = match queried.others.iter().find(serves) {
        Some(Candidate { index: Some(index), .. }) => {
            format!("index {index} could serve this condition: give index=\"{index}\"")
        }
        Some(Candidate { index: None, .. }) => {
            "the table itself could serve this condition: leave index= out".to_owned()
        }
        None => "add it, or use scan, which reads everything".to_owned(),
    };
    let name = queried.field(name);
    Error::Expression(format!(
        "the query needs `{name} == …`, since {name} is a partition attribute of {queried}; {advice}"
    ))
}

pub(super) fn several(queried: &Queried<'_>, name: &str) -> Error {
    let name = queried.field(name);
    Error::Expression(format!(
        "{name} is a sort attribute of {queried}, which takes one condition: `==`, begins_with, one bound, or a lower \
         and an upper bound; leave out the ones that the others contain"
    ))
}

/// A key attribute holds S, N or B, and never NULL.
pub(super) fn check_key_value(queried: &Queried<'_>, name: &str, value: &Value) -> Result<()> {
    if order::Scalar::of(value).is_some() {
        return Ok(());
    }
    Err(Error::Expression(format!(
        "{} is a key attribute, so it is S, N or B on the wire and never equal to {}",
        queried.field(name),
        value.tag.name()
    )))
}
