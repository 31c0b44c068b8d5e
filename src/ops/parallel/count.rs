//! Counting what a parallel scan finds: all segments at once, in one operation.

use super::Position;
use crate::error::{Error, Result};
use crate::ops::count::Count;
use crate::ops::pages::{Cursor, Pages};
use crate::ops::{NumberedCall, Operation, Step};
use crate::transport::{Call, Reply};

/// The number of items in all segments.
#[derive(Debug, Clone)]
pub struct CountSegments {
    counts: Vec<Count>,
    /// Segments that are not counted to their end.
    left: usize,
    total: u64,
}

impl CountSegments {
    /// From the positions on, one for each segment.
    #[must_use]
    pub fn new(pages: &Pages, positions: &[Position]) -> Self {
        let segments = positions.iter().enumerate();
        let counts = segments.filter_map(|(number, position)| {
            let start_key = match position {
                Position::End => return None,
                Position::Start => None,
                Position::After(key) => Some(key.clone()),
            };
            let cursor = start_key.map(|start_key| Cursor {
                start_key,
                wanted: None,
            });
            Some(pages.of_segment(number, positions.len()).count(cursor))
        });
        Self {
            counts: counts.collect(),
            left: 0,
            total: 0,
        }
    }

    fn follow(&mut self, number: usize, step: Step<u64>, calls: &mut Vec<NumberedCall>) {
        let mut push = |after, call: Call| calls.push(NumberedCall { number, after, call });
        match step {
            Step::Call(call) => push(std::time::Duration::ZERO, call),
            Step::CallAfter(after, call) => push(after, call),
            Step::Calls(_) => unreachable!("a segment is counted page by page"),
            Step::Done(count) => {
                self.total += count;
                self.left -= 1;
            }
        }
    }

    fn next(&self, calls: Vec<NumberedCall>) -> Step<u64> {
        if self.left == 0 {
            Step::Done(self.total)
        } else {
            Step::Calls(calls)
        }
    }
}

impl Operation for CountSegments {
    type Output = u64;

    fn start(&mut self) -> Step<u64> {
        self.left = self.counts.len();
        let mut calls = Vec::with_capacity(self.left);
        for number in 0..self.counts.len() {
            let step = self.counts[number].start();
            self.follow(number, step, &mut calls);
        }
        self.next(calls)
    }

    fn step(&mut self, reply: Reply) -> Result<Step<u64>> {
        self.answer(0, Ok(reply))
    }

    fn answer(&mut self, number: usize, answer: Result<Reply, Error>) -> Result<Step<u64>> {
        let step = self.counts[number].answer(0, answer)?;
        let mut calls = Vec::with_capacity(1);
        self.follow(number, step, &mut calls);
        Ok(self.next(calls))
    }
}
