//! Dates and times as fixed-width S text and as N seconds. Hot: only the library's own fixed layouts are read here; every
//! other form that Pydantic accepts is left to Pydantic.
//!
//! Instants are whole microseconds since 1970-01-01T00:00:00Z, in years 1 to 9999, as Python's datetimes are.

use super::{Direction, number};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_DAY: i64 = 24 * 60 * MICROS_PER_MINUTE;
/// Characters of `2026-01-31T12:30:00`.
const SECONDS_WIDTH: usize = 19;
/// Decimals of N seconds that are exact to the microsecond.
const MICRO_DECIMALS: u32 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub microsecond: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime {
    pub date: Date,
    pub time: Time,
}

/// What a text says about the offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Nothing.
    Naive,
    /// `Z`.
    Utc,
    /// `+01:30`, in minutes east; within a day.
    Offset(i16),
}

impl Date {
    /// A day that the calendar has, in years 1 to 9999.
    #[inline]
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let real = (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        real.then_some(Self { year, month, day })
    }

    /// Append `2026-01-31`.
    #[inline]
    pub fn push(self, out: &mut Vec<u8>) {
        let mut text = *b"0000-00-00";
        self.print(&mut text);
        out.extend_from_slice(&text);
    }

    #[inline]
    fn print(self, text: &mut [u8; 10]) {
        let (century, year) = (self.year / 100, self.year % 100);
        print_two(&mut text[0..2], u32::from(century));
        print_two(&mut text[2..4], u32::from(year));
        print_two(&mut text[5..7], u32::from(self.month));
        print_two(&mut text[8..10], u32::from(self.day));
    }

    /// Read exactly `2026-01-31`.
    #[inline]
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
            return None;
        };
        let year = u16::from(two(y1, y2)?) * 100 + u16::from(two(y3, y4)?);
        Self::new(year, two(m1, m2)?, two(d1, d2)?)
    }

    /// Days since 1970-01-01. Years begin in March here, so that the leap day is their last.
    fn days(self) -> i64 {
        let before_march = self.month <= 2;
        let year = i64::from(self.year) - i64::from(before_march);
        let month = (i64::from(self.month) + 9) % 12;
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    fn from_days(days: i64) -> Option<Self> {
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self::new(
            u16::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    }

    /// The day after or before; `None` at the ends of the calendar.
    #[must_use]
    pub fn neighbour(self, direction: Direction) -> Option<Self> {
        Self::from_days(self.days() + direction.step())
    }
}

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Time {
    #[inline]
    #[must_use]
    pub fn new(hour: u8, minute: u8, second: u8, microsecond: u32) -> Option<Self> {
        let real = hour < 24 && minute < 60 && second < 60 && microsecond < 1_000_000;
        real.then_some(Self {
            hour,
            minute,
            second,
            microsecond,
        })
    }

    /// Append `12:30:00.000000` and what the zone adds.
    #[inline]
    pub fn push(self, out: &mut Vec<u8>, zone: Zone) {
        let mut text = *b"00:00:00.000000";
        self.print(&mut text);
        out.extend_from_slice(&text);
        zone.push(out);
    }

    #[inline]
    fn print(self, text: &mut [u8; 15]) {
        print_two(&mut text[0..2], u32::from(self.hour));
        print_two(&mut text[3..5], u32::from(self.minute));
        print_two(&mut text[6..8], u32::from(self.second));
        print_two(&mut text[9..11], self.microsecond / 10_000);
        print_two(&mut text[11..13], self.microsecond / 100 % 100);
        print_two(&mut text[13..15], self.microsecond % 100);
    }

    /// Read exactly `12:30:00.000000` and a zone.
    #[inline]
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<(Self, Zone)> {
        let (fixed, zone) = text.split_at_checked(15)?;
        let &[h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3, f4, f5, f6] = fixed else {
            return None;
        };
        let microsecond = u32::from(two(f1, f2)?) * 10_000 + u32::from(two(f3, f4)?) * 100 + u32::from(two(f5, f6)?);
        let time = Self::new(two(h1, h2)?, two(m1, m2)?, two(s1, s2)?, microsecond)?;
        Some((time, Zone::parse(zone)?))
    }

    fn micros(self) -> i64 {
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        seconds * MICROS_PER_SECOND + i64::from(self.microsecond)
    }

    fn from_micros(micros: i64) -> Option<Self> {
        let (seconds, microsecond) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
        let part = |value: i64| u8::try_from(value).ok();
        let microsecond = u32::try_from(microsecond).ok()?;
        Self::new(
            part(seconds / 3600)?,
            part(seconds / 60 % 60)?,
            part(seconds % 60)?,
            microsecond,
        )
    }
}

impl Zone {
    #[inline]
    pub(super) fn push(self, out: &mut Vec<u8>) {
        match self {
            Self::Naive => {}
            Self::Utc => out.push(b'Z'),
            Self::Offset(minutes) => {
                let mut text = *b"+00:00";
                if minutes < 0 {
                    text[0] = b'-';
                }
                let minutes = u32::from(minutes.unsigned_abs());
                print_two(&mut text[1..3], minutes / 60);
                print_two(&mut text[4..6], minutes % 60);
                out.extend_from_slice(&text);
            }
        }
    }

    #[inline]
    fn parse(text: &[u8]) -> Option<Self> {
        match *text {
            [] => Some(Self::Naive),
            [b'Z'] => Some(Self::Utc),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
                let offset = i16::from(hours) * 60 + i16::from(minutes);
                let within_a_day = hours < 24 && minutes < 60;
                within_a_day.then_some(Self::Offset(if sign == b'-' { -offset } else { offset }))
            }
            _ => None,
        }
    }
}

