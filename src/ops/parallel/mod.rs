//! Parallel scan: a table or an index in segments, each read page by page on its own. Kept here is what to ask next and
//! where each segment stands; who sends the requests, and when, is the caller's business.

use bytes::Bytes;

use super::pages::{Page, Pages};
use super::{Operation, Step, token};
use crate::error::{Error, Result};
use crate::transport::{Call, Reply};

mod count;
mod cursor;

pub use count::CountSegments;

/// Where a segment goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    Start,
    /// Behind the item of this key. The object may hold more than the key attributes.
    After(Bytes),
    End,
}

/// What has come of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items handed out.
    pub items: u64,
    /// Items that the service looked at for the pages taken up so far.
    pub scanned: u64,
    pub is_finished: bool,
}

/// One reading of all segments, in which pages are taken up one after another.
#[derive(Debug)]
pub struct Walk {
    pages: Pages,
    segments: Vec<Segment>,
    at_hand: Option<AtHand>,
    pages_taken: u64,
}

#[derive(Debug)]
struct Segment {
    /// Where the page begins that is asked for next, or now.
    next: Position,
    /// Whether that came from outside, where a stranger could have made it up.
    is_unproven: bool,
    is_asked: bool,
    items: u64,
    scanned: u64,
}

/// The page whose items are handed out.
#[derive(Debug)]
struct AtHand {
    segment: usize,
    /// Its number among all that were taken up.
    number: u64,
    from: Position,
    page: Page,
}

/// An item to be decoded where it stands, `start` in the body of a page.
#[derive(Debug)]
pub struct Found {
    pub page: u64,
    pub body: Bytes,
    pub start: usize,
}

impl Walk {
    /// One segment for each position. `is_unproven`: a stranger could have made them up.
    #[must_use]
    pub fn new(pages: Pages, positions: Vec<Position>, is_unproven: bool) -> Self {
        let segment = |next: Position| Segment {
            is_unproven: is_unproven && matches!(next, Position::After(_)),
            next,
            is_asked: false,
            items: 0,
            scanned: 0,
        };
        Self {
            pages,
            segments: positions.into_iter().map(segment).collect(),
            at_hand: None,
            pages_taken: 0,
        }
    }

    /// What to ask now, each with the number of its segment: one page for every segment of which none is asked for or
    /// waiting. So the page at hand is consumed while the one behind it is on its way, and no more than that.
    pub fn requests(&mut self) -> Vec<(usize, FetchSegment)> {
        let count = self.segments.len();
        let mut requests = Vec::new();
        for (number, segment) in self.segments.iter_mut().enumerate() {
            let start_key = match &segment.next {
                _ if segment.is_asked => continue,
                Position::End => continue,
                Position::Start => None,
                Position::After(key) => Some(key.clone()),
            };
            segment.is_asked = true;
            let fetch = FetchSegment {
                pages: self.pages.of_segment(number, count),
                start_key,
                is_unproven: segment.is_unproven,
            };
            requests.push((number, fetch));
        }
        requests
    }

    /// Whether the answer to a request has still to be taken.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.segments.iter().any(|segment| segment.is_asked)
    }

    /// Ask anew for whatever was not taken.
    pub fn forget_requests(&mut self) {
        for segment in &mut self.segments {
            segment.is_asked = false;
        }
    }

    /// Whether there is a page at hand, which may have items.
    #[must_use]
    pub fn has_page(&self) -> bool {
        self.at_hand.is_some()
    }

    /// Take up the page that a segment's request gave, behind the one at hand.
    pub fn take_up(&mut self, number: usize, page: Page) {
        debug_assert!(self.at_hand.is_none(), "the page at hand has items");
        let segment = &mut self.segments[number];
        segment.is_asked = false;
        segment.is_unproven = false;
        segment.scanned += page.scanned();
        let next = page
            .last_key()
            .map_or(Position::End, |key| Position::After(key.clone()));
        let from = std::mem::replace(&mut segment.next, next);
        self.pages_taken += 1;
        self.at_hand = Some(AtHand {
            segment: number,
            number: self.pages_taken,
            from,
            page,
        });
    }

    /// A segment's request failed: it is asked again with the next ones.
    pub fn failed(&mut self, number: usize) {
        self.segments[number].is_asked = false;
    }

    /// The next item of the page at hand. Behind the last, there is no page at hand any more.
    pub fn next_item(&mut self) -> Result<Option<Found>> {
        let Some(at_hand) = &mut self.at_hand else {
            return Ok(None);
        };
        let Some(start) = at_hand.page.next_item()? else {
            self.at_hand = None;
            return Ok(None);
        };
        self.segments[at_hand.segment].items += 1;
        Ok(Some(Found {
            page: at_hand.number,
            body: at_hand.page.body().clone(),
            start,
        }))
    }

    /// The item ends before `end`. Where another item was taken meanwhile, that is known already.
    pub fn item_ended(&mut self, found: &Found, end: usize) {
        if let Some(at_hand) = &mut self.at_hand
            && at_hand.number == found.page
            && at_hand.page.is_at(found.start)
        {
            at_hand.page.item_ended(end);
        }
    }

    /// The request id of the page that an item is of, while that is at hand.
    #[must_use]
    pub fn request_id(&self, found: &Found) -> Option<String> {
        let at_hand = self.at_hand.as_ref().filter(|at_hand| at_hand.number == found.page)?;
        at_hand.page.request_id().map(str::to_owned)
    }

    /// Where each segment goes on, exactly behind the items that were handed out.
    pub fn positions(&self) -> Result<Vec<Position>> {
        let mut positions: Vec<Position> = self.segments.iter().map(|segment| segment.next.clone()).collect();
        if let Some(at_hand) = &self.at_hand {
            let page = &at_hand.page;
            if page.has_items()? {
                let last = page.last_item()?;
                positions[at_hand.segment] = last.map_or_else(|| at_hand.from.clone(), Position::After);
            }
        }
        Ok(positions)
    }

    pub fn progress(&self) -> Result<Vec<Progress>> {
        let positions = self.positions()?;
        let progress = self.segments.iter().zip(positions).map(|(segment, position)| Progress {
            items: segment.items,
            scanned: segment.scanned,
            is_finished: position == Position::End,
        });
        Ok(progress.collect())
    }
}

/// Read one page of a segment.
#[derive(Debug, Clone)]
pub struct FetchSegment {
    pages: Pages,
    start_key: Option<Bytes>,
    is_unproven: bool,
}

impl FetchSegment {
    fn call(&self) -> Call {
        self.pages.call_from(self.start_key.as_ref(), None)
    }
}

impl Operation for FetchSegment {
    type Output = Page;

    fn start(&mut self) -> Step<Page> {
        Step::Call(self.call())
    }

    /// Passed over once here, away from the thread that consumes it, so that the next request need not wait until then.
    fn step(&mut self, reply: Reply) -> Result<Step<Page>> {
        let mut page = self.pages.read(reply, self.start_key.as_ref(), None)?;
        page.look_to_the_end()?;
        Ok(Step::Done(page))
    }

    fn fail(&mut self, error: Error) -> Result<Step<Page>> {
        Err(token::explain(error, self.is_unproven))
    }
}
