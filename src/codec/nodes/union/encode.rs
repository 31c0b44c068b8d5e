//! Writing: the member whose type the value is.

use pyo3::prelude::*;

use super::{Member, Union};
use crate::codec::state::{Encoding, Outcome, Refusal};

impl Union {
    #[inline]
    pub(super) fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let class = value.get_type();
        let is_of = |member: &&Member| member.classes.iter().any(|known| known.is(&class));
        let mut likely = self.members.iter().filter(is_of);
        let Some(first) = likely.next() else {
            return self.encode_unlikely(value, state);
        };
        if let Some(discriminator) = &self.discriminator
            && let Some(member) = discriminator.member_of_value(value, likely.clone().next().is_some())?
        {
            return self.members[member].node.encode(value, state);
        }
        let start = state.out.len();
        let depth = state.depth;
        let Err(mut refusal) = first.node.encode(value, state) else {
            return Ok(());
        };
        let mut alone = true;
        for member in likely {
            refusal.may_try_another()?;
            alone = false;
            state.out.truncate(start);
            state.depth = depth;
            match member.node.encode(value, state) {
                Ok(()) => return Ok(()),
                Err(other) => refusal = other,
            }
        }
        if alone {
            return Err(refusal);
        }
        refusal.may_try_another()?;
        Err(self.unexpected(value))
    }

    /// A value of no member's exact type: of a subclass, or a stray.
    #[cold]
    fn encode_unlikely(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        if let Some(discriminator) = &self.discriminator
            && let Some(member) = discriminator.member_of_value(value, true)?
        {
            return self.members[member].node.encode(value, state);
        }
        let start = state.out.len();
        let depth = state.depth;
        for member in &self.members {
            match member.node.encode(value, state) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal.may_try_another()?,
            }
            state.out.truncate(start);
            state.depth = depth;
        }
        Err(self.unexpected(value))
    }

    #[cold]
    fn unexpected(&self, value: &Bound<'_, PyAny>) -> Box<Refusal> {
        let names: Vec<&str> = self.members.iter().map(|member| &*member.name).collect();
        Refusal::unexpected(
            "union",
            &format!("a value of a member of the union ({})", names.join(", ")),
            value,
        )
    }
}