impl DateTime {
    /// Append `2026-01-31T12:30:00.000000` and what the zone adds.
    #[inline]
    pub fn push(self, out: &mut Vec<u8>, zone: Zone) {
        let mut date = *b"0000-00-00";
        self.date.print(&mut date);
        let mut time = *b"00:00:00.000000";
        self.time.print(&mut time);
        let mut text = [b'T'; 26];
        text[..10].copy_from_slice(&date);
        text[11..].copy_from_slice(&time);
        out.extend_from_slice(&text);
        zone.push(out);
    }

    /// Read exactly `2026-01-31T12:30:00.000000` and a zone.
    #[inline]
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<(Self, Zone)> {
        let (date, rest) = text.split_at_checked(10)?;
        let [b'T', time @ ..] = rest else { return None };
        let date = Date::parse(date)?;
        let (time, zone) = Time::parse(time)?;
        Some((Self { date, time }, zone))
    }

    /// Append `2026-01-31T12:30:00` and what the zone adds. False: there is a fraction, and nothing is appended.
    #[must_use]
    pub fn push_seconds(self, out: &mut Vec<u8>, zone: Zone) -> bool {
        if self.time.microsecond != 0 {
            return false;
        }
        let fraction = out.len() + SECONDS_WIDTH;
        self.push(out, Zone::Naive);
        out.truncate(fraction);
        zone.push(out);
        true
    }

    /// Read exactly `2026-01-31T12:30:00` and a zone.
    #[must_use]
    pub fn parse_seconds(text: &[u8]) -> Option<(Self, Zone)> {
        let (seconds, zone) = text.split_at_checked(SECONDS_WIDTH)?;
        let (value, _) = Self::parse(&[seconds, b".000000"].concat())?;
        Some((value, Zone::parse(zone)?))
    }

    /// The instant, the parts taken as UTC.
    #[inline]
    #[must_use]
    pub fn epoch_micros(self) -> i64 {
        self.date.days() * MICROS_PER_DAY + self.time.micros()
    }

    /// The parts in UTC; `None` outside years 1 to 9999.
    #[inline]
    #[must_use]
    pub fn from_epoch_micros(micros: i64) -> Option<Self> {
        let date = Date::from_days(micros.div_euclid(MICROS_PER_DAY))?;
        let time = Time::from_micros(micros.rem_euclid(MICROS_PER_DAY))?;
        Some(Self { date, time })
    }

    /// The same instant in UTC, these parts being `offset_micros` east of it; `None` outside years 1 to 9999.
    #[inline]
    #[must_use]
    pub fn to_utc(self, offset_micros: i64) -> Option<Self> {
        if offset_micros == 0 {
            return Some(self);
        }
        Self::from_epoch_micros(self.epoch_micros().checked_sub(offset_micros)?)
    }

    /// What lies so many microseconds after or before; `None` at the ends of the calendar.
    fn neighbour(self, direction: Direction, micros: i64) -> Option<Self> {
        Self::from_epoch_micros(self.epoch_micros() + direction.step() * micros)
    }
}

/// The neighbour of a datetime in its stored form, with the same zone: one microsecond away, or one second where the
/// form has no fraction.
#[must_use]
pub fn neighbour_of_datetime(text: &str, direction: Direction) -> Option<String> {
    let mut out = Vec::new();
    if let Some((datetime, zone)) = DateTime::parse(text.as_bytes()) {
        datetime.neighbour(direction, 1)?.push(&mut out, zone);
    } else {
        let (datetime, zone) = DateTime::parse_seconds(text.as_bytes())?;
        let neighbour = datetime.neighbour(direction, MICROS_PER_SECOND)?;
        let whole = neighbour.push_seconds(&mut out, zone);
        debug_assert!(whole, "a whole second away from one");
    }
    String::from_utf8(out).ok()
}

/// The neighbour of a date in its stored form, one day away.
#[must_use]
pub fn neighbour_of_date(text: &str, direction: Direction) -> Option<String> {
    let mut out = Vec::new();
    Date::parse(text.as_bytes())?.neighbour(direction)?.push(&mut out);
    String::from_utf8(out).ok()
}

/// Append microseconds as N seconds, exactly: an instant's or a timedelta's.
#[inline]
pub fn push_seconds(out: &mut Vec<u8>, micros: i128) {
    number::push_scaled(out, micros, MICRO_DECIMALS);
}

/// The microseconds of N seconds; `None` where the text is no number, or not a whole number of them.
#[must_use]
pub fn micros_of_seconds(text: &str) -> Option<i128> {
    number::scaled(text, MICRO_DECIMALS)
}

/// An instant's milliseconds; `None` where a fraction of one would be lost.
#[must_use]
pub fn whole_milliseconds(micros: i64) -> Option<i64> {
    (micros % 1000 == 0).then_some(micros / 1000)
}

/// An instant's second, rounded up: a TTL never ends early.
#[must_use]
pub fn seconds_rounded_up(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_SECOND) + i64::from(micros.rem_euclid(MICROS_PER_SECOND) != 0)
}

#[inline]
fn print_two(place: &mut [u8], value: u32) {
    const DIGITS: [u8; 10] = *b"0123456789";
    place[0] = DIGITS[(value / 10 % 10) as usize];
    place[1] = DIGITS[(value % 10) as usize];
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u8> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}
