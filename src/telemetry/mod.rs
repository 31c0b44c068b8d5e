//! What calls took: gathered request by request, and summed up. No Python, and no clock but the tally's.

pub mod heat;
pub mod histogram;
pub mod ledger;
pub mod tally;
pub mod touch;
