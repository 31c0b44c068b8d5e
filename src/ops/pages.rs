//! The pager of Query and Scan: one page is one operation, and its items are found one by one as they are consumed, so
//! that a large page never holds anyone up.

use std::sync::Arc;

use bytes::Bytes;

use super::body::{Body, member};
use super::count::Count;
use super::{Operation, Step, identity, reply};
use crate::error::Result;
use crate::expr::ast::Path;
use crate::expr::key_condition::Pinned;
use crate::expr::order::Scalar;
use crate::expr::split::OpenEnd;
use crate::limits;
use crate::transport::{Call, Reply};
use crate::wire::reader::{self, ReadError, Reader};
use crate::wire::writer;

/// All pages of one query or scan.
#[derive(Debug, Clone)]
pub struct Pages {
    pub(super) operation: &'static str,
    /// The body without its closing bracket.
    head: Bytes,
    /// The same for items of which a selection is read.
    selecting: Option<Bytes>,
    bounds: Bounds,
    drop: Arc<[OpenEnd]>,
    pinned: Arc<[Pinned]>,
    /// The projection of what `drop` looks at, for counting; empty where nothing is dropped.
    dropped_attribute: Arc<str>,
    /// The service leaves items out by a filter after it has counted them against `Limit`.
    is_filtered: bool,
    /// Nothing can match, so nothing is sent.
    is_empty: bool,
    /// The index holds only a part of each item, and the service shall fetch the rest.
    fetches_rest: bool,
}

/// How much is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// Items wanted in all.
    pub limit: Option<u64>,
    /// Items that the service looks at for one page.
    pub page_size: Option<u32>,
}

/// Where to go on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The service's LastEvaluatedKey.
    pub start_key: Bytes,
    /// Items still wanted; `None` is all.
    pub wanted: Option<u64>,
}

impl Pages {
    /// `body` holds everything that is the same for every page.
    pub(super) fn new(
        operation: &'static str,
        mut body: Body,
        bounds: Bounds,
        drop: &[OpenEnd],
        is_filtered: bool,
    ) -> Result<Self> {
        let attributes: Vec<Path> = drop
            .iter()
            .take(1)
            .map(|end| Path::attribute(Arc::clone(&end.attribute)))
            .collect();
        let dropped_attribute = body.projection(&attributes)?.into();
        Ok(Self {
            operation,
            head: body.into_head().into(),
            selecting: None,
            bounds,
            drop: drop.into(),
            pinned: Arc::new([]),
            dropped_attribute,
            is_filtered,
            is_empty: false,
            fetches_rest: false,
        })
    }

    /// Every item found has these values.
    pub(super) fn pinning(mut self, attributes: impl Iterator<Item = Pinned>) -> Self {
        self.pinned = attributes.collect();
        self
    }

    /// Ask for items by this head.
    pub(super) fn selecting(mut self, head: Option<Bytes>) -> Self {
        self.selecting = head;
        self
    }

    pub(super) fn of_whole_items(mut self) -> Self {
        self.fetches_rest = true;
        self
    }

    /// Send nothing: what is asked for cannot be.
    pub(super) fn sending_nothing(mut self) -> Self {
        self.is_empty = true;
        self
    }

    /// The same of one segment of the table or index.
    pub(super) fn of_segment(&self, number: usize, count: usize) -> Self {
        let mut head = Vec::with_capacity(self.head.len() + 48);
        head.extend_from_slice(&self.head);
        for (name, value) in [("Segment", number), ("TotalSegments", count)] {
            writer::push_integer(member(&mut head, name), i64::try_from(value).unwrap_or(i64::MAX));
        }
        Self {
            head: head.into(),
            ..self.clone()
        }
    }

    /// The same with no more items than these.
    #[must_use]
    pub fn at_most(&self, limit: u64) -> Self {
        let mut pages = self.clone();
        pages.bounds.limit = Some(pages.bounds.limit.map_or(limit, |known| known.min(limit)));
        pages
    }

