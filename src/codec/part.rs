//! A part of an item that is read by itself: where it lies in a reply, and what stands for it where it is not stored.

use std::sync::Arc;

use pyo3::PyTraverseError;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{PyDict, PyInt, PyTuple};

use super::node::Node;
use super::nodes::model::Absence;
use super::options::{Load, PlanOptions};
use super::own::Own;
use super::plan::Plan;
use super::state::{Outcome, Refusal};
use super::target::Part::Whole;
use super::target::{self, Target, Waypoint};
use crate::expr::ast::{Path, Segment};
use crate::wire::Tag;
use crate::wire::reader::Reader;

pub struct Part {
    target: Arc<Target>,
    /// Where a validator needs the fields that are not read, it is not run: the target without validators.
    trusting: Option<Box<Target>>,
    /// What is asked for: the part itself, or what holds it where a reply would not tell what is absent.
    asked: Path,
    /// Where it is in a reply: places in lists are those among what was asked for.
    way: Box<[Segment]>,
    stand_ins: Box<[StandIn]>,
}

/// What stands for a field on the way, or at its end, where it is absent.
struct StandIn {
    /// Segments that lead to the field.
    depth: usize,
    /// Steps of the path in Python's names that lead to it.
    steps: usize,
    what: Absence,
    own: Box<Own>,
}

/// What a reply has of a part.
pub enum Found<'py> {
    Value(Bound<'py, PyAny>),
    /// The path ends before this segment.
    AbsentAt(usize),
}

impl Part {
    pub fn resolve(py: Python<'_>, plan: &Plan, path: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let target = plan.target(path, path, Whole)?;
        let waypoints = target::waypoints(py, plan, path)?;
        let stand_ins: Vec<StandIn> = waypoints.into_iter().filter_map(StandIn::of).collect();
        let segments = &target.path.0;
        let is_last = |depth: usize| depth == segments.len();
        // An item's list may be shorter, and its elements may lack what is asked of them: only whole elements tell which
        // ones a reply has. A default stands for a part of itself too, so it must be known that the whole is absent.
        let in_list = segments.iter().position(|segment| matches!(segment, Segment::Index(_)));
        let defaulted = stand_ins
            .iter()
            .filter(|stand_in| !is_last(stand_in.depth) && !stand_in.is_none(py))
            .map(|stand_in| stand_in.depth);
        let length = in_list.map(|index| index + 1).into_iter().chain(defaulted).min();
        let asked = Path(segments[..length.unwrap_or(segments.len())].into());
        let trusting = if plan.options().load == Load::Validate && target.takes_info(py)? {
            let options = PlanOptions {
                load: Load::Trust,
                ..plan.options().clone()
            };
            Some(Box::new(target::resolve_with(py, plan, &options, path, Whole)?))
        } else {
            None
        };
        Ok(Self {
            way: (**segments).into(),
            target,
            trusting,
            asked,
            stand_ins: stand_ins.into(),
        })
    }

    /// What a projection asks for.
    pub fn asked(&self) -> &Path {
        &self.asked
    }

    /// The item's own attribute in which it lies.
    pub fn root(&self) -> &Arc<str> {
        self.asked.root().expect("a path begins with an attribute")
    }

    /// Whether it is the whole attribute.
    pub fn is_attribute(&self) -> bool {
        self.way.len() == 1
    }

    /// Where DynamoDB leaves out list elements that were not asked for, the places of those that were are counted anew.
    /// `asked` is everything that the projection asks for.
    pub fn count_places(&mut self, asked: &[Path]) {
        let place = self.asked.0.len() - 1;
        let Segment::Index(index) = self.asked.0[place] else {
            return;
        };
        let list = &self.asked.0[..place];
        let is_whole = asked.iter().any(|path| list.starts_with(&path.0));
        if is_whole {
            return;
        }
        let before = asked.iter().filter(|path| {
            path.0.starts_with(list) && matches!(path.0.get(place), Some(Segment::Index(other)) if *other < index)
        });
        self.way[place] = Segment::Index(u32::try_from(before.count()).expect("fewer than the index"));
    }

    /// Where it is in a whole item, or in a reply to the projection.
    pub fn way(&self, of_whole_items: bool) -> &[Segment] {
        if of_whole_items { &self.target.path.0 } else { &self.way }
    }

