//! The partition attributes, of which a query needs each one's exact value.

use std::sync::Arc;

use super::refusal::{check_key_value, missing_partition};
use super::{Queried, Split, is_equal};
use crate::error::{Error, Result};
use crate::expr::ast::Comparison;
use crate::expr::key_condition::KeyTest;

pub(super) fn add(
    queried: &Queried<'_>,
    split: &mut Split,
    attributes: Vec<(&Arc<str>, Vec<KeyTest>)>,
    equal: &[Arc<str>],
) -> Result<()> {
    for (name, tests) in attributes {
        let mut value = None;
        for test in tests {
            let KeyTest::Compare(Comparison::Equal, found) = test else {
                return Err(Error::Expression(format!(
                    "{} is a partition attribute of {queried}, which takes only `==`: DynamoDB finds a partition \
                     by its exact value",
                    queried.field(name)
                )));
            };
            check_key_value(queried, name, &found)?;
            split.empty |= value.as_ref().is_some_and(|value| !is_equal(value, &found));
            value.get_or_insert(found);
        }
        let value = value.ok_or_else(|| missing_partition(queried, name, equal))?;
        split
            .key
            .0
            .push((Arc::clone(name), KeyTest::Compare(Comparison::Equal, value)));
    }
    Ok(())
}