    /// The same by pages whose items are read whole from the table after each: as many of the index's as one batch takes,
    /// or ten, where a filter lets only some of them through.
    #[must_use]
    pub fn hydrating(&self) -> Self {
        let batches = if self.is_filtered { 10 } else { 1 };
        let size = u32::try_from(batches * limits::BATCH_GET_KEYS).unwrap_or(u32::MAX);
        let mut pages = self.clone();
        pages.bounds.page_size.get_or_insert(size);
        pages
    }

    /// The first page, or the one at the cursor.
    #[must_use]
    pub fn page(&self, cursor: Option<Cursor>) -> FetchPage {
        FetchPage {
            pages: self.clone(),
            cursor,
        }
    }

    /// How many items there are from here on.
    #[must_use]
    pub fn count(&self, cursor: Option<Cursor>) -> Count {
        Count::new(self.clone(), cursor)
    }

    /// What is asked for: bytes that are equal for queries that find the same items in the same order.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        identity::of_query(self.operation, &self.head, &self.drop)
    }

    /// The attributes of which every item found has one known value, with these.
    pub(super) fn pinned(&self) -> &[Pinned] {
        &self.pinned
    }

    pub(super) fn limit(&self) -> Option<u64> {
        self.bounds.limit
    }

    pub(super) fn wanted(&self, cursor: Option<&Cursor>) -> Option<u64> {
        cursor.map_or(self.bounds.limit, |cursor| cursor.wanted)
    }

    /// Whether the answer is known without a request.
    pub(super) fn is_exhausted(&self, cursor: Option<&Cursor>) -> bool {
        self.is_empty || self.wanted(cursor) == Some(0)
    }

    pub(super) fn drops_items(&self) -> bool {
        !self.drop.is_empty()
    }

    /// The request for a page of items.
    fn call(&self, cursor: Option<&Cursor>) -> Call {
        self.call_from(cursor.map(|cursor| &cursor.start_key), self.wanted(cursor))
    }

    /// The request for as many items as are wanted, from behind the start key.
    pub(super) fn call_from(&self, start_key: Option<&Bytes>, wanted: Option<u64>) -> Call {
        let (head, select) = match &self.selecting {
            Some(selecting) => (selecting, None),
            None => (&self.head, self.fetches_rest.then_some(("Select", "ALL_ATTRIBUTES"))),
        };
        Call {
            operation: self.operation,
            body: self.body(head, start_key, wanted, select),
        }
    }

    /// The request for the number of a page's items. Where some are dropped on the client they must be seen, but no more
    /// of them than decides that.
    pub(super) fn call_for_count(&self, cursor: Option<&Cursor>) -> Call {
        let member = if self.fetches_rest && self.is_filtered {
            // The filter sees what is read: to count, the service would read no more than the index holds.
            ("Select", "ALL_ATTRIBUTES")
        } else if self.drops_items() {
            ("ProjectionExpression", &*self.dropped_attribute)
        } else {
            ("Select", "COUNT")
        };
        Call {
            operation: self.operation,
            body: self.body(
                &self.head,
                cursor.map(|cursor| &cursor.start_key),
                self.wanted(cursor),
                Some(member),
            ),
        }
    }

    fn body(&self, head: &[u8], start_key: Option<&Bytes>, wanted: Option<u64>, more: Option<(&str, &str)>) -> Bytes {
        let mut body = Vec::with_capacity(head.len() + 128);
        body.extend_from_slice(head);
        if let Some((name, value)) = more {
            writer::push_text(member(&mut body, name), value);
        }
        if let Some(limit) = self.page_limit(wanted) {
            writer::push_integer(member(&mut body, "Limit"), limit);
        }
        if let Some(start_key) = start_key {
            member(&mut body, "ExclusiveStartKey").extend_from_slice(start_key);
        }
        body.push(b'}');
        Bytes::from(body)
    }

    /// How many items the service should look at. A filter's yield is unknown, so there `page_size` alone decides; of
    /// items that are dropped on the client few can come, since most keys are unique.
    fn page_limit(&self, wanted: Option<u64>) -> Option<i64> {
        let wanted = wanted
            .filter(|_| !self.is_filtered)
            .map(|wanted| wanted.saturating_add(self.drop.len() as u64));
        let limit = wanted.into_iter().chain(self.bounds.page_size.map(u64::from)).min()?;
        Some(i64::from(i32::try_from(limit).unwrap_or(i32::MAX)))
    }

    /// The page that was asked for from behind the start key.
    pub(super) fn read(&self, reply: Reply, start_key: Option<&Bytes>, wanted: Option<u64>) -> Result<Page> {
        Page::read(self.operation, reply, start_key, wanted, Arc::clone(&self.drop))
    }
}

