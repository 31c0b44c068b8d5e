use oxidyn::wire::Direction;
use oxidyn::wire::temporal::{
    Date, DateTime, Time, Zone, micros_of_seconds, neighbour_of_date, neighbour_of_datetime, push_seconds,
    seconds_rounded_up, whole_milliseconds,
};
use proptest::prelude::*;

const FIRST: &str = "0001-01-01T00:00:00.000000";
const LAST: &str = "9999-12-31T23:59:59.999999";

fn datetime(text: &str) -> DateTime {
    DateTime::parse(text.as_bytes()).unwrap().0
}

fn text_of(value: DateTime, zone: Zone) -> String {
    let mut out = Vec::new();
    value.push(&mut out, zone);
    String::from_utf8(out).unwrap()
}

fn seconds_text(micros: i128) -> String {
    let mut out = Vec::new();
    push_seconds(&mut out, micros);
    String::from_utf8(out).unwrap()
}

#[test]
fn each_zone_has_its_form() {
    for (text, zone) in [
        ("2026-01-31T12:30:05.000250", Zone::Naive),
        ("2026-01-31T12:30:05.000250Z", Zone::Utc),
        ("2026-01-31T12:30:05.000250+01:30", Zone::Offset(90)),
        ("2026-01-31T12:30:05.000250-00:45", Zone::Offset(-45)),
    ] {
        let (value, read) = DateTime::parse(text.as_bytes()).unwrap();

        assert_eq!(read, zone);
        assert_eq!(text_of(value, zone), text);
    }
}

#[test]
fn any_other_layout_is_left_to_pydantic() {
    for other in [
        "2026-01-31",
        "2026-01-31T12:30:05Z",
        "2026-01-31T12:30:05.25Z",
        "2026-01-31 12:30:05.000250Z",
        "2026-01-31T12:30:05.000250z",
        "2026-01-31T12:30:05.000250+0130",
        "2026-01-31T12:30:05.000250+24:00",
        "2026-02-30T12:30:05.000250Z",
        "2026-13-01T12:30:05.000250Z",
        "0000-01-01T12:30:05.000250Z",
        "2026-01-31T24:00:00.000000Z",
        "2026-01-31T12:60:00.000000Z",
        "2026-01-31T12:00:60.000000Z",
        "",
    ] {
        assert!(DateTime::parse(other.as_bytes()).is_none(), "{other}");
    }
    assert_eq!(Time::parse(b"12:30:05"), None);
    assert_eq!(Date::parse(b"2025-02-29"), None);
    assert_eq!(Date::parse(b"1900-02-29"), None);
    assert!(Date::parse(b"2000-02-29").is_some());
}

#[test]
fn every_day_of_the_calendar_follows_the_one_before() {
    let mut day = datetime(FIRST).date;
    let mut days = 1;
    let mut text = Vec::new();
    while let Some(next) = day.neighbour(Direction::Up) {
        let follows = (next.year, next.month, next.day) == (day.year, day.month, day.day + 1)
            || (next.year, next.month, next.day) == (day.year, day.month + 1, 1)
            || (next.year, next.month, next.day, day.month, day.day) == (day.year + 1, 1, 1, 12, 31);
        assert!(follows, "{day:?} {next:?}");
        assert_eq!(next.neighbour(Direction::Down), Some(day));
        text.clear();
        next.push(&mut text);
        assert_eq!(Date::parse(&text), Some(next));
        day = next;
        days += 1;
    }
    assert_eq!(day, datetime(LAST).date);
    // 9999 years with 2424 leap days.
    assert_eq!(days, 9999 * 365 + 2424);
}

#[test]
fn the_epoch_is_where_unix_puts_it() {
    assert_eq!(datetime("1970-01-01T00:00:00.000000").epoch_micros(), 0);
    assert_eq!(
        datetime("2001-09-09T01:46:40.000000").epoch_micros(),
        1_000_000_000_000_000
    );
    assert_eq!(datetime("1969-12-31T23:59:59.999999").epoch_micros(), -1);
}

#[test]
fn utc_is_the_same_instant() {
    let local = datetime("2026-03-01T00:30:00.000000");
    let hour = 3_600_000_000;

    assert_eq!(
        text_of(local.to_utc(hour).unwrap(), Zone::Utc),
        "2026-02-28T23:30:00.000000Z"
    );
    assert_eq!(
        text_of(local.to_utc(-hour).unwrap(), Zone::Utc),
        "2026-03-01T01:30:00.000000Z"
    );
    assert_eq!(local.to_utc(0), Some(local));
}

#[test]
fn an_instant_outside_years_1_to_9999_in_utc_is_refused() {
    assert_eq!(datetime(FIRST).to_utc(1), None);
    assert_eq!(datetime(LAST).to_utc(-1), None);
    assert_eq!(DateTime::from_epoch_micros(i64::MAX), None);
    assert_eq!(DateTime::from_epoch_micros(i64::MIN), None);
}

