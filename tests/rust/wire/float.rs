use oxidyn::wire::float::{decode, decode_quoted, encode, push_n};
use oxidyn::wire::number::{self, NumberError};
use proptest::prelude::*;

fn text_of(value: f64) -> Result<String, NumberError> {
    let mut out = Vec::new();
    encode(&mut out, value)?;
    let text = String::from_utf8(out).unwrap();
    let mut whole = b"before".to_vec();
    push_n(&mut whole, value)?;
    assert_eq!(whole, format!("before{{\"N\":\"{text}\"}}").into_bytes());
    Ok(text)
}

/// The library's text and ours are one number, and ours reads back as the same float.
fn agrees(value: f64) {
    let text = text_of(value).unwrap();
    let shortest = zmij::Buffer::new().format_finite(value).to_owned();
    assert_eq!(
        number::compare(&text, &shortest),
        Ok(std::cmp::Ordering::Equal),
        "{value:e}: {text}, {shortest}"
    );
    assert_eq!(number::check(&text), Ok(()), "{text}");
    let expected = if value == 0.0 { 0.0 } else { value };
    assert_eq!(
        decode(text.as_bytes()).map(f64::to_bits),
        Some(expected.to_bits()),
        "{text}"
    );
    if let Some((quoted, length)) = decode_quoted(format!("\"{text}\"{:40}", "}").as_bytes()) {
        assert_eq!(
            (quoted.to_bits(), length),
            (expected.to_bits(), text.len() + 2),
            "{text}"
        );
    }
    assert_eq!(
        fast_float2::parse::<f64, _>(&text).map(f64::to_bits),
        Ok(expected.to_bits()),
        "{text}"
    );
}

/// All the digits of the number halfway to the next float.
fn halfway(value: f64) -> String {
    let (low, high) = (format!("{value:.80}"), format!("{:.80}", value.next_up()));
    let width = low.len().max(high.len());
    let mut carry = 0;
    let mut sum: Vec<u8> = format!("{low:0>width$}")
        .bytes()
        .zip(format!("{high:0>width$}").bytes())
        .rev()
        .map(|(left, right)| {
            if left == b'.' {
                return left;
            }
            let digit = left - b'0' + right - b'0' + carry;
            carry = digit / 10;
            digit % 10
        })
        .collect();
    sum.push(carry);
    let mut rest = 0;
    let half = sum.iter().rev().map(|&digit| {
        if digit == b'.' {
            return '.';
        }
        let digit = digit + 10 * rest;
        rest = digit % 2;
        char::from(b'0' + digit / 2)
    });
    let half: String = half.collect();
    half.trim_start_matches('0').replacen(
        '.',
        if half.trim_start_matches('0').starts_with('.') {
            "0."
        } else {
            "."
        },
        1,
    )
}

#[test]
fn plain_floats_have_plain_texts() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (99_999_999.999_999_9, "99999999.9999999"),
        (100.0, "100"),
        (-0.000_000_5, "-0.0000005"),
    ] {
        assert_eq!(text_of(value).unwrap(), text);
    }
}

#[test]
fn numbers_in_quotes_are_read_eight_digits_at_a_time() {
    for text in [
        "0",
        "-0.5",
        "12.25",
        "0.1234567",
        "-1234567.5",
        "0.12345678",
        "0.123456789012345",
        "0.12345678901234567",
        "0.0000000000000000",
        "0.0000000000000001",
        "0.9999999999999999999",
        "0.00000012345678901234567",
        "0.123456789012345678901234",
        "1234567.890123456789012345678901",
    ] {
        let quoted = format!("\"{text}\"{:40}", "}");
        assert_eq!(
            decode_quoted(quoted.as_bytes()),
            Some((text.parse().unwrap(), text.len() + 2)),
            "{text}"
        );
    }
    for other in [
        "",
        "-",
        ".5",
        "1.",
        "1e5",
        "12345678",
        "+1",
        "1.2.3",
        "1\\u0031",
        "0.1234567890123456789012345",
    ] {
        let quoted = format!("\"{other}\"{:40}", "}");
        assert_eq!(decode_quoted(quoted.as_bytes()), None, "{other}");
    }
    assert_eq!(decode_quoted(b"\"1.5\""), Some((1.5, 5)), "at the end of the bytes");
    for cut in [&b"\"1.5"[..], b"\"1.", b"\"1", b"\"", b""] {
        assert_eq!(decode_quoted(cut), None);
    }
}

#[test]
fn floats_that_dynamodb_cannot_store_are_refused() {
    for (value, error) in [
        (f64::NAN, NumberError::NotFinite),
        (f64::INFINITY, NumberError::NotFinite),
        (f64::NEG_INFINITY, NumberError::NotFinite),
        (1e126, NumberError::TooLarge),
        (-f64::MAX, NumberError::TooLarge),
        (9.9e-131, NumberError::TooSmall),
        (f64::MIN_POSITIVE, NumberError::TooSmall),
    ] {
        assert_eq!(text_of(value), Err(error), "{value:e}");
    }
    agrees(1e126f64.next_down());
    agrees(-1e-130);
}

#[test]
fn floats_at_the_edges_of_the_short_paths_agree_with_the_libraries() {
    let edges = [
        1e8,
        1e7,
        1e-7,
        5e-8,
        0.5,
        9_007_199_254_740_992.0,
        1e15,
        1e16,
        1e17,
        1e22,
        1e23,
        99_999_999.999_999_99,
    ];
    for edge in edges {
        for value in [edge, -edge, f64::next_up(edge), f64::next_down(edge)] {
            agrees(value);
        }
    }
}

