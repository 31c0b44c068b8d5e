//! A client's calls in sums, for each operation on each table.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::histogram::Histogram;
use super::tally::Taken;
use crate::ops::capacity::Kind;
use crate::transport::effort::Effort;

/// An operation's name, and a table's: empty where no one table is meant.
pub type Account = (&'static str, Arc<str>);

#[derive(Debug, Default)]
pub struct Ledger(HashMap<Account, Sums>);

#[derive(Debug, Clone, Default)]
pub struct Sums {
    pub calls: u64,
    /// Calls that failed, by what they failed with.
    pub errors: HashMap<String, u64>,
    pub requests: u64,
    pub attempts: u64,
    pub throttled: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub read_units: f64,
    pub write_units: f64,
    pub duration: Duration,
    pub longest: Duration,
    pub durations: Histogram,
}

impl Ledger {
    pub fn enter(&mut self, account: Account, taken: &Taken, error: Option<&str>) {
        let sums = self.0.entry(account).or_default();
        let Effort {
            attempts,
            throttled,
            bytes_sent,
            bytes_received,
        } = taken.effort;
        sums.calls += 1;
        sums.requests += u64::from(taken.requests);
        sums.attempts += u64::from(attempts);
        sums.throttled += u64::from(throttled);
        sums.bytes_sent += bytes_sent;
        sums.bytes_received += bytes_received;
        sums.read_units += taken.units(Kind::Read).unwrap_or(0.0);
        sums.write_units += taken.units(Kind::Write).unwrap_or(0.0);
        sums.duration += taken.duration;
        sums.longest = sums.longest.max(taken.duration);
        sums.durations.add(taken.duration);
        if let Some(error) = error {
            match sums.errors.get_mut(error) {
                Some(count) => *count += 1,
                None => drop(sums.errors.insert(error.to_owned(), 1)),
            }
        }
    }

    pub fn accounts(&self) -> impl Iterator<Item = (&Account, &Sums)> {
        self.0.iter()
    }
}
