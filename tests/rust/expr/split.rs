//! The split of a query's condition into key condition, filter, and what is left out on the client.

use oxidyn::error::{Error, Result};
use oxidyn::expr::ast::{Comparison, Condition, Grid, Value};
use oxidyn::expr::key_condition::KeyTest;
use oxidyn::expr::split::{Candidate, Candidates, KeySchema, Split, Terms, plan};
use oxidyn::wire::Tag;
use proptest::prelude::*;
use proptest::sample::select;

use super::evaluate::{Item, selects, split_selects};
use super::values::{compare, eq, ge, gt, i, lt, n, names, path, s, value};

fn table_key() -> KeySchema {
    KeySchema {
        partition: names(["org"]),
        sort: names(["id"]),
    }
}

/// The table, and an index with several attributes in each part of its key.
fn candidates() -> Candidates {
    let by_day = KeySchema {
        partition: names(["country", "kind"]),
        sort: names(["year", "month", "day"]),
    };
    let by_day = Candidate::index("by_day".into(), by_day, &table_key());
    Candidates::new("User".into(), vec![Candidate::table(table_key()), by_day], vec![])
}

fn on_table(condition: Condition) -> Result<Split> {
    filtered(condition, None)
}

fn filtered(condition: Condition, wanted: Option<Condition>) -> Result<Split> {
    let table = Candidates::new("User".into(), vec![Candidate::table(table_key())], vec![]);
    plan(&table, Terms::default(), condition, wanted).map(|planned| planned.split)
}

fn on_index(condition: Condition) -> Result<Split> {
    let terms = Terms {
        index: Some("by_day"),
        ..Terms::default()
    };
    plan(&candidates(), terms, condition, None).map(|planned| planned.split)
}

fn in_acme(condition: Condition) -> Condition {
    Condition::all([eq("org", s("acme")), condition])
}

fn refusal(result: Result<Split>) -> String {
    match result {
        Err(Error::Expression(message)) => message,
        other => panic!("expected Error::Expression, found {other:?}"),
    }
}

fn sort_test(condition: Condition) -> KeyTest {
    on_table(in_acme(condition)).unwrap().key.0[1].1.clone()
}

#[test]
fn a_single_bound_is_sent_as_it_is() {
    let split = on_table(in_acme(gt("id", i(3)))).unwrap();

    assert_eq!(
        split.key.0[0],
        ("org".into(), KeyTest::Compare(Comparison::Equal, s("acme")))
    );
    assert_eq!(
        split.key.0[1],
        ("id".into(), KeyTest::Compare(Comparison::Greater, i(3)))
    );
    assert_eq!((split.filter, split.drop.len(), split.empty), (None, 0, false));
}

#[test]
fn two_bounds_become_one_between() {
    assert_eq!(
        sort_test(Condition::all([ge("id", i(3)), lt("id", i(9))])),
        KeyTest::Between(i(3), i(8))
    );
    assert_eq!(
        sort_test(Condition::all([lt("id", i(9)), gt("id", i(3))])),
        KeyTest::Between(i(4), i(8))
    );
    assert_eq!(
        sort_test(Condition::between(path("id"), i(3), i(9))),
        KeyTest::Between(i(3), i(9))
    );
}

#[test]
fn an_open_end_without_neighbour_is_sent_closed_and_dropped_on_the_client() {
    let split = on_table(in_acme(Condition::all([gt("id", s("a")), lt("id", s("b"))]))).unwrap();

    assert_eq!(split.key.0[1].1, KeyTest::Between(s("a"), s("b")));
    assert_eq!(
        split.drop.iter().map(|end| end.value.clone()).collect::<Vec<_>>(),
        [s("a"), s("b")]
    );
    assert!(split.drop.iter().all(|end| &*end.attribute == "id"));
}

#[test]
fn ranges_with_nothing_in_them_send_nothing() {
    let of = |low: Condition, high: Condition| on_table(in_acme(Condition::all([low, high]))).unwrap().empty;

    assert!(of(gt("id", i(3)), lt("id", i(4))));
    assert!(of(ge("id", i(5)), lt("id", i(5))));
    assert!(of(gt("id", s("a")), compare("id", Comparison::LessOrEqual, s("a"))));
    assert!(!of(ge("id", s("a")), compare("id", Comparison::LessOrEqual, s("a"))));
    assert!(
        on_table(in_acme(Condition::between(path("id"), i(10), i(9))))
            .unwrap()
            .empty
    );
    assert!(
        !on_table(in_acme(Condition::between(path("id"), i(9), i(10))))
            .unwrap()
            .empty
    );
    assert!(
        on_table(in_acme(Condition::between(path("id"), n("1e1"), n("9.5"))))
            .unwrap()
            .empty
    );
}