/// The text of the library, byte for byte, as far as it writes no exponent.
fn has_the_text_of_the_library(value: f64) {
    let shortest = zmij::Buffer::new().format_finite(value).to_owned();
    assert_eq!(
        text_of(value).unwrap(),
        shortest.strip_suffix(".0").unwrap_or(&shortest),
        "{value:e}"
    );
}

#[test]
fn powers_of_two_and_floats_next_to_them_have_the_text_of_the_library() {
    for exponent in -16..=3 {
        let power = 2.0f64.powi(exponent);
        for value in [power, power.next_up(), power.next_down().max(2.0f64.powi(-16))] {
            has_the_text_of_the_library(value);
            has_the_text_of_the_library(-value);
        }
    }
}

/// Every pattern of a significand's lowest and highest bits, where ties and the shortest texts are.
#[test]
fn floats_of_few_bits_have_the_text_of_the_library() {
    for exponent in 1023 - 16..1023 + 3u64 {
        for high in 0..1 << 10u64 {
            for low in 0..1 << 6u64 {
                has_the_text_of_the_library(f64::from_bits(exponent << 52 | high << 42 | low));
            }
        }
    }
}

#[test]
fn numbers_are_read_in_any_notation() {
    for (text, value) in [
        ("0", 0.0f64),
        ("-0", -0.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("0.30000000000000004", 0.300_000_000_000_000_04),
        ("123456789012345678901234567890", 1.234_567_890_123_456_8e29),
    ] {
        assert_eq!(
            decode(text.as_bytes()).map(f64::to_bits),
            Some(value.to_bits()),
            "{text}"
        );
    }
}

#[test]
fn text_that_is_no_finite_number_is_refused() {
    for text in [
        "",
        "-",
        ".",
        "nan",
        "inf",
        "-inf",
        "+infinity",
        "1x",
        "1 ",
        "--1",
        "1e999",
        "0x10",
    ] {
        assert_eq!(decode(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn any_float_agrees_with_the_libraries(negative: bool, exponent in -431i64..418, mantissa in 0u64..1 << 52) {
        let bits = u64::from(negative) << 63 | (exponent + 1023).cast_unsigned() << 52 | mantissa;
        agrees(f64::from_bits(bits));
    }

    #[test]
    fn a_float_of_everyday_size_agrees_with_the_libraries(value in -1e9..1e9f64) {
        agrees(value);
    }

    #[test]
    fn a_float_below_eight_has_the_text_of_the_library(negative: bool, exponent in 1023 - 16..1023 + 3u64, mantissa in 0u64..1 << 52) {
        has_the_text_of_the_library(f64::from_bits(u64::from(negative) << 63 | exponent << 52 | mantissa));
    }

    #[test]
    fn a_decimal_below_one_has_the_text_of_the_library(digits in 0u64..100_000_000_000_000_000, cut in 0..17u32, zeros in 0..3) {
        let value: f64 = format!("{}e-{}", digits / 10u64.pow(cut), 17 - cut.cast_signed() + zeros).parse().unwrap();
        if value >= 1e-5 {
            has_the_text_of_the_library(value);
        }
    }

    #[test]
    fn a_short_decimal_agrees_with_the_libraries(digits in -1_000_000_000_000_000i64..1_000_000_000_000_000, decimals in 0..12) {
        agrees(format!("{digits}e-{decimals}").parse().unwrap());
    }

    /// With 16 to 19 digits, in the places that a reader of its own divides by.
    #[test]
    fn a_long_decimal_is_read_as_the_library_reads_it(mantissa in 100_000_000_000_000u64..10_000_000_000_000_000_000, places in 0..9usize) {
        let digits = format!("{mantissa:024}");
        let (whole, fraction) = digits.split_at(places);
        let whole = whole.trim_start_matches('0');
        let text = format!("-{}.{fraction}", if whole.is_empty() { "0" } else { whole });
        let expected: f64 = fast_float2::parse(&text).unwrap();

        for fraction in [fraction, fraction.trim_end_matches('0')] {
            let text = format!("-{}.{fraction}", if whole.is_empty() { "0" } else { whole });
            let quoted = format!("\"{text}\"{:40}", "}");
            let read = decode_quoted(quoted.as_bytes());
            prop_assert!(read.is_none_or(|(value, length)| value.to_bits() == expected.to_bits() && length == text.len() + 2), "{}", text);
            prop_assert!(read.is_some() || whole.len() == 8 || fraction.is_empty(), "{}", text);
        }
    }

    /// Cut to as many digits as fit in a word: there the two floats are hardest to tell apart.
    #[test]
    fn a_decimal_between_two_floats_is_read_as_the_library_reads_it(value in 1e-3..1e7f64, digits in 16..20usize, off in -1i64..=1) {
        let middle = halfway(value);
        let point = middle.find('.').unwrap();
        let leading = usize::from(middle.starts_with('0'));
        let cut = &middle[..(digits + 1 + leading).max(point + 2)];
        let decimals = cut.len() - point - 1;
        let number: i64 = cut.replace('.', "").parse::<i64>().unwrap_or(i64::MAX - 1) + off;
        let text = format!("{number:0width$}", width = decimals + 1);
        let (whole, fraction) = text.split_at(text.len() - decimals);
        let text = format!("{whole}.{fraction}");
        let expected: f64 = fast_float2::parse(&text).unwrap();

        let read = decode_quoted(format!("\"{text}\"{:40}", "}").as_bytes());

        prop_assert_eq!(read.map(|(value, _)| value.to_bits()), Some(expected.to_bits()), "{}", text);
    }

    #[test]
    fn any_decimal_text_is_read_as_the_library_reads_it(text in r"-?[0-9]{1,22}(\.[0-9]{0,22})?") {
        let expected: f64 = fast_float2::parse(&text).unwrap();

        prop_assert_eq!(decode(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()));
    }
}
