use std::cmp::Ordering;

use oxidyn::wire::Direction;
use oxidyn::wire::number::{
    NumberError, check, compare, decode_small_quoted, neighbour, push_canonical, push_scaled_digits,
};
use proptest::prelude::*;

fn canonical(text: &str) -> Result<String, NumberError> {
    let mut out = Vec::new();
    push_canonical(&mut out, text)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn numbers_in_any_notation_are_accepted() {
    for number in [
        "0", "-0", "1", "-1.5", "1e10", "1E+10", "1.5e-7", ".5", "5.", "+7", "0E-500", "007", "1.2300",
    ] {
        assert_eq!(check(number), Ok(()), "{number}");
    }
}

#[test]
fn text_that_is_no_decimal_number_is_refused() {
    for text in ["", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "1 ", "1_000", "١"] {
        assert_eq!(check(text), Err(NumberError::NotANumber), "{text:?}");
    }
}

#[test]
fn what_is_not_finite_is_refused_as_such() {
    for text in ["NaN", "nan", "-NaN", "sNaN", "Infinity", "-Infinity", "inf"] {
        assert_eq!(check(text), Err(NumberError::NotFinite), "{text}");
    }
}

#[test]
fn thirty_eight_significant_digits_are_kept_and_more_are_refused() {
    let digits = "1234567890".repeat(4);

    assert_eq!(check(&digits[..38]), Ok(()));
    assert_eq!(check(&format!("000{}000", &digits[..37])), Ok(()));
    assert_eq!(check(&format!("0.000{}000", &digits[..37])), Ok(()));
    assert_eq!(check(&digits[..39]), Err(NumberError::TooManyDigits { digits: 39 }));
    assert_eq!(
        check(&format!("1{}1", "0".repeat(37))),
        Err(NumberError::TooManyDigits { digits: 39 })
    );
}

#[test]
fn the_range_ends_where_dynamodbs_does() {
    assert_eq!(check("9.9999999999999999999999999999999999999e125"), Ok(()));
    assert_eq!(check("1e126"), Err(NumberError::TooLarge));
    assert_eq!(check("1e-130"), Ok(()));
    assert_eq!(check("9.9e-131"), Err(NumberError::TooSmall));
    assert_eq!(check("-1e126"), Err(NumberError::TooLarge));
    assert_eq!(check("1e99999999999999999999"), Err(NumberError::TooLarge));
    assert_eq!(check("1e-99999999999999999999"), Err(NumberError::TooSmall));
}

#[test]
fn the_canonical_text_is_the_services() {
    for (text, expected) in [
        ("1e-07", "0.0000001"),
        ("3.0", "3"),
        ("-0", "0"),
        ("0E-500", "0"),
        ("1.20E+3", "1200"),
        ("0012.500", "12.5"),
        ("-120e-1", "-12"),
        ("12345e-2", "123.45"),
        ("12345e-5", "0.12345"),
        ("100", "100"),
        ("-19.990", "-19.99"),
        ("0.50", "0.5"),
        ("-0.00", "0"),
        ("007", "7"),
        ("12.", "12"),
        (".5", "0.5"),
    ] {
        assert_eq!(canonical(text).unwrap(), expected, "{text}");
    }
    assert_eq!(canonical("1e125").unwrap(), format!("1{}", "0".repeat(125)));
}

#[test]
fn numbers_are_ordered_by_value() {
    let ascending = [
        "-1e125", "-100", "-99.5", "-1e-130", "0", "1e-130", "0.1", "0.11", "1", "1.5", "2", "10", "1e125",
    ];
    for (at, left) in ascending.iter().enumerate() {
        for (other, right) in ascending.iter().enumerate() {
            assert_eq!(compare(left, right), Ok(at.cmp(&other)), "{left} {right}");
        }
    }
    assert_eq!(compare("1.50", "15e-1"), Ok(Ordering::Equal));
    assert_eq!(compare("-0", "0.00"), Ok(Ordering::Equal));
}

#[test]
fn neighbours_are_one_unit_away() {
    for (text, decimals, above) in [
        ("1", 0, "2"),
        ("-1", 0, "0"),
        ("9", 0, "10"),
        ("1e3", 0, "1001"),
        ("2.0", 0, "3"),
        (
            "99999999999999999999999999999999999999",
            0,
            "100000000000000000000000000000000000000",
        ),
        ("1700000000.5", 6, "1700000000.500001"),
        ("1700000000.999999", 6, "1700000001"),
        ("-0.000001", 6, "0"),
    ] {
        assert_eq!(
            neighbour(text, decimals, Direction::Up).as_deref(),
            Some(above),
            "{text}"
        );
        let back = neighbour(above, decimals, Direction::Down).unwrap();
        assert_eq!(compare(&back, text), Ok(Ordering::Equal), "{text}");
    }
}

#[test]
fn a_number_off_the_grid_or_beyond_the_digits_has_no_neighbour() {
    assert_eq!(neighbour("1.5", 0, Direction::Up), None);
    assert_eq!(neighbour("0.0000001", 6, Direction::Up), None);
    assert_eq!(neighbour("1e38", 0, Direction::Up), None);
    assert_eq!(neighbour("1e125", 0, Direction::Down), None);
    assert_eq!(neighbour("one", 0, Direction::Up), None);
}

proptest! {
    #[test]
    fn integers_are_ordered_as_integers_are(left: i128, right: i128) {
        let ordering = compare(&left.to_string(), &right.to_string());

        prop_assert_eq!(ordering, Ok(left.cmp(&right)));
    }

    #[test]
    fn the_canonical_text_has_the_same_value(text in r"-?[0-9]{1,12}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?") {
        let canonical = canonical(&text).unwrap();

        prop_assert_eq!(compare(&text, &canonical), Ok(Ordering::Equal));
        prop_assert!(!canonical.contains('e'));
        prop_assert!(!canonical.contains('.') || !canonical.ends_with('0'));
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in r"[-+0-9.eE]{0,48}|(?s).{0,12}") {
        let _ = check(&text);
        let _ = canonical(&text);
        let _ = neighbour(&text, 6, Direction::Up);
        let _ = compare(&text, "1");
    }
}

#[test]
fn small_whole_numbers_in_quotes_are_read_at_once() {
    for (bytes, expected) in [
        ("\"0\"}},{\"N\":\"5\"", Some((0, 3))),
        ("\"-0\"}},{\"N\":\"5\"", Some((0, 4))),
        ("\"42\"}}}}}}}}}}}", Some((42, 4))),
        ("\"-1234567\"}", Some((-1_234_567, 10))),
        ("\"12345678\"}}}", None),
        ("\"1.5\"}}}}}}}}", None),
        ("\"-\"}}}}}}}}}}}", None),
        ("\"\"}}}}}}}}}}}", None),
        ("\"+1\"}}}}}}}}}}}", None),
        ("\"1\\u0031\"}}}}}", None),
        ("12345678901", None),
        ("\"12\"}", None),
        ("", None),
    ] {
        assert_eq!(decode_small_quoted(bytes.as_bytes()), expected, "{bytes}");
    }
}

proptest! {
    #[test]
    fn small_whole_numbers_in_quotes_are_read_as_the_standard_library_does(text in "-?[0-9]{0,8}[0-9. \\\\]?") {
        let read = decode_small_quoted(format!("\"{text}\"}},\"more\":").as_bytes());
        let digits = text.trim_start_matches('-').len();

        let expected = text.parse::<i64>().ok().filter(|_| digits < 8);
        prop_assert_eq!(read, expected.map(|value| (value, text.len() + 2)));
    }
}

/// The embedded engine is verified against AWS, so its canonical texts are the judge of ours.
#[cfg(feature = "embedded")]
mod judged {
    use proptest::prelude::*;

    use super::canonical;

    proptest! {
        #[test]
        fn the_canonical_text_is_the_embedded_engines(text in r"-?[0-9]{1,12}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?") {
            prop_assert_eq!(canonical(&text).unwrap(), dynoxide::types::normalize_dynamo_number(&text));
        }
    }
}

proptest! {
    #[test]
    fn digits_with_a_small_exponent_are_written_as_their_text_is(
        negative: bool,
        coefficient in prop_oneof![any::<u64>(), 0u64..100_000, (0u64..100_000).prop_map(|n| n * 10_000)],
        exponent in -20isize..3,
    ) {
        let mut written = Vec::new();

        let was_written = push_scaled_digits(&mut written, negative, coefficient, exponent);

        prop_assert_eq!(was_written, (-18..=0).contains(&exponent));
        if was_written {
            let sign = if negative { "-" } else { "" };
            let text = canonical(&format!("{sign}{coefficient}E{exponent}")).unwrap();
            prop_assert_eq!(String::from_utf8(written).unwrap(), text);
        } else {
            prop_assert!(written.is_empty());
        }
    }
}
