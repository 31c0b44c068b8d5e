use oxidyn::wire::float::{decode, decode_quoted, encode};
use oxidyn::wire::number::{self, NumberError};
use proptest::prelude::*;

fn text_of(value: f64) -> Result<String, NumberError> {
    let mut out = Vec::new();
    encode(&mut out, value)?;
    Ok(String::from_utf8(out).unwrap())
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
    assert_eq!(decode_quoted(b"\"1.5\""), None, "too close to the end");
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
    fn a_short_decimal_agrees_with_the_libraries(digits in -1_000_000_000_000_000i64..1_000_000_000_000_000, decimals in 0..12) {
        agrees(format!("{digits}e-{decimals}").parse().unwrap());
    }

    #[test]
    fn any_decimal_text_is_read_as_the_library_reads_it(text in r"-?[0-9]{1,22}(\.[0-9]{0,22})?") {
        let expected: f64 = fast_float2::parse(&text).unwrap();

        prop_assert_eq!(decode(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()));
    }
}
