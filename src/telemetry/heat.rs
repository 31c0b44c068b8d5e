//! The partitions that are asked for most, in bounded memory: a space-saving sketch over a sliding minute. Moments are
//! told.

use std::collections::HashMap;
use std::time::Duration;

use super::touch::{Partition, Touch};
use crate::ops::capacity::Kind;

/// Counters of each window. A partition with more than a 256th of all units is never missed.
const COUNTERS: usize = 256;
const WINDOW: Duration = Duration::from_mins(1);
/// What DynamoDB gives one partition in a second.
const MOST_READ: f64 = 3000.0;
const MOST_WRITE: f64 = 1000.0;

#[derive(Debug, Default)]
pub struct Heat {
    now: Window,
    before: Option<Window>,
}

#[derive(Debug, Default)]
struct Window {
    start: Duration,
    read: Sketch,
    write: Sketch,
}

/// Units by partition. Once it is full, a new partition takes the place of the smallest and inherits its count as an
/// error, so that a count is never too low, and less its error never too high.
#[derive(Debug, Default)]
struct Sketch {
    counters: HashMap<Partition, Counter>,
    total: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    units: f64,
    error: f64,
    throttled: u64,
}

/// A partition and what was asked of it, in units per second.
#[derive(Debug, Clone, PartialEq)]
pub struct Hot {
    pub partition: Partition,
    pub read: f64,
    pub write: f64,
    pub throttled: u64,
    /// Of what DynamoDB gives one partition: the larger of both parts.
    pub utilisation: f64,
    /// Of all units that were counted, of the kind that is used more.
    pub share: f64,
}

impl Heat {
    /// `throttled`: tries of the request that were refused because too much was asked.
    pub fn add(&mut self, touches: Vec<Touch>, throttled: u32, now: Duration) {
        self.turn(now);
        for Touch { partition, kind, units } in touches {
            let sketch = match kind {
                Kind::Read => &mut self.now.read,
                Kind::Write => &mut self.now.write,
            };
            sketch.add(partition, units, u64::from(throttled));
        }
    }

    /// The `count` partitions that use most of what a partition has.
    pub fn hottest(&mut self, count: usize, now: Duration) -> Vec<Hot> {
        self.turn(now);
        let windows = || self.before.iter().chain([&self.now]);
        let start = windows().map(|window| window.start).min().unwrap_or_default();
        // Units of the first moment are not yet a speed.
        let seconds = now.saturating_sub(start).max(Duration::from_secs(1)).as_secs_f64();
        let (mut read, mut write) = (Sketch::default(), Sketch::default());
        for window in windows() {
            read.merge(&window.read);
            write.merge(&window.write);
        }
        let mut known: Vec<&Partition> = read.counters.keys().chain(write.counters.keys()).collect();
        known.sort_unstable();
        known.dedup();
        let mut hottest: Vec<Hot> = known
            .into_iter()
            .map(|partition| {
                let (reads, writes) = (read.of(partition), write.of(partition));
                let (reading, writing) = (reads.least() / seconds, writes.least() / seconds);
                let (read_part, write_part) = (reading / MOST_READ, writing / MOST_WRITE);
                let share = if read_part > write_part {
                    reads.least() / read.total
                } else if writes.least() > 0.0 {
                    writes.least() / write.total
                } else {
                    0.0
                };
                Hot {
                    partition: partition.clone(),
                    read: reading,
                    write: writing,
                    throttled: reads.throttled + writes.throttled,
                    utilisation: read_part.max(write_part),
                    share,
                }
            })
            .collect();
        hottest.sort_by(|one, other| {
            let by_use = other.utilisation.total_cmp(&one.utilisation);
            by_use.then_with(|| one.partition.cmp(&other.partition))
        });
        hottest.truncate(count);
        hottest
    }

    /// Begin a new window where this one is over.
    fn turn(&mut self, now: Duration) {
        let age = now.saturating_sub(self.now.start);
        if age < WINDOW {
            return;
        }
        let ended = std::mem::replace(
            &mut self.now,
            Window {
                start: now,
                ..Window::default()
            },
        );
        // What is older than two windows says nothing of now.
        self.before = (age < 2 * WINDOW).then_some(ended);
    }
}

impl Sketch {
    fn add(&mut self, partition: Partition, units: f64, throttled: u64) {
        self.total += units;
        if let Some(counter) = self.counters.get_mut(&partition) {
            counter.units += units;
            counter.throttled += throttled;
            return;
        }
        let mut inherited = 0.0;
        if self.counters.len() >= COUNTERS {
            let smallest = self
                .counters
                .iter()
                .min_by(|one, other| one.1.units.total_cmp(&other.1.units));
            let smallest = smallest.map(|(partition, counter)| (partition.clone(), counter.units));
            if let Some((partition, units)) = smallest {
                self.counters.remove(&partition);
                inherited = units;
            }
        }
        let counter = Counter {
            units: inherited + units,
            error: inherited,
            throttled,
        };
        self.counters.insert(partition, counter);
    }

    fn merge(&mut self, other: &Self) {
        self.total += other.total;
        for (partition, counter) in &other.counters {
            let sum = self.counters.entry(partition.clone()).or_default();
            sum.units += counter.units;
            sum.error += counter.error;
            sum.throttled += counter.throttled;
        }
    }

    fn of(&self, partition: &Partition) -> Counter {
        self.counters.get(partition).copied().unwrap_or_default()
    }
}

impl Counter {
    /// What was surely asked.
    fn least(self) -> f64 {
        self.units - self.error
    }
}