/// Read one page.
#[derive(Debug, Clone)]
pub struct FetchPage {
    pages: Pages,
    cursor: Option<Cursor>,
}

impl Operation for FetchPage {
    type Output = Page;

    fn start(&mut self) -> Step<Page> {
        if self.pages.is_exhausted(self.cursor.as_ref()) {
            Step::Done(Page::empty(self.pages.operation))
        } else {
            Step::Call(self.pages.call(self.cursor.as_ref()))
        }
    }

    fn step(&mut self, reply: Reply) -> Result<Step<Page>> {
        let cursor = self.cursor.as_ref();
        let start_key = cursor.map(|cursor| &cursor.start_key);
        self.pages
            .read(reply, start_key, self.pages.wanted(cursor))
            .map(Step::Done)
    }
}

/// One reply of Query or Scan, read from its start to its end once, whatever the order of its members: up to `Items`
/// when it arrives, then an item at a time, then what stands behind them.
#[derive(Debug, Clone)]
pub struct Page {
    operation: &'static str,
    body: Bytes,
    request_id: Option<String>,
    wanted: Option<u64>,
    drop: Arc<[OpenEnd]>,
    position: usize,
    stand: Stand,
    /// Where the item begins that was given out last.
    last_item: Option<usize>,
    members: Members,
}

/// Where `Page::position` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Before an item.
    Before,
    /// At an item that was given out: whoever decodes it knows its end.
    At,
    /// Behind an item.
    Behind,
    /// Everything is read.
    End,
}

/// The members beside the items.
#[derive(Debug, Clone, Default)]
struct Members {
    /// The key behind which the page was to begin.
    start_key: Option<Bytes>,
    last_key: Option<Bytes>,
    count: u64,
    scanned: u64,
}

/// What a page holds from where it stands.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Items, at most as many as are wanted.
    pub items: u64,
    /// Where the service stopped; unknown (`None`) while there are as many items as are wanted.
    pub last_key: Option<Bytes>,
}

impl Page {
    fn empty(operation: &'static str) -> Self {
        Self {
            operation,
            body: Bytes::new(),
            request_id: None,
            wanted: Some(0),
            drop: Arc::new([]),
            position: 0,
            stand: Stand::End,
            last_item: None,
            members: Members::default(),
        }
    }

    fn read(
        operation: &'static str,
        reply: Reply,
        start_key: Option<&Bytes>,
        wanted: Option<u64>,
        drop: Arc<[OpenEnd]>,
    ) -> Result<Self> {
        let Reply { body, request_id, .. } = reply;
        let mut members = Members {
            start_key: start_key.cloned(),
            ..Members::default()
        };
        let mut reader = Reader::new(&body);
        let read = reader.begin_object().and_then(|more| members.read(&mut reader, more));
        let stand = read.map_err(|error| reply::unreadable(operation, &error))?;
        let position = reader.position();
        Ok(Self {
            operation,
            body,
            request_id,
            wanted,
            drop,
            position,
            stand,
            last_item: None,
            members,
        })
    }