#[test]
fn text_is_compared_after_unescaping_and_bytes_as_bytes() {
    let range = |low, high| {
        on_table(in_acme(Condition::between(path("id"), low, high)))
            .unwrap()
            .empty
    };
    let b = |base64| value(Tag::B, base64, Grid::Dense);

    // A quote sorts before `a`, its escape's backslash does not.
    assert!(!range(s(r#"\"z"#), s("a")));
    // U+FFFD is below U+10000 in UTF-8, and above its surrogates.
    assert!(!range(s("\u{FFFD}"), s("\u{10000}")));
    // 0xFB and 0x00: base64 writes them "+w==" and "AA==", in the other order.
    assert!(range(b("+w=="), b("AA==")));
}

#[test]
fn different_values_for_one_key_attribute_select_nothing() {
    assert!(
        on_table(Condition::all([eq("org", s("a")), eq("org", s("b"))]))
            .unwrap()
            .empty
    );
    assert!(
        !on_table(Condition::all([eq("org", s("a")), eq("org", s("a"))]))
            .unwrap()
            .empty
    );
    assert!(
        on_table(in_acme(Condition::all([eq("id", i(1)), eq("id", i(2))])))
            .unwrap()
            .empty
    );
    assert!(
        !on_table(in_acme(Condition::all([eq("id", n("1")), eq("id", n("1.0"))])))
            .unwrap()
            .empty
    );
}

#[test]
fn what_is_no_key_goes_to_the_filter_with_the_callers_where() {
    let condition = Condition::all([eq("org", s("a")), gt("age", i(3)), eq("id.part", i(1)).negated()]);

    let message = refusal(on_table(condition));
    assert!(
        message.starts_with("id is a key attribute of the table, and a condition with `~`"),
        "{message}"
    );

    let condition = Condition::all([eq("org", s("a")), gt("age", i(3))]);
    let split = filtered(condition, Some(eq("nick", s("x")))).unwrap();
    assert_eq!(
        split.filter,
        Some(Condition::all([gt("age", i(3)), eq("nick", s("x"))]))
    );
}

#[test]
fn a_key_attribute_in_where_is_refused() {
    let message = refusal(filtered(eq("org", s("a")), Some(eq("id", i(1)))));

    assert!(
        message.starts_with("where= may not ask for id: it is a key attribute of the table"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_a_key_condition_is_refused_by_name() {
    for (condition, reason) in [
        (compare("id", Comparison::NotEqual, i(1)), "`!=`"),
        (Condition::is_in(path("id"), [i(1)]), "`is_in`"),
        (Condition::any([eq("id", i(1)), eq("age", i(1))]), "`|`"),
        (Condition::is_none(path("id")), "None, which a key attribute never is"),
        (Condition::is_some(path("id")), "`exists`"),
        (gt("id", i(1)).negated(), "`~`"),
        (Condition::NotExists(path("id")), "`not_exists`"),
        (
            Condition::all([gt("id", i(1)), lt("id", i(5)), lt("id", i(6))]),
            "takes one condition",
        ),
        (Condition::all([gt("id", i(1)), eq("id", i(5))]), "takes one condition"),
        (
            Condition::all([Condition::begins_with(path("id"), s("a")), gt("id", s("b"))]),
            "takes one condition",
        ),
        (eq("id", Value::null()), "never equal to NULL"),
        (eq("id.part", i(1)), "a path into its value"),
    ] {
        let message = refusal(on_table(in_acme(condition)));
        assert!(message.starts_with("id is a "), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn a_partition_takes_equality_only() {
    assert!(refusal(on_table(gt("org", s("a")))).contains("takes only `==`"));
    assert!(refusal(on_table(eq("org", Value::null()))).contains("never equal to NULL"));
}

#[test]
fn a_forced_index_whose_partition_is_missing_names_it_and_what_would_serve() {
    let message = refusal(on_index(eq("org", s("a"))));
    assert!(
        message.starts_with("the query needs `country == …`, since country is a partition attribute of index by_day"),
        "{message}"
    );
    assert!(
        message.ends_with("without index= the query goes to the table"),
        "{message}"
    );

    assert!(refusal(on_index(eq("age", i(1)))).contains("scan"));
}

#[test]
fn the_parts_of_an_index_key_are_asked_from_left_to_right() {
    let place = || Condition::all([eq("kind", s("k")), eq("country", s("c"))]);
    let of = |more: Vec<Condition>| on_index(Condition::all([vec![place()], more].concat()));

    let split = of(vec![lt("month", i(6)), eq("year", i(2024)), gt("month", i(2))]).unwrap();
    let attributes: Vec<&str> = split.key.0.iter().map(|(name, _)| &**name).collect();
    assert_eq!(attributes, ["country", "kind", "year", "month"]);
    assert_eq!(split.key.0[3].1, KeyTest::Between(i(3), i(5)));

    assert!(of(vec![]).is_ok());
    assert!(of(vec![gt("year", i(1))]).is_ok());
    let skipped = refusal(of(vec![eq("year", i(1)), eq("day", i(1))]));
    assert!(skipped.contains("sorts by month before day"), "{skipped}");
    let beyond_range = refusal(of(vec![gt("year", i(1)), eq("month", i(1))]));
    assert!(beyond_range.contains("needs `year == …` as well"), "{beyond_range}");
    assert!(refusal(on_index(eq("country", s("c")))).contains("needs `kind == …`"));
}

#[test]
fn a_deep_condition_is_walked_without_a_deep_stack() {
    let deep = (0..100_000).fold(eq("age", i(1)), |inner, _| Condition::Not(Box::new(inner)));

    let split = on_table(Condition::all([eq("org", s("a")), deep])).unwrap();

    // Dropping such a tree is recursive; only its builder can keep it from being built.
    std::mem::forget(split);
}

/// Values in order, a step apart, on one grid.
#[derive(Debug, Clone)]
struct Domain(Vec<Value>);

fn domains() -> impl Strategy<Value = Domain> {
    let of = |tag: Tag, grid: Grid, contents: Vec<String>| {
        Domain(contents.iter().map(|content| value(tag, content, grid)).collect())
    };
    select(vec![
        of(
            Tag::N,
            Grid::Integer,
            (-4..5).map(|number: i64| number.to_string()).collect(),
        ),
        of(
            Tag::N,
            Grid::Dense,
            (-4..5).map(|number| format!("{}", f64::from(number) / 2.0)).collect(),
        ),
        of(
            Tag::N,
            Grid::MicroNumber,
            (0..9).map(|number| format!("1.00000{number}")).collect(),
        ),
        of(
            Tag::S,
            Grid::Dense,
            ["", "a", "aa", "ab", "b", "ba", "c", "cc", "d"]
                .map(String::from)
                .to_vec(),
        ),
        of(
            Tag::B,
            Grid::Dense,
            ["AAAA", "BAAA", "CAAA", "DAAA", "EAAA", "FAAA", "GAAA", "HAAA", "IAAA"]
                .map(String::from)
                .to_vec(),
        ),
        of(
            Tag::S,
            Grid::DateTime,
            (0..9)
                .map(|number| format!("2024-01-01T00:00:00.00000{number}Z"))
                .collect(),
        ),
        of(
            Tag::S,
            Grid::Date,
            [
                "2024-02-25",
                "2024-02-26",
                "2024-02-27",
                "2024-02-28",
                "2024-02-29",
                "2024-03-01",
                "2024-03-02",
                "2024-03-03",
                "2024-03-04",
            ]
            .map(String::from)
            .to_vec(),
        ),
    ])
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    None,
    Equal,
    Lower { open: bool },
    Upper { open: bool },
    Range { open_low: bool, open_high: bool },
    Between,
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::None),
        Just(Shape::Equal),
        any::<bool>().prop_map(|open| Shape::Lower { open }),
        any::<bool>().prop_map(|open| Shape::Upper { open }),
        any::<(bool, bool)>().prop_map(|(open_low, open_high)| Shape::Range { open_low, open_high }),
        any::<(bool, bool)>().prop_map(|(open_low, open_high)| Shape::Range { open_low, open_high }),
        Just(Shape::Between),
    ]
}

fn sort_conditions(shape: Shape, low: Value, high: Value) -> Vec<Condition> {
    let lower = |open, value| if open { gt("id", value) } else { ge("id", value) };
    let upper = |open, value| {
        if open {
            lt("id", value)
        } else {
            compare("id", Comparison::LessOrEqual, value)
        }
    };
    match shape {
        Shape::None => vec![],
        Shape::Equal => vec![eq("id", low)],
        Shape::Lower { open } => vec![lower(open, low)],
        Shape::Upper { open } => vec![upper(open, high)],
        Shape::Range { open_low, open_high } => vec![upper(open_high, high), lower(open_low, low)],
        Shape::Between => vec![Condition::between(path("id"), low, high)],
    }
}

fn filters() -> impl Strategy<Value = Vec<Condition>> {
    let leaf = prop_oneof![
        (0..3i64).prop_map(|number| eq("age", i(number))),
        (0..3i64).prop_map(|number| lt("age", i(number))),
        (0..3i64).prop_map(|number| compare("age", Comparison::NotEqual, i(number))),
        Just(Condition::Exists(path("age"))),
        Just(Condition::NotExists(path("age"))),
        Just(Condition::is_in(path("age"), [i(0), i(2)])),
    ];
    let tree = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::all),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::any),
            inner.prop_map(Condition::negated),
        ]
    });
    prop::collection::vec(tree, 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_split_selects_what_the_condition_selects(
        domain in domains(),
        shape in shapes(),
        low in 0..9usize,
        high in 0..9usize,
        filters in filters(),
        order in any::<prop::sample::Index>(),
    ) {
        let Domain(values) = domain;
        let mut parts = vec![eq("org", s("a"))];
        parts.extend(sort_conditions(shape, values[low].clone(), values[high].clone()));
        parts.extend(filters);
        let middle = order.index(parts.len());
        parts.rotate_left(middle);
        let condition = Condition::all(parts);

        let split = on_table(condition.clone()).unwrap();

        for org in ["a", "b"] {
            for id in &values {
                for age in [None, Some(0), Some(1), Some(2)] {
                    let mut item = Item::from([("org", s(org)), ("id", id.clone())]);
                    item.extend(age.map(|age| ("age", i(age))));
                    prop_assert_eq!(split_selects(&split, &item), selects(&condition, &item), "{:?} of {:?}", item, split);
                }
            }
        }
    }
}