    /// Read it in the value of its root attribute, at which the reader is.
    pub fn read<'py>(
        &self,
        py: Python<'py>,
        options: &PlanOptions,
        way: &[Segment],
        reader: &mut Reader<'_>,
    ) -> Outcome<Found<'py>> {
        for (depth, segment) in way.iter().enumerate().skip(1) {
            let found = match (reader.tag()?, segment) {
                (Tag::M, Segment::Attribute(name)) => seek_member(reader, name)?,
                (Tag::L, Segment::Index(index)) => seek_element(reader, *index)?,
                // None has no parts: what is asked of it is absent, and the default of None itself is not meant.
                (Tag::Null, _) => return Ok(Found::AbsentAt(self.way.len())),
                (tag, segment) => {
                    let expected = match segment {
                        Segment::Attribute(_) => "M",
                        Segment::Index(_) => "L",
                    };
                    let message = format!("expected {expected} on the way to it, found {}", tag.name());
                    return Err(Refusal::new("wire", message));
                }
            };
            if !found {
                return Ok(Found::AbsentAt(depth + 1));
            }
        }
        reader.peek();
        let start = reader.position();
        let read = self.target.decode(py, options, reader);
        let Some(trusting) = &self.trusting else {
            return read.map(Found::Value);
        };
        let lacks_data = |refusal: &Refusal| {
            refusal.raised().is_some_and(|error| {
                error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyAttributeError>(py)
            })
        };
        match read {
            Err(refusal) if lacks_data(&refusal) => {
                reader.seek(start);
                trusting.decode(py, options, reader).map(Found::Value)
            }
            read => read.map(Found::Value),
        }
    }

    /// What stands for it where the path ends before the segment at `depth`, counted from 1.
    #[cold]
    pub fn stand_in<'py>(&self, py: Python<'py>, depth: usize) -> Outcome<Bound<'py, PyAny>> {
        let of_depth = |depth: usize| self.stand_ins.iter().find(|stand_in| stand_in.depth == depth);
        if depth < self.way.len()
            && let Some(stand_in) = of_depth(depth)
            && let Some(value) = stand_in.value(py, &self.target)?
            && let Some(value) = walk(value, self.target.steps_from(py, stand_in.steps))?
        {
            return Ok(value);
        }
        let own = of_depth(self.way.len()).map(|stand_in| stand_in.value(py, &self.target));
        own.transpose()?.flatten().ok_or_else(|| {
            Refusal::new(
                "missing",
                "expected a value, found none stored, and there is no default: leave such items out by where=, or select \
                 what holds it",
            )
        })
    }

    pub fn refused(&self, py: Python<'_>, refusal: Box<Refusal>) -> Box<Refusal> {
        self.target.located(py, refusal)
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if Arc::strong_count(&self.target) == 1 {
            self.target.traverse(visit)?;
        }
        if let Some(trusting) = &self.trusting {
            trusting.traverse(visit)?;
        }
        self.stand_ins.iter().try_for_each(|stand_in| {
            stand_in.own.traverse(visit)?;
            match &stand_in.what {
                Absence::Plain(default) => visit.call(default),
                Absence::Refused | Absence::EmptySet | Absence::Made | Absence::OfOthers => Ok(()),
            }
        })
    }
}

impl StandIn {
    fn of(waypoint: Waypoint) -> Option<Self> {
        let Waypoint {
            depth,
            steps,
            absence,
            own,
        } = waypoint;
        (!matches!(absence, Absence::Refused)).then_some(Self {
            depth,
            steps,
            what: absence,
            own,
        })
    }

    /// Whether it is always None, so that nothing of it can be asked for.
    fn is_none(&self, py: Python<'_>) -> bool {
        matches!(&self.what, Absence::Plain(default) if default.is_none(py))
    }

    fn value<'py>(&self, py: Python<'py>, target: &Target) -> Outcome<Option<Bound<'py, PyAny>>> {
        match &self.what {
            Absence::Refused => Ok(None),
            Absence::Plain(default) => Ok(Some(default.bind(py).clone())),
            Absence::EmptySet => match target.node().unlayered() {
                Node::Set(node) => node.empty(py).map(Some),
                _ => Ok(None),
            },
            Absence::Made => self.own.default_value(py),
            Absence::OfOthers => Err(Refusal::new(
                "missing",
                "expected a value, found none stored, and the default is made of other fields, which are not read",
            )),
        }
    }
}

/// What the steps lead to in a value; `None` where it leads nowhere.
fn walk<'py>(
    mut value: Bound<'py, PyAny>,
    steps: impl Iterator<Item = Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    for step in steps {
        let found = if let Ok(dict) = value.cast::<PyDict>() {
            dict.get_item(&step)?
        } else if step.is_instance_of::<PyInt>() {
            let index: usize = step.extract()?;
            (index < value.len()?).then(|| value.get_item(index)).transpose()?
        } else {
            value.getattr_opt(step.cast()?)?
        };
        match found {
            Some(found) => value = found,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Go on to the value of a map's member; the reader is behind the map's head.
fn seek_member(reader: &mut Reader<'_>, name: &str) -> Outcome<bool> {
    let mut more = reader.begin_object()?;
    while more {
        if &*reader.key()? == name {
            return Ok(true);
        }
        reader.skip_value()?;
        more = reader.next_member()?;
    }
    Ok(false)
}

fn seek_element(reader: &mut Reader<'_>, index: u32) -> Outcome<bool> {
    let mut more = reader.begin_array()?;
    for _ in 0..index {
        if !more {
            return Ok(false);
        }
        reader.skip_value()?;
        more = reader.next_element()?;
    }
    Ok(more)
}