    /// The whole reply, in which `next_item` tells positions.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Where the next item's `{` is, to be decoded there. Say where it ended by `item_ended`, or it is passed over once
    /// more on the way to the next one, as an item must be that cannot be decoded.
    pub fn next_item(&mut self) -> Result<Option<usize>> {
        if self.wanted == Some(0) {
            return Ok(None);
        }
        let mut reader = Reader::new(&self.body);
        reader.seek(self.position);
        let found = seek_item(&mut reader, self.stand, &self.drop, &mut self.members);
        self.stand = found.map_err(|error| reply::unreadable(self.operation, &error))?;
        self.position = reader.position();
        if self.stand == Stand::End {
            return Ok(None);
        }
        self.wanted = self.wanted.map(|wanted| wanted - 1);
        self.last_item = Some(self.position);
        Ok(Some(self.position))
    }

    /// Whether the item that begins at `start` was the last one given out, and its end is not told yet.
    pub(super) fn is_at(&self, start: usize) -> bool {
        self.stand == Stand::At && self.position == start
    }

    /// The item that `next_item` gave last ends before `position`.
    pub fn item_ended(&mut self, position: usize) {
        debug_assert_eq!(self.stand, Stand::At, "no item was given out");
        self.position = position;
        self.stand = Stand::Behind;
    }

    /// Where to go on, once the items of this page are consumed: `None` when no more are wanted or there are no more. Asked
    /// for earlier, it looks beyond the items, which stay to be consumed and are still among those wanted.
    pub fn next_cursor(&self) -> Result<Option<Cursor>> {
        if self.wanted == Some(0) {
            return Ok(None);
        }
        let last_key = match &self.members.last_key {
            None if self.stand != Stand::End => self.look_ahead(u64::MAX, &[])?.last_key,
            known => known.clone(),
        };
        Ok(last_key.map(|start_key| Cursor {
            start_key,
            wanted: self.wanted,
        }))
    }

    /// Whether it has all the items that are wanted, or else how many and where the service stopped.
    pub(super) fn ahead(&self) -> Result<Ahead> {
        let wanted = self.wanted.unwrap_or(u64::MAX);
        // DynamoDB tells the number of items before them, so most pages need not be passed over.
        if self.stand == Stand::Before && self.drop.is_empty() && self.members.count >= wanted {
            return Ok(Ahead {
                items: wanted,
                last_key: None,
            });
        }
        self.look_ahead(wanted, &self.drop)
    }

    /// An object with the key behind which to go on, once all items that were wanted are given out: the last of them
    /// where others follow it here, else where the service stopped; `None` at the end.
    pub(super) fn start_key(&self) -> Result<Option<Bytes>> {
        if self.has_items()? {
            return self.last_item();
        }
        Ok(match &self.members.last_key {
            None if self.stand != Stand::End => self.look_ahead(u64::MAX, &[])?.last_key,
            known => known.clone(),
        })
    }

    /// Whether there are items that were not given out.
    pub(super) fn has_items(&self) -> Result<bool> {
        Ok(self.look_ahead(1, &self.drop)?.items > 0)
    }

    /// The item that was given out last.
    pub(super) fn last_item(&self) -> Result<Option<Bytes>> {
        let Some(last_item) = self.last_item else {
            return Ok(None);
        };
        let mut reader = Reader::new(&self.body);
        reader.seek(last_item);
        let item = reader.raw_value();
        let item = item.map_err(|error| reply::unreadable(self.operation, &error))?;
        Ok(Some(self.body.slice(item)))
    }

    /// Know what stands behind the items before these are consumed.
    pub(super) fn look_to_the_end(&mut self) -> Result<()> {
        let mut reader = Reader::new(&self.body);
        reader.seek(self.position);
        let mut stand = self.stand;
        while stand != Stand::End {
            stand = seek_item(&mut reader, stand, &[], &mut self.members)
                .map_err(|error| reply::unreadable(self.operation, &error))?;
        }
        Ok(())
    }

    /// Items that the service looked at, as far as the page is read.
    pub(super) fn scanned(&self) -> u64 {
        self.members.scanned
    }

    /// Where the service stopped, as far as the page is read.
    pub(super) fn last_key(&self) -> Option<&Bytes> {
        self.members.last_key.as_ref()
    }

