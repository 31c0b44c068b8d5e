use oxidyn::wire::size::{attribute_sizes, item_size};
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

#[test]
fn the_heaviest_attribute_comes_first_and_names_count() {
    let item = r#"{"id":{"S":"a"},"text":{"S":"abcdefgh"},"n":{"N":"1"}}"#.as_bytes();

    let sizes = attribute_sizes(item).unwrap();

    let sizes: Vec<_> = sizes.iter().map(|size| (size.name.as_str(), size.bytes)).collect();
    assert_eq!(sizes, [("text", 12), ("id", 3), ("n", 3)]);
    assert_eq!(item_size(item).unwrap(), 18);
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
        let _ = attribute_sizes(json.as_bytes());
    }
}
