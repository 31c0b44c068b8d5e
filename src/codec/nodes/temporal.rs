//! datetime, date, time → S, or N where a marker says so; timedelta → N seconds.

use pyo3::PyTraverseError;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyDict, PyString, PyTime, PyTimeAccess, PyTzInfo,
    PyTzInfoAccess,
};

use crate::codec::builder::Builder;
use crate::codec::infer;
use crate::codec::marks::{Epoch, Format};
use crate::codec::node::{Codec, Node};
use crate::codec::own::Own;
use crate::codec::schema::SchemaDict;
use crate::codec::state::{Decoding, Encoding, Outcome, Refusal};
use crate::codec::tags::Tags;
use crate::expr::ast::Grid;
use crate::wire::Tag;
use crate::wire::reader::Reader;
use crate::wire::temporal::{self, Date, DateTime, Time, Zone};

const MICROS_PER_SECOND: i128 = 1_000_000;
const SECONDS_PER_DAY: i128 = 86_400;

/// `datetime` → S in UTC, six digits, `Z`; naive the same without `Z`; other texts and N by marker.
pub struct DateTimeNode {
    own: Box<Own>,
    rule: Rule,
    constrained: bool,
}

/// How datetimes are written, and which.
#[derive(Debug, Clone, Copy)]
struct Rule {
    form: Form,
    zones: Zones,
    /// Naive and aware ones do not sort together: a naive value is refused unless the field has only such.
    ordered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In UTC, with six digits and `Z`.
    Utc,
    /// In UTC, without a fraction, with `Z`.
    Seconds,
    /// In UTC, with six digits and `+00:00`.
    ZeroOffset,
    /// At the value's own offset.
    Offset,
    Number(Epoch),
}

/// Which values the field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zones {
    Any,
    Aware,
    Naive,
}

impl DateTimeNode {
    pub fn grid(&self) -> Grid {
        match self.rule.form {
            Form::Utc | Form::Seconds | Form::ZeroOffset => Grid::DateTime,
            Form::Offset => Grid::Dense,
            Form::Number(Epoch::Seconds) => Grid::MicroNumber,
            Form::Number(Epoch::Milliseconds | Epoch::Ttl) => Grid::Integer,
        }
    }

