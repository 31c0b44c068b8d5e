use oxidyn::wire::size::{breakdown, item_size};
use proptest::prelude::*;

fn size_of(value: &str) -> usize {
    item_size(format!("{{\"a\":{value}}}").as_bytes()).unwrap() - 1
}

#[test]
fn values_cost_what_dynamodb_bills() {
    for (value, size) in [
        (r#"{"S":""}"#, 0),
        (r#"{"S":"grün"}"#, 5),
        (r#"{"S":"\u00fc\n"}"#, 3),
        (r#"{"B":"YQ=="}"#, 1),
        (r#"{"B":"YWJj"}"#, 3),
        (r#"{"BOOL":true}"#, 1),
        (r#"{"NULL":true}"#, 1),
        (r#"{"SS":["ab","c"]}"#, 3),
        (r#"{"NS":["1","22"]}"#, 4),
        (r#"{"BS":["YQ==","YWI="]}"#, 3),
        (r#"{"L":[]}"#, 3),
        (r#"{"L":[{"S":"ab"},{"BOOL":false}]}"#, 3 + 1 + 2 + 1 + 1),
        (r#"{"M":{}}"#, 3),
        (
            r#"{"M":{"k":{"S":"ab"},"l":{"L":[{"M":{}}]}}}"#,
            3 + (1 + 1 + 2) + (1 + 1 + 3 + 1 + 3),
        ),
    ] {
        assert_eq!(size_of(value), size, "{value}");
    }
}

#[test]
fn numbers_cost_by_their_significant_digits() {
    for (number, size) in [
        ("0", 1),
        ("-0.00", 1),
        ("42", 2),
        ("-42", 3),
        ("1000000", 2),
        ("123", 3),
        ("1.5", 3),
        ("0.001", 2),
        ("1e100", 2),
        ("12345678901234567890123456789012345678", 20),
    ] {
        assert_eq!(size_of(&format!("{{\"N\":\"{number}\"}}")), size, "{number}");
    }
}

fn parts(item: &str) -> Vec<(String, usize)> {
    let (size, parts) = breakdown(item.as_bytes()).unwrap();
    assert_eq!(size, item_size(item.as_bytes()).unwrap());
    parts.into_iter().map(|part| (part.path, part.bytes)).collect()
}

#[test]
fn the_heaviest_attribute_comes_first_and_names_count() {
    let parts = parts(r#"{"id":{"S":"a"},"text":{"S":"abcdefgh"},"n":{"N":"1"}}"#);

    let expected = [("text", 12), ("id", 3), ("n", 3)].map(|(path, bytes)| (path.to_owned(), bytes));
    assert_eq!(parts, expected);
}

#[test]
fn parts_inside_an_attribute_are_told_where_they_are_a_tenth_of_the_item() {
    let text = "x".repeat(30);
    let pages = format!(r#"{{"L":[{{"M":{{"no":{{"N":"1"}}}}}},{{"M":{{"text":{{"S":"{text}"}}}}}}]}}"#);

    let parts = parts(&format!(r#"{{"id":{{"S":"a"}},"meta":{{"M":{{"pages":{pages}}}}}}}"#));

    // The text is 30 bytes; its name, places and collections come to it, each level with one more.
    let expected = [
        ("meta", 64),
        ("meta.pages", 57),
        ("meta.pages[1]", 39),
        ("meta.pages[1].text", 35),
        ("meta.pages[0]", 9),
        ("id", 3),
    ];
    assert_eq!(parts, expected.map(|(path, bytes)| (path.to_owned(), bytes)));
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let item = r#"{"a":"#.to_owned() + &r#"{"L":["#.repeat(500_000);

    assert!(item_size(item.as_bytes()).is_err());
}

#[test]
fn damaged_items_are_refused() {
    for item in [
        "",
        "{",
        r#"{"a":{"N":"x"}}"#,
        r#"{"a":{"S":1}}"#,
        r#"{"a":{"L":[{"S":"a"}}}"#,
        r#"{"a":{"X":"a"}}"#,
    ] {
        assert!(item_size(item.as_bytes()).is_err(), "{item}");
    }
    assert_eq!(size_of(r#"{"B":"=="}"#), 0);
}

proptest! {
    #[test]
    fn what_looks_like_an_item_is_measured_or_refused_without_a_panic(json in r#"\{"a":[{}\[\]":,SNBLM0-9=]{0,48}"#) {
        let _ = breakdown(json.as_bytes());
    }
}

/// The embedded engine is verified against AWS, so its sizes are the judge of ours.
#[cfg(feature = "embedded")]
mod judged {
    use std::collections::HashMap;

    use dynoxide::AttributeValue;
    use oxidyn::wire::Tag;
    use oxidyn::wire::size::item_size;
    use oxidyn::wire::writer::{push_b, push_bool, push_key, push_n, push_null, push_s, push_separator, push_text};
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = AttributeValue> {
        let number = r"-?[1-9][0-9]{0,12}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?";
        let binary = || prop::collection::vec(any::<u8>(), 0..9);
        let scalars = prop_oneof![
            ".{0,9}".prop_map(AttributeValue::S),
            number.prop_map(AttributeValue::N),
            binary().prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::BOOL),
            Just(AttributeValue::NULL(true)),
            prop::collection::vec(".{0,9}", 1..4).prop_map(AttributeValue::SS),
            prop::collection::vec(number, 1..4).prop_map(AttributeValue::NS),
            prop::collection::vec(binary(), 1..4).prop_map(AttributeValue::BS),
        ];
        scalars.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(AttributeValue::L),
                prop::collection::hash_map(".{1,5}", inner, 0..5).prop_map(AttributeValue::M),
            ]
        })
    }

    fn push(out: &mut Vec<u8>, value: &AttributeValue) {
        match value {
            AttributeValue::S(text) => push_s(out, text),
            AttributeValue::N(number) => push_n(out, number),
            AttributeValue::B(bytes) => push_b(out, bytes),
            AttributeValue::BOOL(value) => push_bool(out, *value),
            AttributeValue::NULL(_) => push_null(out),
            AttributeValue::SS(texts) => push_all(out, Tag::SS, texts, |out, text| push_text(out, text)),
            AttributeValue::NS(texts) => push_all(out, Tag::NS, texts, |out, text| push_text(out, text)),
            AttributeValue::BS(all) => push_all(out, Tag::BS, all, |out, bytes| {
                out.push(b'"');
                oxidyn::wire::base64::encode(out, bytes);
                out.push(b'"');
            }),
            AttributeValue::L(values) => push_all(out, Tag::L, values, push),
            AttributeValue::M(map) => push_all(out, Tag::M, map, |out, (name, value)| {
                push_key(out, name);
                push(out, value);
            }),
        }
    }

    fn push_all<T>(
        out: &mut Vec<u8>,
        tag: Tag,
        values: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Vec<u8>, T),
    ) {
        out.extend_from_slice(tag.opening().as_bytes());
        for value in values {
            push_separator(out);
            push(out, value);
        }
        out.extend_from_slice(tag.closing().as_bytes());
    }

    proptest! {
        #[test]
        fn any_items_size_is_the_embedded_engines(name in ".{1,9}", value in values()) {
            let mut wire = b"{".to_vec();
            push_key(&mut wire, &name);
            push(&mut wire, &value);
            wire.push(b'}');

            let expected = dynoxide::types::item_size(&HashMap::from([(name, value)]));

            prop_assert_eq!(item_size(&wire).unwrap(), expected);
        }
    }
}
