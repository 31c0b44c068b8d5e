//! `ParallelScan`: one reading of a table in segments, whose pages are fetched ahead of whoever takes the items.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use crate::bridge::{self, Feed, PerProcess, Slice, Taken, Terms};
use crate::ops::pages::Page;
use crate::ops::parallel::{CountSegments, FetchSegment, Position, Walk};
use crate::py::client::Client;
use crate::py::exceptions::{self, Context};
use crate::py::operation::Operation;
use crate::py::pages::Query;
use crate::py::watch::{Listener, Watches};
use crate::wire::reader::Reader;

/// An iterator over the items at hand, which ends when they are all taken, and with each slice of them; `turn` then brings
/// further ones. Threads and tasks may share it.
#[pyclass(frozen, generic, module = "oxidyn._core")]
pub struct ParallelScan {
    query: Query,
    context: Context,
    start: Vec<Position>,
    /// Never held over Python code, so that it cannot be waited for while the GIL is.
    walk: Mutex<Walk>,
    /// None where one has ended. Locked as `walk` is.
    slice: Mutex<Option<Slice>>,
    /// Calls under way do not survive a fork.
    feed: PerProcess<Arc<Feed<Page>>>,
    watches: PerProcess<Watches>,
}

impl ParallelScan {
    pub fn new(py: Python<'_>, query: Query, segments: usize, after: Option<&str>) -> PyResult<Self> {
        let context = query.context();
        let start = match after {
            Some(after) => query
                .cursors()
                .read_positions(after, segments)
                .map_err(|error| exceptions::raise(py, error, &context))?,
            None => vec![Position::Start; segments],
        };
        let walk = Walk::new(query.pages.clone(), start.clone(), query.cursor_key.is_none());
        Ok(Self {
            query,
            context,
            start,
            walk: Mutex::new(walk),
            slice: Mutex::new(Some(Slice::new())),
            feed: PerProcess::new(),
            watches: PerProcess::new(),
        })
    }

