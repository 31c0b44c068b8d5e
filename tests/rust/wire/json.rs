//! Plain JSON of what is stored, as Pydantic prints it.

use oxidyn::wire::json::{self, Exponents};
use oxidyn::wire::reader::Reader;
use oxidyn::wire::temporal::{DateTime, Time, Zone};
use proptest::prelude::*;

fn printed(push: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<String> {
    let mut out = b"before".to_vec();
    let is_there = push(&mut out);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("before").expect("what was there stays");
    assert!(
        is_there || text.is_empty(),
        "nothing is appended where a value is left to others"
    );
    is_there.then(|| text.to_owned())
}

fn float(text: &str) -> Option<String> {
    printed(|out| json::push_float(out, text.as_bytes(), Exponents::Signed))
}

fn decimal(text: &str) -> Option<String> {
    printed(|out| json::push_decimal(out, text.as_bytes()))
}

fn int(text: &str) -> Option<String> {
    printed(|out| json::push_int(out, text.as_bytes()))
}

#[test]
fn whole_numbers_are_copied_and_other_forms_left_to_others() {
    for text in ["0", "7", "-12", "99999999999999999999999999999999999999"] {
        assert_eq!(int(text).as_deref(), Some(text));
    }
    for text in [
        "",
        "-",
        "-0",
        "007",
        "1.0",
        "1E5",
        "1e5",
        "+1",
        "0x1",
        "1 ",
        "100000000000000000000000000000000000000",
    ] {
        assert_eq!(int(text), None, "{text}");
    }
}

#[test]
fn floats_have_a_point_or_an_exponent() {
    let cases = [
        ("0", "0.0"),
        ("-0", "-0.0"),
        ("12", "12.0"),
        ("100", "100.0"),
        ("1.50", "1.5"),
        ("0.00001", "0.00001"),
        ("0.000001", "1e-6"),
        ("1000000000000000", "1000000000000000.0"),
        ("10000000000000000", "1e+16"),
        ("12345678901234567890", "1.2345678901234567e+19"),
        ("1E-7", "1e-7"),
    ];
    for (text, expected) in cases {
        assert_eq!(float(text).as_deref(), Some(expected), "{text}");
    }
    assert_eq!(float("x"), None);
    assert_eq!(float(""), None);
}

#[test]
fn exponents_are_printed_as_the_release_prints_them() {
    let bare = |text: &str| printed(|out| json::push_float(out, text.as_bytes(), Exponents::Bare));

    assert_eq!(bare("1E22").as_deref(), Some("1e22"));
    assert_eq!(bare("-1E22").as_deref(), Some("-1e22"));
    assert_eq!(bare("1E-22").as_deref(), Some("1e-22"));
}

#[test]
fn decimals_are_copied_where_python_prints_no_exponent() {
    for text in ["0", "1.50", "-0.5", "100", "0.000001", "-0", "0.00000"] {
        assert_eq!(decimal(text), Some(format!("\"{text}\"")));
    }
    for text in ["0.0000001", "0.000000", "1E5", "01", "1.", ".5"] {
        assert_eq!(decimal(text), None, "{text}");
    }
}

#[test]
fn times_have_a_fraction_only_where_there_is_one() {
    let datetime = |text: &str| {
        let (value, zone) = DateTime::parse(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        json::push_datetime(&mut out, value, zone);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(datetime("2026-01-31T12:30:00.000000Z"), "\"2026-01-31T12:30:00Z\"");
    assert_eq!(datetime("2026-01-31T12:30:00.000100"), "\"2026-01-31T12:30:00.000100\"");
    assert_eq!(datetime("2026-01-31T12:30:00.000000+00:00"), "\"2026-01-31T12:30:00Z\"");
    assert_eq!(
        datetime("2026-01-31T12:30:00.000000-05:30"),
        "\"2026-01-31T12:30:00-05:30\""
    );

    let mut out = Vec::new();
    json::push_time(&mut out, Time::new(1, 2, 3, 0).unwrap(), Zone::Naive);
    assert_eq!(out, b"\"01:02:03\"");
}

#[test]
fn durations_are_in_years_of_365_days_and_their_parts() {
    let cases: [(i128, &str); 9] = [
        (0, "PT0S"),
        (1_500_000, "PT1.5S"),
        (-1, "-PT0.000001S"),
        (3_600_000_000, "PT1H"),
        (3_661_000_000, "PT1H1M1S"),
        (86_400_000_000 * 3, "P3D"),
        (86_400_000_000 * 365, "P1Y"),
        (86_400_000_000 * 400 + 3_000_000, "P1Y35DT3S"),
        (-86_397_000_000, "-PT23H59M57S"),
    ];
    for (micros, expected) in cases {
        let mut out = Vec::new();
        json::push_duration(&mut out, micros);
        assert_eq!(String::from_utf8(out).unwrap(), format!("\"{expected}\""));
    }
}

proptest! {
    #[test]
    fn a_float_is_printed_as_the_shortest_text_of_its_value(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        for text in [format!("{value}"), format!("{value:e}")] {
            let printed = float(&text).unwrap();
            let mut buffer = zmij::Buffer::new();
            prop_assert_eq!(&*printed, buffer.format_finite(value));
        }
    }

    #[test]
    fn a_short_decimal_is_printed_as_the_shortest_text_of_its_float(digits in 0i64..10_000_000_000_000_000, places in 0usize..20) {
        let text = format!("{digits:0width$}", width = places + 1);
        let (whole, fraction) = text.split_at(text.len() - places);
        let text = if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
        let mut buffer = zmij::Buffer::new();
        let printed = float(&text).unwrap();
        prop_assert_eq!(&*printed, buffer.format_finite(text.parse::<f64>().unwrap()));
    }

    #[test]
    fn text_is_printed_as_serde_prints_it_however_it_was_escaped(text in any::<String>(), escape_all: bool) {
        let written = if escape_all {
            let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{}\"", units.concat())
        } else {
            serde_json::to_string(&text).unwrap()
        };
        let mut out = Vec::new();
        json::push_text(&mut out, &Reader::new(written.as_bytes()).text().unwrap());
        prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
    }
}
