//! What our markers say of how a value is stored.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::builder::Builder;
use super::schema::{SchemaDict, oxidyn_metadata};

/// How a datetime is stored, where a marker says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    Seconds,
    Milliseconds,
    /// Whole seconds, rounded up.
    Ttl,
}

/// A text form in place of the usual one, of fixed width as well, so that it is a key's and sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A datetime without its fraction.
    Seconds,
    /// A datetime with `+00:00` for `Z`.
    Offset,
    /// A UUID as 32 hex digits.
    Hex,
    /// A UUID with upper-case digits.
    Upper,
}

impl Format {
    const ALL: [(&'static str, Self); 4] = [
        ("seconds", Self::Seconds),
        ("offset", Self::Offset),
        ("hex", Self::Hex),
        ("upper", Self::Upper),
    ];

    /// The types it is for, by their core schemas and in words.
    const fn owner(self) -> (&'static str, &'static str) {
        match self {
            Self::Seconds | Self::Offset => ("datetime", "datetime"),
            Self::Hex | Self::Upper => ("uuid", "UUID"),
        }
    }
}

/// What our markers say about a type, read from its schema's metadata.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub struct Marks {
    pub epoch: Option<Epoch>,
    /// `Attribute(utc=False)`: a datetime keeps its offset.
    pub keeps_offset: bool,
    /// `Attribute(format=…)`.
    pub format: Option<Format>,
    /// `Attribute(plaintext=True)`: secrets at any depth are stored in the clear.
    pub plaintext: bool,
    /// `SerializeAsAny`: instances of subclasses are stored with their own fields.
    pub of_subclasses: bool,
    /// The type is one of a union's several models, which are told by the fields that are stored: None and empty sets
    /// are not left out.
    pub told_by_fields: bool,
    /// The type is a field's, not an element's: its value may be absent.
    pub is_field: bool,
}

impl Marks {
    /// What reaches a field or an element below.
    pub fn for_part(&self) -> Self {
        Self {
            plaintext: self.plaintext,
            of_subclasses: self.of_subclasses,
            ..Self::default()
        }
    }

    /// What reaches one member of a union.
    pub fn for_member(&self) -> Self {
        Self {
            is_field: self.is_field,
            told_by_fields: self.told_by_fields,
            ..self.for_part()
        }
    }
}

impl Marks {
    pub fn is_empty(&self) -> bool {
        self.epoch.is_none() && !self.keeps_offset && self.format.is_none()
    }
}

impl<'py> Builder<'_, 'py> {
    /// Take over what the schema's markers say; true where they say that its secrets are stored in the clear.
    pub fn read_marks(&mut self, schema: &Bound<'py, PyDict>) -> PyResult<bool> {
        let Some(marks) = oxidyn_metadata(schema)? else {
            return Ok(false);
        };
        match marks.text("epoch")?.as_deref() {
            Some("s") => self.marks.epoch = Some(Epoch::Seconds),
            Some("ms") => self.marks.epoch = Some(Epoch::Milliseconds),
            Some(other) => return Err(self.schema_error(&format!("Epoch is \"s\" or \"ms\", not {other:?}"))),
            None => {}
        }
        if marks.flag("utc")? == Some(false) {
            self.marks.keeps_offset = true;
        }
        if let Some(name) = marks.text("format")? {
            let known = Format::ALL.into_iter().find(|(known, _)| *known == name);
            let Some((_, format)) = known else {
                return Err(self.schema_error(&format!("Attribute(format={name:?}) is none that this version knows")));
            };
            self.marks.format = Some(format);
        }
        let reveals = marks.flag("plaintext")?.unwrap_or(false);
        self.marks.plaintext |= reveals;
        Ok(reveals)
    }

    /// A marker on a type that it says nothing about is a mistake. What wraps a type hands its markers on.
    pub fn check_marks(&self, kind: &str) -> PyResult<()> {
        if kind == "missing-sentinel" {
            return Ok(());
        }
        let Marks {
            epoch,
            keeps_offset,
            format,
            ..
        } = self.marks;
        if epoch.is_some() && !matches!(kind, "datetime" | "int") {
            return Err(self.schema_error("Epoch and TTL are for datetime and int fields"));
        }
        if keeps_offset && kind != "datetime" {
            return Err(self.schema_error("Attribute(utc=False) is for datetime fields"));
        }
        if let Some(format) = format {
            let (owner, words) = format.owner();
            if kind != owner {
                let name = Format::ALL.into_iter().find(|(_, known)| *known == format);
                let name = name.map_or("", |(name, _)| name);
                return Err(self.schema_error(&format!("Attribute(format={name:?}) is for {words} fields")));
            }
            if epoch.is_some() || keeps_offset {
                return Err(self.schema_error(
                    "Attribute(format=...) is a form of its own: it goes without Epoch, TTL and utc=False",
                ));
            }
        }
        Ok(())
    }

    /// A map's keys are text as Pydantic's JSON mode writes them, whatever a marker says.
    pub fn refuse_marks(&self, schema: &Bound<'py, PyDict>) -> PyResult<()> {
        let marks = oxidyn_metadata(schema)?;
        let is_marked = |marks: Bound<'py, PyDict>| marks.has_any(&["epoch", "utc", "format", "name"]);
        if marks.map(is_marked).transpose()?.unwrap_or(false) {
            return Err(self.schema_error("Attribute, Epoch and TTL are for values, and this is a map's key"));
        }
        Ok(())
    }
}