    fn walk(&self) -> MutexGuard<'_, Walk> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slice(&self) -> MutexGuard<'_, Option<Slice>> {
        self.slice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begin a slice; whether one had ended.
    fn begin_slice(&self) -> bool {
        self.slice().replace(Slice::new()).is_none()
    }

    fn raise(&self, py: Python<'_>, error: crate::error::Error) -> PyErr {
        exceptions::raise(py, error, &self.context)
    }

    fn feed(&self) -> Arc<Feed<Page>> {
        let make = || {
            self.walk().forget_requests();
            Arc::new(Feed::new())
        };
        self.feed.with(make, |feed| Arc::clone(feed))
    }

    /// Have every segment fetch a page ahead, and take up the first that came.
    fn advance(
        &self,
        py: Python<'_>,
        feed: &Feed<Page>,
        client: &Client,
        listener: Option<&Listener>,
    ) -> PyResult<Stand> {
        loop {
            let mut walk = self.walk();
            if walk.has_page() {
                return Ok(Stand::AtPage);
            }
            let requests = walk.requests();
            if requests.is_empty() {
                let (number, outcome) = match feed.take() {
                    Taken::Outcome(number, outcome) => (number, outcome),
                    Taken::Nothing(known) if walk.is_under_way() => return Ok(Stand::Waiting(known)),
                    Taken::Nothing(_) => return Ok(Stand::AtEnd),
                };
                let taken = match outcome {
                    Ok(page) => {
                        walk.take_up(number, page);
                        Ok(())
                    }
                    Err(error) => {
                        walk.failed(number);
                        Err(error)
                    }
                };
                drop(walk);
                let watch = self.watches.with(Watches::default, |watches| watches.take(number));
                let taken = taken.map_err(|error| self.raise(py, error));
                match watch {
                    Some(watch) => watch.end(py, taken)?,
                    None => taken?,
                }
                // The page behind it is fetched while it is consumed.
                let requests = self.walk().requests();
                self.ask(py, feed, client, listener, requests)?;
                return Ok(Stand::AtPage);
            }
            drop(walk);
            self.ask(py, feed, client, listener, requests)?;
        }
    }

    fn ask(
        &self,
        py: Python<'_>,
        feed: &Feed<Page>,
        client: &Client,
        listener: Option<&Listener>,
        requests: Vec<(usize, FetchSegment)>,
    ) -> PyResult<()> {
        for (number, request) in requests {
            let watch = listener.map(|listener| listener.watch(py, &self.context)).transpose()?;
            let tally = watch.as_ref().map(|watch| Arc::clone(watch.tally()));
            if let Some(watch) = watch {
                // Before the call, whose outcome another thread may take.
                self.watches
                    .with(Watches::default, |watches| watches.insert(number, watch));
            }
            let terms = Terms {
                limits: self.context.limits.as_deref(),
                tally: tally.as_ref(),
            };
            feed.ask(py, client.core(), number, request, terms);
        }
        Ok(())
    }
}

/// Where the reading is.
enum Stand {
    AtPage,
    AtEnd,
    /// For more than so many arrivals.
    Waiting(u64),
}

#[pymethods]
impl ParallelScan {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.slice().is_none() {
            return Ok(None);
        }
        let found = self.walk().next_item();
        let Some(found) = found.map_err(|error| self.raise(py, error))? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&found.body);
        reader.seek(found.start);
        let plan = &self.context.plan;
        match plan.decode_item(py, &mut reader) {
            Ok(item) => {
                let end = reader.position();
                self.walk().item_ended(&found, end);
                let mut slice = self.slice();
                if slice.as_mut().is_some_and(|slice| slice.is_spent_by(end - found.start)) {
                    *slice = None;
                }
                Ok(Some(item))
            }
            Err(error) => {
                let request_id = self.walk().request_id(&found);
                let error = exceptions::with_context(py, error, &self.context, request_id.as_deref());
                reader.seek(found.start);
                Err(match plan.key_of_item(py, &mut reader) {
                    Some(key) => exceptions::with_key(py, error, &key),
                    None => error,
                })
            }
        }
    }

    /// Wait for further items; False behind the last.
    fn turn(&self, py: Python<'_>, client: &Client) -> PyResult<bool> {
        if self.begin_slice() {
            return Ok(true);
        }
        let feed = self.feed();
        let listener = client.telemetry().listener(py, false)?;
        loop {
            match self.advance(py, &feed, client, listener.as_ref())? {
                Stand::AtPage => return Ok(true),
                Stand::AtEnd => return Ok(false),
                Stand::Waiting(known) => feed.wait(py, known)?,
            }
        }
    }

    /// As `turn`, awaited. It may give True without items, when another task took them.
    fn turn_awaited(slf: Bound<'_, Self>, client: Bound<'_, Client>) -> PyResult<Py<PyAny>> {
        let (py, scan) = (slf.py(), slf.get());
        if scan.slice().is_none() {
            let scan = slf.clone().unbind();
            return bridge::turn(py, move |py| {
                scan.get().begin_slice();
                Ok(true.into_pyobject(py)?.to_owned().into_any().unbind())
            });
        }
        let feed = scan.feed();
        let truth = |py: Python<'_>, stand: Stand| {
            let more = !matches!(stand, Stand::AtEnd);
            more.into_pyobject(py).map(|more| more.to_owned().into_any().unbind())
        };
        let listener = client.get().telemetry().listener(py, true)?;
        match scan.advance(py, &feed, client.get(), listener.as_ref()) {
            Ok(Stand::Waiting(known)) => {
                let (scan, client) = (slf.clone().unbind(), client.unbind());
                feed.arrival(py, known, move |py| {
                    let scan = scan.get();
                    let stand = scan.advance(py, &scan.feed(), client.get(), listener.as_ref())?;
                    Ok(truth(py, stand)?)
                })
            }
            Ok(stand) => bridge::ready(py, Ok(truth(py, stand)?)),
            Err(error) => bridge::ready(py, Err(error)),
        }
    }

    /// Where the scan stands, as a token.
    fn cursor(&self, py: Python<'_>) -> PyResult<String> {
        let positions = self.walk().positions();
        positions
            .and_then(|positions| self.query.cursors().write_positions(&positions))
            .map_err(|error| self.raise(py, error))
    }

    /// For each segment: items handed out, items that DynamoDB looked at, whether it is finished.
    fn progress(&self, py: Python<'_>) -> PyResult<Vec<(u64, u64, bool)>> {
        let progress = self.walk().progress().map_err(|error| self.raise(py, error))?;
        let told = progress
            .into_iter()
            .map(|segment| (segment.items, segment.scanned, segment.is_finished));
        Ok(told.collect())
    }

    /// The operation that counts all items from where the scan began.
    fn count(&self) -> Operation {
        let count = CountSegments::new(&self.query.pages, &self.start);
        Operation::new(count, self.query.context(), |py, _, count| {
            Ok(count.into_pyobject(py)?.into_any().unbind())
        })
    }
}
