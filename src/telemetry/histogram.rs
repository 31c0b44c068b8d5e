//! Durations in steps of at most an eighth of their size: two kilobytes for all from a microsecond to a day.

use std::time::Duration;

/// Steps for each doubling.
const PARTS: u64 = 8;
/// Below this each microsecond has a step of its own.
const EXACT: u64 = 2 * PARTS;
/// 2 to the power of this are 19 hours; what is longer counts as that.
const LARGEST: u32 = 36;
const STEPS: usize = 272;
const _: () = assert!(STEPS as u64 == EXACT + (LARGEST - EXACT.ilog2()) as u64 * PARTS);

#[derive(Debug, Clone)]
pub struct Histogram(Box<[u64; STEPS]>);

impl Default for Histogram {
    fn default() -> Self {
        Self(Box::new([0; STEPS]))
    }
}

impl Histogram {
    pub fn add(&mut self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0[step(microseconds)] += 1;
    }

    /// For each step that has any: its end, and how many durations are below it and not in the one before.
    pub fn steps(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(step, count)| (end(step), *count))
    }
}

fn step(microseconds: u64) -> usize {
    let value = microseconds.min((1 << LARGEST) - 1);
    let step = if value < EXACT {
        value
    } else {
        let octave = u64::from(value.ilog2());
        let part = (value >> (octave - u64::from(PARTS.ilog2()))) % PARTS;
        EXACT + (octave - u64::from(EXACT.ilog2())) * PARTS + part
    };
    usize::try_from(step).unwrap_or(STEPS - 1)
}

/// The first microsecond behind a step.
fn end(step: usize) -> Duration {
    let step = step as u64;
    if step < EXACT {
        return Duration::from_micros(step + 1);
    }
    let (octave, part) = ((step - EXACT) / PARTS, (step - EXACT) % PARTS);
    Duration::from_micros((PARTS + part + 1) << (octave + 1))
}