    fn look_ahead(&self, most: u64, drop: &[OpenEnd]) -> Result<Ahead> {
        let mut reader = Reader::new(&self.body);
        reader.seek(self.position);
        let mut members = self.members.clone();
        let mut stand = self.stand;
        let mut items = 0;
        while items < most {
            stand = seek_item(&mut reader, stand, drop, &mut members)
                .map_err(|error| reply::unreadable(self.operation, &error))?;
            if stand == Stand::End {
                return Ok(Ahead {
                    items,
                    last_key: members.last_key,
                });
            }
            items += 1;
        }
        Ok(Ahead { items, last_key: None })
    }

    /// Pass over all items that are left and say how many there were, or what the service counted where it sent none.
    pub(super) fn count(mut self) -> Result<(u64, Option<Cursor>)> {
        let counted = self.members.count;
        let mut count = 0;
        while self.next_item()?.is_some() {
            count += 1;
        }
        if count == 0 && self.drop.is_empty() {
            let limit = self.wanted.unwrap_or(u64::MAX);
            count = counted.min(limit);
            self.wanted = self.wanted.map(|wanted| wanted - count);
        }
        Ok((count, self.next_cursor()?))
    }
}

impl Members {
    /// Read members up to the first item, or to the end.
    fn read(&mut self, reader: &mut Reader<'_>, mut more: bool) -> reader::Result<Stand> {
        while more {
            match &*reader.key()? {
                "Items" if !reader.try_null() => {
                    if reader.begin_array()? {
                        return Ok(Stand::Before);
                    }
                }
                "LastEvaluatedKey" if !reader.try_null() => {
                    let key = reader.raw_value()?;
                    if self.start_key.as_deref() == Some(&reader.bytes()[key.clone()]) {
                        // It would be asked for again for ever.
                        return Err(reader.error("a LastEvaluatedKey behind the one that it was asked from"));
                    }
                    // A copy, since a slice would keep the whole page alive as long as the cursor.
                    self.last_key = Some(Bytes::copy_from_slice(&reader.bytes()[key]));
                }
                "Count" => self.count = read_count(reader)?,
                "ScannedCount" => self.scanned = read_count(reader)?,
                "Items" | "LastEvaluatedKey" => {}
                _ => reader.skip_value()?,
            }
            more = reader.next_member()?;
        }
        Ok(Stand::End)
    }
}

fn read_count(reader: &mut Reader<'_>) -> reader::Result<u64> {
    let number = reader.number()?;
    number.parse().map_err(|_| reader.error("a count"))
}

/// Go on to the start of the next item that is not dropped, or read the members behind the items.
fn seek_item(
    reader: &mut Reader<'_>,
    mut stand: Stand,
    drop: &[OpenEnd],
    members: &mut Members,
) -> Result<Stand, ReadError> {
    loop {
        match stand {
            Stand::Before => {
                reader.peek();
                if drop.is_empty() || !read_if_dropped(reader, drop)? {
                    return Ok(Stand::At);
                }
                stand = Stand::Behind;
            }
            Stand::At => {
                reader.skip_value()?;
                stand = Stand::Behind;
            }
            Stand::Behind if reader.next_element()? => stand = Stand::Before,
            Stand::Behind => {
                let more = reader.next_member()?;
                stand = members.read(reader, more)?;
            }
            Stand::End => return Ok(Stand::End),
        }
    }
}

/// Read the next item if it lies on an open end; otherwise nothing is read.
fn read_if_dropped(reader: &mut Reader<'_>, drop: &[OpenEnd]) -> Result<bool, ReadError> {
    let start = reader.position();
    let mut dropped = false;
    reply::members(reader, |name, reader| {
        let mut ends = drop.iter().filter(|end| &*end.attribute == name).peekable();
        if ends.peek().is_none() {
            return reader.skip_value();
        }
        if let Some(found) = Scalar::read(reader)? {
            dropped |= ends.any(|end| Scalar::of(&end.value).is_some_and(|end| found.is_equal(&end)));
        }
        Ok(())
    })?;
    if !dropped {
        reader.seek(start);
    }
    Ok(dropped)
}