    /// What the numbers count, where it is stored as numbers.
    pub fn epoch(&self) -> Option<Epoch> {
        match self.rule.form {
            Form::Number(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// The form of the text, in words.
    pub fn text_form(&self) -> &'static str {
        match (self.rule.form, self.rule.zones) {
            (Form::Seconds, Zones::Naive) => "datetimes to the second without a zone",
            (_, Zones::Naive) => "datetimes without a zone",
            (Form::Seconds, _) => "datetimes to the second",
            (Form::ZeroOffset, _) => "datetimes with +00:00",
            (Form::Offset, _) => "datetimes with their offsets",
            (Form::Utc | Form::Number(_), _) => "datetimes",
        }
    }

    /// Values with their own offsets do not sort as the instants do.
    pub fn sorts(&self) -> bool {
        self.rule.form != Form::Offset
    }

    fn encode_number(micros: i64, epoch: Epoch, state: &mut Encoding<'_>) -> Outcome<()> {
        state.push(b"{\"N\":\"");
        match epoch {
            Epoch::Seconds => temporal::push_seconds(state.out, micros.into()),
            Epoch::Ttl => crate::wire::writer::push_integer(state.out, temporal::seconds_rounded_up(micros)),
            Epoch::Milliseconds => {
                let Some(milliseconds) = temporal::whole_milliseconds(micros) else {
                    return Err(Refusal::new(
                        "epoch",
                        "expected whole milliseconds, found microseconds beside them: cut them first, or use Epoch(\"s\")",
                    ));
                };
                crate::wire::writer::push_integer(state.out, milliseconds);
            }
        }
        state.push(b"\"}");
        Ok(())
    }

    pub fn is_plain(&self) -> bool {
        !self.constrained
    }

    /// Whether the field has values of this zone, or without one.
    #[inline]
    pub fn takes(&self, zone: Zone) -> bool {
        match self.rule.zones {
            Zones::Any => true,
            Zones::Aware => zone != Zone::Naive,
            Zones::Naive => zone == Zone::Naive,
        }
    }

    /// Whether text that was read so is what would be written again.
    pub fn writes_again(&self, zone: Zone, has_fraction: bool) -> bool {
        match self.rule.form {
            Form::Utc | Form::Seconds => {
                has_fraction == (self.rule.form == Form::Utc)
                    && match self.rule.zones {
                        Zones::Naive => zone == Zone::Naive,
                        Zones::Any | Zones::Aware => zone == Zone::Utc,
                    }
            }
            Form::ZeroOffset | Form::Offset | Form::Number(_) => false,
        }
    }

    /// The instant that a stored number stands for.
    pub fn instant(text: &str, epoch: Epoch) -> Option<DateTime> {
        let micros = temporal::micros_of_seconds(text);
        let micros = if epoch == Epoch::Milliseconds {
            // A thousandth of the seconds' scale: exact, or not a whole microsecond.
            micros.filter(|micros| micros % 1000 == 0).map(|micros| micros / 1000)
        } else {
            micros
        };
        micros
            .and_then(|micros| i64::try_from(micros).ok())
            .and_then(DateTime::from_epoch_micros)
    }

    fn decode_number<'py>(&self, text: &str, epoch: Epoch, state: &Decoding<'_, 'py>) -> Outcome<Bound<'py, PyAny>> {
        let Some(instant) = Self::instant(text, epoch) else {
            return Err(Refusal::new(
                "epoch",
                "expected a number of seconds in years 1 to 9999, to the microsecond",
            ));
        };
        let value = datetime_object(state.py, instant, Zone::Utc)?;
        if self.constrained {
            self.own.validate(&value, false)
        } else {
            Ok(value)
        }
    }
}

impl Codec for DateTimeNode {
    const KINDS: &'static [&'static str] = &["datetime"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let form = match (builder.marks.epoch, builder.marks.keeps_offset) {
            (Some(_), true) => {
                return Err(
                    builder.schema_error("a number of seconds keeps no offset: Epoch and TTL go without utc=False")
                );
            }
            (Some(epoch), false) => Form::Number(epoch),
            (None, true) => Form::Offset,
            (None, false) => match builder.marks.format {
                Some(Format::Seconds) => Form::Seconds,
                Some(Format::Offset) => Form::ZeroOffset,
                _ => Form::Utc,
            },
        };
        let constraint = schema.member("tz_constraint")?;
        let zones = match constraint
            .as_ref()
            .and_then(|constraint| constraint.extract::<String>().ok())
            .as_deref()
        {
            Some("aware") => Zones::Aware,
            Some("naive") => Zones::Naive,
            _ => Zones::Any,
        };
        if zones == Zones::Naive && !matches!(form, Form::Utc | Form::Seconds) {
            return Err(builder.schema_error(
                "a naive datetime is no instant: Epoch, TTL, utc=False and format=\"offset\" need aware ones",
            ));
        }
        let constrained =
            schema.has_any(&["gt", "ge", "lt", "le", "now_op"])? || (constraint.is_some() && zones == Zones::Any);
        Ok(Self {
            own: builder.own_scalar(schema),
            rule: Rule {
                form,
                zones,
                ordered: builder.ordered,
            },
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(if matches!(self.rule.form, Form::Number(_)) {
            Tag::N
        } else {
            Tag::S
        })
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Ok(datetime) = value.cast::<PyDateTime>() else {
            return Err(Refusal::unexpected("datetime_type", "a datetime", value));
        };
        self.rule.encode(datetime, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match (tag, self.rule.form) {
            (Tag::S, _) => {}
            (Tag::N, Form::Number(epoch)) => return self.decode_number(&reader.text()?, epoch, state),
            _ => return self.own.convert(tag, reader, state),
        }
        let text = reader.text()?;
        let parsed = DateTime::parse(text.as_bytes()).or_else(|| DateTime::parse_seconds(text.as_bytes()));
        let Some((parts, zone)) = parsed else {
            // In strict mode too, since a datetime is stored as text.
            return self.own.validate(PyString::new(state.py, &text).as_any(), true);
        };
        let value = datetime_object(state.py, parts, zone)?;
        let naive = zone == Zone::Naive;
        if self.constrained || (naive && self.rule.zones == Zones::Aware) || (!naive && self.rule.zones == Zones::Naive)
        {
            return self.own.validate(&value, false);
        }
        Ok(value)
    }
}

impl Rule {
    fn encode(self, datetime: &Bound<'_, PyDateTime>, state: &mut Encoding<'_>) -> Outcome<()> {
        let value = datetime.as_any();
        let parts = datetime_parts(datetime);
        let Some(offset) = offset_micros(value, datetime.get_tzinfo())? else {
            if matches!(self.form, Form::Number(_)) || (self.ordered && self.zones != Zones::Naive) {
                return Err(Refusal::new(
                    "timezone_aware",
                    "expected a datetime with a timezone, found a naive one, which is no instant: give it a timezone, \
                     or declare the field NaiveDatetime where it is stored as text",
                )
                .with_input(value));
            }
            return self.push_text(parts, Zone::Naive, state);
        };
        if self.ordered && self.zones == Zones::Naive {
            return Err(Refusal::new(
                "timezone_naive",
                "expected a naive datetime, found one with a timezone, which does not sort among naive ones",
            )
            .with_input(value));
        }
        let (parts, zone) = if self.form == Form::Offset {
            (parts, zone_of_offset(offset)?)
        } else {
            let Some(parts) = parts.to_utc(offset) else {
                return Err(Refusal::new(
                    "datetime_range",
                    "the instant lies outside years 1 to 9999 in UTC",
                ));
            };
            let zone = if self.form == Form::ZeroOffset {
                Zone::Offset(0)
            } else {
                Zone::Utc
            };
            (parts, zone)
        };
        if let Form::Number(epoch) = self.form {
            return DateTimeNode::encode_number(parts.epoch_micros(), epoch, state);
        }
        self.push_text(parts, zone, state)
    }

    #[inline]
    fn push_text(self, parts: DateTime, zone: Zone, state: &mut Encoding<'_>) -> Outcome<()> {
        state.push(b"{\"S\":\"");
        if self.form != Form::Seconds {
            parts.push(state.out, zone);
        } else if !parts.push_seconds(state.out, zone) {
            return Err(Refusal::new(
                "datetime_format",
                "expected whole seconds (format=\"seconds\"), found microseconds beside them: cut them first, or store \
                 them",
            ));
        }
        state.push(b"\"}");
        Ok(())
    }
}

fn datetime_parts(value: &Bound<'_, PyDateTime>) -> DateTime {
    DateTime {
        date: Date {
            year: year(value.get_year()),
            month: value.get_month(),
            day: value.get_day(),
        },
        time: Time {
            hour: value.get_hour(),
            minute: value.get_minute(),
            second: value.get_second(),
            microsecond: value.get_microsecond(),
        },
    }
}

fn year(year: i32) -> u16 {
    u16::try_from(year).expect("Python's years are 1 to 9999")
}

/// How far east of UTC, or `None` for a naive value. UTC's own object, the usual one, is not asked.
fn offset_micros(value: &Bound<'_, PyAny>, zone: Option<Bound<'_, PyTzInfo>>) -> PyResult<Option<i64>> {
    let Some(zone) = zone else { return Ok(None) };
    if zone.is(PyTzInfo::utc(value.py())?) {
        return Ok(Some(0));
    }
    let offset = value.call_method0(pyo3::intern!(value.py(), "utcoffset"))?;
    if offset.is_none() {
        return Ok(None);
    }
    let offset = offset.cast_into::<PyDelta>()?;
    Ok(Some(
        i64::try_from(delta_micros(&offset)).expect("an offset is less than a day"),
    ))
}

fn zone_of_offset(micros: i64) -> Outcome<Zone> {
    const PER_MINUTE: i64 = 60_000_000;
    if micros == 0 {
        return Ok(Zone::Utc);
    }
    if micros % PER_MINUTE != 0 {
        return Err(Refusal::new(
            "timezone_offset",
            "expected an offset of whole minutes, found seconds beside them",
        ));
    }
    Ok(Zone::Offset(
        i16::try_from(micros / PER_MINUTE).expect("an offset is less than a day"),
    ))
}

fn zone_object(py: Python<'_>, zone: Zone) -> PyResult<Option<Bound<'_, PyTzInfo>>> {
    Ok(match zone {
        Zone::Naive => None,
        Zone::Utc | Zone::Offset(0) => Some(PyTzInfo::utc(py)?.to_owned()),
        Zone::Offset(minutes) => Some(PyTzInfo::fixed_offset(
            py,
            PyDelta::new(py, 0, i32::from(minutes) * 60, 0, true)?,
        )?),
    })
}

fn datetime_object(py: Python<'_>, parts: DateTime, zone: Zone) -> PyResult<Bound<'_, PyAny>> {
    let DateTime { date, time } = parts;
    let zone = zone_object(py, zone)?;
    let value = PyDateTime::new(
        py,
        date.year.into(),
        date.month,
        date.day,
        time.hour,
        time.minute,
        time.second,
        time.microsecond,
        zone.as_ref(),
    )?;
    Ok(value.into_any())
}

/// `date` → S: `2026-01-31`.
pub struct DateNode {
    own: Box<Own>,
    constrained: bool,
}

impl DateNode {
    pub fn is_plain(&self) -> bool {
        !self.constrained
    }
}

impl Codec for DateNode {
    const KINDS: &'static [&'static str] = &["date"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["gt", "ge", "lt", "le", "now_op"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::S)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        // A datetime is a date too, but its time would be lost.
        let date = value
            .cast::<PyDate>()
            .ok()
            .filter(|_| !value.is_instance_of::<PyDateTime>());
        let Some(date) = date else {
            return Err(Refusal::unexpected("date_type", "a date", value));
        };
        encode_date(date, state);
        Ok(())
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::S {
            return self.own.convert(tag, reader, state);
        }
        let text = reader.text()?;
        let Some(Date { year, month, day }) = Date::parse(text.as_bytes()) else {
            return self.own.validate(PyString::new(state.py, &text).as_any(), true);
        };
        let value = PyDate::new(state.py, year.into(), month, day)?.into_any();
        if self.constrained {
            self.own.validate(&value, false)
        } else {
            Ok(value)
        }
    }
}

/// `time` → S: `12:30:00.000000`, an aware one with its offset.
pub struct TimeNode {
    own: Box<Own>,
    /// Times with offsets do not sort.
    ordered: bool,
    constrained: bool,
}

impl TimeNode {
    pub fn is_plain(&self) -> bool {
        !self.constrained
    }
}

impl Codec for TimeNode {
    const KINDS: &'static [&'static str] = &["time"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["gt", "ge", "lt", "le", "tz_constraint"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
            ordered: builder.ordered,
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::S)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Ok(time) = value.cast::<PyTime>() else {
            return Err(Refusal::unexpected("time_type", "a time", value));
        };
        encode_time(time, self.ordered, state)
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        if tag != Tag::S {
            return self.own.convert(tag, reader, state);
        }
        let text = reader.text()?;
        let Some((time, zone)) = Time::parse(text.as_bytes()) else {
            return self.own.validate(PyString::new(state.py, &text).as_any(), true);
        };
        let zone = zone_object(state.py, zone)?;
        let value = PyTime::new(
            state.py,
            time.hour,
            time.minute,
            time.second,
            time.microsecond,
            zone.as_ref(),
        )?;
        if self.constrained {
            self.own.validate(value.as_any(), false)
        } else {
            Ok(value.into_any())
        }
    }
}

/// `timedelta` → N seconds, exact to the microsecond.
pub struct TimedeltaNode {
    own: Box<Own>,
    constrained: bool,
}

impl TimedeltaNode {
    pub fn is_plain(&self) -> bool {
        !self.constrained
    }

    /// The microseconds that a stored number stands for, where a timedelta can hold them.
    pub fn micros(text: &str) -> Option<i128> {
        temporal::micros_of_seconds(text).filter(|&micros| delta_parts(micros).is_some())
    }
}

impl Codec for TimedeltaNode {
    const KINDS: &'static [&'static str] = &["timedelta"];

    fn build<'py>(schema: &Bound<'py, PyDict>, builder: &mut Builder<'_, 'py>) -> PyResult<Node> {
        let constrained = schema.has_any(&["gt", "ge", "lt", "le"])?;
        Ok(Self {
            own: builder.own_scalar(schema),
            constrained,
        }
        .into())
    }

    fn tags(&self) -> Tags {
        Tags::of(Tag::N)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.own.traverse(visit)
    }

    fn encode(&self, value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<()> {
        let Ok(delta) = value.cast::<PyDelta>() else {
            return Err(Refusal::unexpected("time_delta_type", "a timedelta", value));
        };
        encode_delta(delta, state);
        Ok(())
    }

    fn decode<'py>(
        &self,
        tag: Tag,
        reader: &mut Reader<'_>,
        state: &mut Decoding<'_, 'py>,
    ) -> Outcome<Bound<'py, PyAny>> {
        match tag {
            Tag::N => {}
            Tag::S => {
                let text = reader.text()?;
                return self.own.validate(PyString::new(state.py, &text).as_any(), true);
            }
            _ => return self.own.convert(tag, reader, state),
        }
        let text = reader.text()?;
        let Some(micros) = temporal::micros_of_seconds(&text) else {
            return self.own.validate(&infer::number(state.py, &text)?, true);
        };
        let Some((days, seconds, micros)) = delta_parts(micros) else {
            return Err(Refusal::new(
                "time_delta_range",
                "expected a number of seconds that a timedelta can hold",
            ));
        };
        let value = PyDelta::new(state.py, days, seconds, micros, false)?.into_any();
        if self.constrained {
            self.own.validate(&value, false)
        } else {
            Ok(value)
        }
    }
}

/// A timedelta's days, seconds and microseconds, where it can hold so many.
fn delta_parts(micros: i128) -> Option<(i32, i32, i32)> {
    let (seconds, micros) = (
        micros.div_euclid(MICROS_PER_SECOND),
        micros.rem_euclid(MICROS_PER_SECOND),
    );
    let (days, seconds) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let part = |value: i128| i32::try_from(value).ok().filter(|days| days.abs() <= 999_999_999);
    Some((part(days)?, part(seconds)?, part(micros)?))
}

fn delta_micros(delta: &Bound<'_, PyDelta>) -> i128 {
    let seconds = i128::from(delta.get_days()) * SECONDS_PER_DAY + i128::from(delta.get_seconds());
    seconds * MICROS_PER_SECOND + i128::from(delta.get_microseconds())
}

fn encode_date(date: &Bound<'_, PyDate>, state: &mut Encoding<'_>) {
    state.push(b"{\"S\":\"");
    Date {
        year: year(date.get_year()),
        month: date.get_month(),
        day: date.get_day(),
    }
    .push(state.out);
    state.push(b"\"}");
}

fn encode_time(time: &Bound<'_, PyTime>, ordered: bool, state: &mut Encoding<'_>) -> Outcome<()> {
    let zone = match offset_micros(time.as_any(), time.get_tzinfo())? {
        None => Zone::Naive,
        Some(_) if ordered => {
            return Err(Refusal::new(
                "timezone_naive",
                "expected a time without a timezone, found one with it, which does not sort among others",
            )
            .with_input(time.as_any()));
        }
        Some(offset) => zone_of_offset(offset)?,
    };
    state.push(b"{\"S\":\"");
    Time {
        hour: time.get_hour(),
        minute: time.get_minute(),
        second: time.get_second(),
        microsecond: time.get_microsecond(),
    }
    .push(state.out, zone);
    state.push(b"\"}");
    Ok(())
}

fn encode_delta(delta: &Bound<'_, PyDelta>, state: &mut Encoding<'_>) {
    state.push(b"{\"N\":\"");
    temporal::push_seconds(state.out, delta_micros(delta));
    state.push(b"\"}");
}

/// Append a datetime, date, time or timedelta without a schema. False: it is none of them.
pub fn encode_untyped(value: &Bound<'_, PyAny>, state: &mut Encoding<'_>) -> Outcome<bool> {
    if let Ok(datetime) = value.cast::<PyDateTime>() {
        let rule = Rule {
            form: Form::Utc,
            zones: Zones::Any,
            ordered: false,
        };
        rule.encode(datetime, state)?;
    } else if let Ok(date) = value.cast::<PyDate>() {
        encode_date(date, state);
    } else if let Ok(time) = value.cast::<PyTime>() {
        encode_time(time, false, state)?;
    } else if let Ok(delta) = value.cast::<PyDelta>() {
        encode_delta(delta, state);
    } else {
        return Ok(false);
    }
    Ok(true)
}