#[test]
fn a_form_without_a_fraction_takes_whole_seconds_only() {
    let mut out = Vec::new();

    assert!(datetime("2026-01-31T12:30:00.000000").push_seconds(&mut out, Zone::Utc));
    assert_eq!(out, b"2026-01-31T12:30:00Z");
    assert!(!datetime("2026-01-31T12:30:00.000001").push_seconds(&mut out, Zone::Utc));
    assert_eq!(out, b"2026-01-31T12:30:00Z");
    assert_eq!(
        DateTime::parse_seconds(&out),
        Some((datetime("2026-01-31T12:30:00.000000"), Zone::Utc))
    );
    for other in [
        "2026-01-31T12:30:00.000000Z",
        "2026-01-31T12:30Z",
        "2026-01-31 12:30:00",
        "2026-02-30T12:30:00Z",
        "2026-01-31T12:30:00z",
        "",
    ] {
        assert_eq!(DateTime::parse_seconds(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn neighbours_are_one_microsecond_or_one_second_or_one_day_away() {
    let up = |text| neighbour_of_datetime(text, Direction::Up);
    let down = |text| neighbour_of_datetime(text, Direction::Down);

    assert_eq!(
        up("2026-12-31T23:59:59.999999Z").as_deref(),
        Some("2027-01-01T00:00:00.000000Z")
    );
    assert_eq!(
        down("2027-01-01T00:00:00.000000").as_deref(),
        Some("2026-12-31T23:59:59.999999")
    );
    assert_eq!(up("2026-12-31T23:59:59Z").as_deref(), Some("2027-01-01T00:00:00Z"));
    assert_eq!(down("2027-01-01T00:00:00").as_deref(), Some("2026-12-31T23:59:59"));
    assert_eq!(
        up("2026-12-31T23:59:59.999999+00:00").as_deref(),
        Some("2027-01-01T00:00:00.000000+00:00")
    );
    assert_eq!(up("9999-12-31T23:59:59Z"), None);
    assert_eq!(up(LAST), None);
    assert_eq!(down(FIRST), None);
    assert_eq!(
        neighbour_of_date("2024-02-28", Direction::Up).as_deref(),
        Some("2024-02-29")
    );
    assert_eq!(
        neighbour_of_date("2024-03-01", Direction::Down).as_deref(),
        Some("2024-02-29")
    );
    assert_eq!(neighbour_of_date("9999-12-31", Direction::Up), None);
}

#[test]
fn seconds_are_exact_to_the_microsecond() {
    for (micros, text) in [
        (0, "0"),
        (1_700_000_000_000_000, "1700000000"),
        (1_700_000_000_500_000, "1700000000.5"),
        (-1, "-0.000001"),
        (-1_500_000, "-1.5"),
        (86_399_999_999_999_999_999, "86399999999999.999999"),
    ] {
        assert_eq!(seconds_text(micros), text);
        assert_eq!(micros_of_seconds(text), Some(micros));
    }
    assert_eq!(micros_of_seconds("1.7e9"), Some(1_700_000_000_000_000));
    assert_eq!(micros_of_seconds("0.0000001"), None);
    assert_eq!(micros_of_seconds("soon"), None);
}

#[test]
fn milliseconds_are_whole_or_refused() {
    assert_eq!(whole_milliseconds(1_500_000), Some(1500));
    assert_eq!(whole_milliseconds(-1000), Some(-1));
    assert_eq!(whole_milliseconds(1_500_001), None);
}

#[test]
fn a_ttl_is_rounded_up() {
    assert_eq!(seconds_rounded_up(1_000_000), 1);
    assert_eq!(seconds_rounded_up(1_000_001), 2);
    assert_eq!(seconds_rounded_up(-1), 0);
    assert_eq!(seconds_rounded_up(-1_000_001), -1);
}

proptest! {
    #[test]
    fn any_instant_comes_back(micros in -62_135_596_800_000_000i64..253_402_300_800_000_000) {
        let value = DateTime::from_epoch_micros(micros).unwrap();

        prop_assert_eq!(value.epoch_micros(), micros);
        prop_assert_eq!(DateTime::parse(text_of(value, Zone::Utc).as_bytes()), Some((value, Zone::Utc)));
        prop_assert_eq!(micros_of_seconds(&seconds_text(micros.into())), Some(micros.into()));
    }

    #[test]
    fn texts_are_ordered_as_instants_are(left in 0..i64::from(u32::MAX), right in 0..i64::from(u32::MAX)) {
        let text = |micros| text_of(DateTime::from_epoch_micros(micros).unwrap(), Zone::Utc);

        prop_assert_eq!(text(left).cmp(&text(right)), left.cmp(&right));
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..34)) {
        let _ = DateTime::parse(&bytes);
        let _ = DateTime::parse_seconds(&bytes);
        let _ = Date::parse(&bytes);
        let _ = Time::parse(&bytes);
    }
}
