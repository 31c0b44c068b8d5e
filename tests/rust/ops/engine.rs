//! The embedded engine, verified against AWS, as the judge of every body and expression text.

use std::sync::Arc;

use bytes::Bytes;
use oxidyn::error::{ConditionMeaning, Error, Result};
use oxidyn::expr::ast::{Action, Comparison, Condition, Grid, Path, Segment, Value};
use oxidyn::expr::split::{Candidate, Candidates, KeySchema, Kind, Planned, Terms, plan};
use oxidyn::ops::batch_get::BatchGet;
use oxidyn::ops::batch_write::{BatchWrite, Write};
use oxidyn::ops::delete::Delete;
use oxidyn::ops::get::Get;
use oxidyn::ops::guard::Guard;
use oxidyn::ops::pages::{Bounds, Pages};
use oxidyn::ops::put::Put;
use oxidyn::ops::query::Query;
use oxidyn::ops::scan::Scan;
use oxidyn::ops::table::{
    CreateTable, DeleteTable, DescribeTable, IndexDefinition, Patience, Projection, TableDefinition, WaitUntilActive,
};
use oxidyn::ops::update::Update;
use oxidyn::ops::{Operation, Returning};
use oxidyn::transport::Call;
use oxidyn::transport::embedded::Embedded;
use oxidyn::wire::Tag;
use oxidyn::wire::reader::Reader;
use proptest::prelude::*;

use super::drive::{self, compare, eq, i, names, s};

/// A database with one table of a partition `org` and a sort key `id`.
struct Table {
    engine: Embedded,
    key: KeySchema,
}

impl Table {
    fn new(id: Tag) -> Self {
        Self::with_indexes(id, vec![], vec![])
    }

    fn with_indexes(id: Tag, indexes: Vec<IndexDefinition>, more: Vec<(Arc<str>, Tag)>) -> Self {
        let table = Self {
            engine: Embedded::memory().unwrap(),
            key: KeySchema {
                partition: names(["org"]),
                sort: names(["id"]),
            },
        };
        let definition = TableDefinition {
            table: "users".into(),
            key: table.key.clone(),
            indexes,
            attributes: [vec![("org".into(), Tag::S), ("id".into(), id)], more].concat(),
            ttl: Some("expires".into()),
        };
        table.run(&CreateTable::new(definition, Patience::default())).unwrap();
        table
    }

    fn run<O: Operation>(&self, operation: &O) -> Result<O::Output> {
        drive::run(operation, |call| self.engine.execute(&call)).0
    }

    fn put(&self, item: &str) {
        self.run(&Put::new("users", item.as_bytes(), &Guard::default()).unwrap())
            .unwrap();
    }

    fn get(&self, key: &str) -> Option<Bytes> {
        let item = self.run(&Get::new("users", key.as_bytes(), true)).unwrap();
        item.map(|item| item.to_bytes().unwrap())
    }

    fn query(&self, condition: Condition, bounds: Bounds) -> Pages {
        self.pages(vec![], condition, false, bounds)
    }

    fn query_index(&self, index: &str, key: &KeySchema, condition: Condition, reverse: bool) -> Vec<String> {
        let index = Candidate::index(index.into(), key.clone(), &self.key);
        self.ids(&self.pages(vec![index], condition, reverse, Bounds::default()))
    }

    /// Of the index, or of the table where there is none.
    fn pages(&self, indexes: Vec<Candidate>, condition: Condition, reverse: bool, bounds: Bounds) -> Pages {
        let index = indexes.first().and_then(|index| index.index.clone());
        let terms = Terms {
            index: index.as_deref(),
            ..Terms::default()
        };
        let table = Candidate::table(self.key.clone());
        let candidates = Candidates::new("User".into(), [vec![table], indexes].concat(), vec![]);
        let Planned { candidate, split } = plan(&candidates, terms, condition, None).unwrap();
        let consistent = candidate.kind == Kind::Table;
        let query = Query {
            table: "users",
            candidate,
            split: &split,
            reverse,
            selection: &[],
            consistent,
            bounds,
        };
        query.pages().unwrap()
    }

    /// The `id` of every item on all pages.
    fn ids(&self, pages: &Pages) -> Vec<String> {
        let mut ids = Vec::new();
        let mut cursor = None;
        loop {
            let mut page = self.run(&pages.page(cursor)).unwrap();
            let body = page.body().clone();
            while let Some(position) = page.next_item().unwrap() {
                let mut reader = Reader::new(&body);
                reader.seek(position);
                ids.push(id_of(&mut reader));
                page.item_ended(reader.position());
            }
            cursor = page.next_cursor().unwrap();
            if cursor.is_none() {
                return ids;
            }
        }
    }

    fn scan(&self, filter: &Condition) -> Vec<String> {
        let bounds = Bounds::default();
        let scan = Scan {
            table: "users",
            index: None,
            filter: Some(filter),
            selection: &[],
            consistent: false,
            bounds,
        };
        let mut ids = self.ids(&scan.pages().unwrap());
        ids.sort();
        ids
    }

    fn update(&self, key: &str, actions: &[Action], guard: &Guard, returning: Returning) -> Result<Option<String>> {
        let update = Update::new("users", key.as_bytes(), actions, guard, returning).unwrap();
        let item = self.run(&update)?;
        Ok(item.map(|item| String::from_utf8(item.to_bytes().unwrap().to_vec()).unwrap()))
    }
}

fn id_of(reader: &mut Reader<'_>) -> String {
    let mut id = None;
    let mut more = reader.begin_object().unwrap();
    while more {
        if &*reader.key().unwrap() == "id" {
            reader.tag().unwrap();
            id = Some(reader.text().unwrap().to_string());
            reader.end().unwrap();
        } else {
            reader.skip_value().unwrap();
        }
        more = reader.next_member().unwrap();
    }
    id.expect("every item has an id")
}

fn path(segments: &[&str]) -> Path {
    Path(
        segments
            .iter()
            .map(|segment| {
                segment
                    .parse()
                    .map_or_else(|_| Segment::Attribute((*segment).into()), Segment::Index)
            })
            .collect(),
    )
}

fn number(text: &str) -> Value {
    Value {
        tag: Tag::N,
        wire: format!(r#"{{"N":"{text}"}}"#).into_bytes().into(),
        grid: Grid::Dense,
    }
}

#[test]
fn every_condition_means_on_the_engine_what_it_says() {
    let table = Table::new(Tag::S);
    for item in [
        r#"{"org":{"S":"o"},"id":{"S":"1"},"age":{"N":"1"},"size":{"S":"ab"},"a.b":{"N":"1"},"flag":{"BOOL":true}}"#,
        r#"{"org":{"S":"o"},"id":{"S":"2"},"age":{"N":"2"},"size":{"S":"b"},"nick":{"NULL":true},"raw":{"B":"AQI="}}"#,
        r#"{"org":{"S":"o"},"id":{"S":"3"},"age":{"N":"3"},"nick":{"S":"n"},"a":{"M":{"b":{"N":"7"}}},"l":{"L":[{"N":"8"},{"M":{"q":{"N":"9"}}}]}}"#,
    ] {
        table.put(item);
    }
    let of = |name: &str, comparison, value| compare(name, comparison, value);
    let age = || Path::attribute("age");
    let nick = || Path::attribute("nick");
    for (condition, expected) in [
        (eq("age", number("1.0")), "1"),
        (of("age", Comparison::NotEqual, i(1)), "23"),
        (of("age", Comparison::Less, i(2)), "1"),
        (of("age", Comparison::LessOrEqual, i(2)), "12"),
        (of("age", Comparison::Greater, i(2)), "3"),
        (of("age", Comparison::GreaterOrEqual, i(2)), "23"),
        (Condition::between(age(), i(2), i(9)), "23"),
        (Condition::between(age(), i(9), i(2)), ""),
        (Condition::between(age(), i(9), i(2)).negated(), "123"),
        (Condition::is_in(age(), [i(1), i(3), i(1)]), "13"),
        (Condition::is_in(age(), (1..=100).map(i)), "123"),
        (
            eq(
                "flag",
                Value {
                    wire: br#"{"BOOL":true}"#.as_slice().into(),
                    tag: Tag::Bool,
                    grid: Grid::Dense,
                },
            ),
            "1",
        ),
        (Condition::Exists(nick()), "23"),
        (Condition::NotExists(nick()), "1"),
        (Condition::is_none(nick()), "12"),
        (Condition::is_some(nick()), "3"),
        (Condition::is_none(nick()).negated(), "3"),
        (Condition::is_some(nick()).negated(), "12"),
        (Condition::all([Condition::is_none(nick()), eq("age", i(1))]), "1"),
        (Condition::begins_with(Path::attribute("size"), s("a")), "1"),
        (
            Condition::begins_with(
                Path::attribute("raw"),
                Value {
                    tag: Tag::B,
                    ..value(r#"{"B":"AQ=="}"#)
                },
            ),
            "2",
        ),
        (of("age", Comparison::Less, i(2)).negated(), "23"),
        (of("nick", Comparison::Less, s("z")).negated(), "12"),
        (
            Condition::any([Condition::all([eq("age", i(1)), eq("age", i(2))]), eq("age", i(3))]),
            "3",
        ),
        (
            Condition::all([
                Condition::any([eq("age", i(1)), eq("age", i(2))]),
                Condition::Exists(nick()),
            ]),
            "2",
        ),
        (Condition::any([eq("age", i(1)), eq("age", i(2))]).negated(), "3"),
        (Condition::any([Condition::all([eq("age", i(1))])]), "1"),
        (eq("a.b", i(1)), "1"),
        (Condition::compare(path(&["a", "b"]), Comparison::Equal, i(7)), "3"),
        (Condition::compare(path(&["l", "0"]), Comparison::Equal, i(8)), "3"),
        (Condition::compare(path(&["l", "1", "q"]), Comparison::Equal, i(9)), "3"),
        // Key attributes may stand in the filter of a scan.
        (eq("id", s("2")), "2"),
    ] {
        assert_eq!(table.scan(&condition).concat(), expected, "{condition:?}");
        // The same text as the condition of a write, on the first item.
        let first = table.get(r#"{"org":{"S":"o"},"id":{"S":"1"}}"#).unwrap();
        let put = Put::new("users", &first, &Guard::default().with(Some(condition.clone()))).unwrap();
        assert_eq!(table.run(&put).is_ok(), expected.contains('1'), "{condition:?}");
    }
}

fn value(wire: &'static str) -> Value {
    Value {
        tag: Tag::S,
        wire: wire.as_bytes().into(),
        grid: Grid::Dense,
    }
}

/// Every range over the sort key, asked of the engine and counted by hand.
fn check_ranges(tag: Tag, grid: Grid, contents: &[&str]) {
    let table = Table::new(tag);
    let values: Vec<Value> = contents
        .iter()
        .map(|content| Value {
            tag,
            wire: format!(r#"{{"{}":"{content}"}}"#, tag.name()).into_bytes().into(),
            grid,
        })
        .collect();
    for value in &values {
        let id = std::str::from_utf8(&value.wire).unwrap();
        table.put(&format!(r#"{{"org":{{"S":"o"}},"id":{id},"age":{{"N":"1"}}}}"#));
    }
    let all = values.len();
    for low in 0..all {
        for high in 0..all {
            for (open_low, open_high) in [(false, false), (false, true), (true, false), (true, true)] {
                let condition = Condition::all([
                    eq("org", s("o")),
                    compare(
                        "id",
                        if open_low {
                            Comparison::Greater
                        } else {
                            Comparison::GreaterOrEqual
                        },
                        values[low].clone(),
                    ),
                    compare(
                        "id",
                        if open_high {
                            Comparison::Less
                        } else {
                            Comparison::LessOrEqual
                        },
                        values[high].clone(),
                    ),
                ]);
                let expected: Vec<&str> = (0..all)
                    .filter(|at| if open_low { *at > low } else { *at >= low })
                    .filter(|at| if open_high { *at < high } else { *at <= high })
                    .map(|at| contents[at])
                    .collect();
                let pages = table.query(
                    condition.clone(),
                    Bounds {
                        limit: None,
                        page_size: Some(2),
                    },
                );
                assert_eq!(table.ids(&pages), expected, "{condition:?}");
                assert_eq!(table.run(&pages.count(None)).unwrap(), expected.len() as u64);
                let limited = table.query(
                    condition,
                    Bounds {
                        limit: Some(2),
                        page_size: None,
                    },
                );
                assert_eq!(table.ids(&limited), expected[..expected.len().min(2)]);
                assert_eq!(table.run(&limited.count(None)).unwrap(), expected.len().min(2) as u64);
            }
        }
    }
}

#[test]
fn ranges_of_whole_numbers() {
    check_ranges(Tag::N, Grid::Integer, &["-10", "-1", "0", "1", "2", "10"]);
}

#[test]
fn ranges_of_numbers_without_neighbours() {
    check_ranges(Tag::N, Grid::Dense, &["-10", "-0.5", "0", "0.0000001", "2", "10.25"]);
}

#[test]
fn ranges_of_microseconds() {
    check_ranges(Tag::N, Grid::MicroNumber, &["1", "1.000001", "1.000002", "1.1", "2"]);
}

#[test]
fn ranges_of_text() {
    check_ranges(
        Tag::S,
        Grid::Dense,
        &["B", "a", "aa", "b", "ü", "\u{FFFD}", "\u{10000}"],
    );
}

#[test]
fn ranges_of_bytes() {
    check_ranges(Tag::B, Grid::Dense, &["AA==", "AAA=", "AQ==", "fw==", "gA==", "+w=="]);
}

#[test]
fn ranges_of_datetimes() {
    check_ranges(
        Tag::S,
        Grid::DateTime,
        &[
            "2023-12-31T23:59:59.999999Z",
            "2024-01-01T00:00:00.000000Z",
            "2024-01-01T00:00:00.000001Z",
            "2024-02-29T12:00:00.000000Z",
        ],
    );
}

#[test]
fn a_prefix_and_a_filter_on_one_query() {
    let table = Table::new(Tag::S);
    for number in 0..30 {
        table.put(&format!(
            r#"{{"org":{{"S":"o"}},"id":{{"S":"{number:02}"}},"age":{{"N":"{}"}}}}"#,
            number % 3
        ));
    }
    let condition = || {
        Condition::all([
            Condition::begins_with(Path::attribute("id"), s("1")),
            Condition::any([eq("age", i(1)), Condition::NotExists(Path::attribute("age"))]),
            eq("org", s("o")),
        ])
    };

    let pages = table.query(
        condition(),
        Bounds {
            limit: None,
            page_size: Some(4),
        },
    );

    assert_eq!(table.ids(&pages), ["10", "13", "16", "19"]);
    assert_eq!(table.run(&pages.count(None)).unwrap(), 4);
    let limited = table.query(
        condition(),
        Bounds {
            limit: Some(3),
            page_size: Some(4),
        },
    );
    assert_eq!(table.ids(&limited), ["10", "13", "16"]);
    assert_eq!(table.run(&limited.count(None)).unwrap(), 3);
}

#[test]
fn indexes_are_queried_by_their_own_keys() {
    let place = KeySchema {
        partition: names(["country", "kind"]),
        sort: names(["year", "month"]),
    };
    let by_age = KeySchema {
        partition: vec![],
        sort: names(["age"]),
    };
    let index = |name: &str, key: &KeySchema, projection| IndexDefinition {
        name: name.into(),
        key: key.clone(),
        projection,
    };
    let table = Table::with_indexes(
        Tag::S,
        vec![
            index("by_place", &place, Projection::Include(names(["age"]))),
            index("by_age", &by_age, Projection::KeysOnly),
        ],
        [
            ("country", Tag::S),
            ("kind", Tag::S),
            ("year", Tag::N),
            ("month", Tag::N),
            ("age", Tag::N),
        ]
        .map(|(name, tag)| (Arc::from(name), tag))
        .to_vec(),
    );
    for number in 0..24 {
        table.put(&format!(
            r#"{{"org":{{"S":"o"}},"id":{{"S":"{number:02}"}},"country":{{"S":"c"}},"kind":{{"S":"k"}},"year":{{"N":"{}"}},"month":{{"N":"{}"}},"age":{{"N":"{}"}}}}"#,
            number / 12,
            number % 12,
            100 - number
        ));
    }
    let in_place =
        |more: Vec<Condition>| Condition::all([vec![eq("kind", s("k")), eq("country", s("c"))], more].concat());
    let of = |more, reverse| table.query_index("by_place", &place, in_place(more), reverse);

    assert_eq!(of(vec![], false).len(), 24);
    assert_eq!(of(vec![eq("year", i(1))], true)[..2], ["23", "22"]);
    let months = vec![
        compare("month", Comparison::Greater, i(2)),
        eq("year", i(1)),
        compare("month", Comparison::Less, i(5)),
        compare("age", Comparison::Less, i(85)),
    ];
    assert_eq!(of(months, false), ["16"]);
    let young = Condition::all([eq("org", s("o")), compare("age", Comparison::Less, i(80))]);
    assert_eq!(table.query_index("by_age", &by_age, young, false), ["23", "22", "21"]);
}

#[test]
fn an_update_changes_what_is_there_and_creates_nothing() {
    let table = Table::new(Tag::S);
    let key = r#"{"org":{"S":"o"},"id":{"S":"1"}}"#;
    let must_exist = || Guard::present("org".into());
    let set = |name: &str, value: Value| [Action::Set(Path::attribute(name), value.into())];

    let missing = table.update(key, &set("age", i(1)), &must_exist(), Returning::Nothing);
    assert!(matches!(missing, Err(Error::Condition(failure)) if failure.meaning == ConditionMeaning::ItemNotFound));
    assert_eq!(table.get(key), None);

    table.put(r#"{"org":{"S":"o"},"id":{"S":"1"},"m":{"M":{"a":{"N":"1"}}},"l":{"L":[{"N":"1"},{"N":"2"}]},"old":{"S":"x"},"tags":{"SS":["a"]}}"#);
    let actions = [
        Action::Set(path(&["m", "b"]), s("new").into()),
        Action::Add(path(&["m", "a"]), i(5)),
        Action::Remove(path(&["l", "0"])),
        Action::Remove(Path::attribute("old")),
        Action::Add(
            Path::attribute("tags"),
            Value {
                tag: Tag::SS,
                ..value(r#"{"SS":["b"]}"#)
            },
        ),
        Action::Add(Path::attribute("visits"), i(1)),
        Action::Set(Path::attribute("odd.name of \"it\""), s("x").into()),
    ];
    let new = table
        .update(key, &actions, &must_exist(), Returning::New)
        .unwrap()
        .unwrap();
    for expected in [
        r#""a":{"N":"6"}"#,
        r#""b":{"S":"new"}"#,
        r#""l":{"L":[{"N":"2"}]}"#,
        r#""tags":{"SS":["a","b"]}"#,
        r#""visits":{"N":"1"}"#,
        r#""odd.name of \"it\"":{"S":"x"}"#,
    ] {
        assert!(new.contains(expected), "{expected} in {new}");
    }
    assert!(!new.contains("old"));

    let guard = must_exist().with(Some(eq("visits", i(7))));
    let refused = table.update(key, &set("age", i(1)), &guard, Returning::Nothing);
    let Err(Error::Condition(failure)) = refused else {
        panic!("expected Error::Condition")
    };
    assert_eq!(failure.meaning, ConditionMeaning::ConditionFailed);
    assert!(
        std::str::from_utf8(&failure.item.unwrap())
            .unwrap()
            .contains(r#""visits":{"N":"1"}"#)
    );
    let old = table
        .update(key, &set("age", i(1)), &must_exist(), Returning::Old)
        .unwrap()
        .unwrap();
    assert!(!old.contains("age"));
    assert_eq!(
        table
            .update(key, &set("age", i(1)), &must_exist(), Returning::Nothing)
            .unwrap(),
        None
    );
}

#[test]
fn an_item_is_created_once_and_deleted_under_a_condition() {
    let table = Table::new(Tag::S);
    let item = br#"{"org":{"S":"o"},"id":{"S":"1"},"age":{"N":"3"}}"#;
    let create = Put::new("users", item, &Guard::absent("org".into())).unwrap();
    let key = br#"{"org":{"S":"o"},"id":{"S":"1"}}"#;
    let delete = |guard: Guard| table.run(&Delete::new("users", key, &guard, true).unwrap());

    table.run(&create).unwrap();
    let Err(Error::Condition(failure)) = table.run(&create) else {
        panic!("expected Error::Condition")
    };
    assert_eq!(failure.meaning, ConditionMeaning::ItemExists);
    assert!(failure.item.is_some());

    let refused = delete(Guard::default().with(Some(eq("age", i(4)))));
    assert!(matches!(refused, Err(Error::Condition(failure)) if failure.item.is_some()));
    assert!(delete(Guard::default().with(Some(eq("age", i(3))))).unwrap().is_some());
    assert!(delete(Guard::default()).unwrap().is_none());
    let refused = delete(Guard::default().with(Some(eq("age", i(3)))));
    assert!(matches!(
        refused,
        Err(Error::Condition(failure)) if failure.item.is_none() && failure.meaning == ConditionMeaning::ConditionFailed
    ));
}

#[test]
fn batches_of_any_size_arrive_whole() {
    let table = Table::new(Tag::N);
    let attributes = names(["org", "id"]);
    let item = |number: u32| {
        Bytes::from(format!(
            r#"{{"org":{{"S":"o"}},"id":{{"N":"{number}"}},"age":{{"N":"1"}}}}"#
        ))
    };
    let key = |number: &str| Bytes::from(format!(r#"{{"org":{{"S":"o"}},"id":{{"N":"{number}"}}}}"#));

    let puts = (0..130).map(|number| Write::Put(item(number)));
    table
        .run(&BatchWrite::new("users", &attributes, puts).unwrap())
        .unwrap();
    let deletes = [
        Write::Put(item(7)),
        Write::Delete(key("7.0")),
        Write::Delete(key("8")),
        Write::Put(item(8)),
    ];
    table
        .run(&BatchWrite::new("users", &attributes, deletes).unwrap())
        .unwrap();

    let mut keys: Vec<Bytes> = (0..140).map(|number| key(&number.to_string())).collect();
    keys.extend([key("1e0"), key("5")]);
    let found = table
        .run(&BatchGet::new("users", &attributes, keys, true).unwrap())
        .unwrap();
    for (number, item) in found[..140].iter().enumerate() {
        assert_eq!(item.is_some(), number < 130 && number != 7, "{number}");
    }
    assert_eq!((&found[140], &found[141]), (&found[1], &found[5]));
}

#[test]
fn tables_come_and_go() {
    let table = Table::new(Tag::S);
    let name = "users".into();
    let ttl = Call {
        operation: "DescribeTimeToLive",
        body: Bytes::from_static(br#"{"TableName":"users"}"#),
    };

    let ttl = table.engine.execute(&ttl).unwrap().body;
    assert!(
        std::str::from_utf8(&ttl)
            .unwrap()
            .contains(r#""AttributeName":"expires""#),
        "{ttl:?}"
    );
    let active = table.run(&WaitUntilActive::new(&name, Patience::default())).unwrap();
    assert!(std::str::from_utf8(&active).unwrap().contains("ACTIVE"));
    table.run(&DeleteTable::new(&name)).unwrap();
    let gone = table.run(&DescribeTable::new(&name));
    assert!(matches!(gone, Err(Error::Service(error)) if error.code == "ResourceNotFoundException"));
}

fn conditions() -> impl Strategy<Value = Condition> {
    let name = || prop::sample::select(vec!["age", "nick", "odd.name", "and", ":v0", "#n0"]).prop_map(Path::attribute);
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let leaf = prop_oneof![
        (name(), comparison, 0..5i64).prop_map(|(name, comparison, value)| Condition::compare(
            name,
            comparison,
            i(value)
        )),
        (name(), 0..5i64, 0..5i64).prop_map(|(name, low, high)| Condition::between(name, i(low), i(high))),
        (name(), prop::collection::vec(0..5i64, 1..4))
            .prop_map(|(name, values)| Condition::is_in(name, values.into_iter().map(i))),
        name().prop_map(Condition::Exists),
        name().prop_map(Condition::is_none),
        name().prop_map(Condition::is_some),
        name().prop_map(|name| Condition::begins_with(name, s("a"))),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::all),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::any),
            // As a caller could build them, not kept flat.
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Or),
            inner.clone().prop_map(Condition::negated),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_takes_every_condition_and_its_opposite_is_the_rest(condition in conditions()) {
        thread_local! {
            static TABLE: Table = {
                let table = Table::new(Tag::S);
                for (id, more) in [
                    ("1", r#""age":{"N":"1"}"#),
                    ("2", r#""age":{"N":"2"},"nick":{"NULL":true},"and":{"N":"3"}"#),
                    ("3", r##""nick":{"S":"ab"},"odd.name":{"N":"4"},"#n0":{"N":"0"}"##),
                    ("4", r#""age":{"S":"a"},":v0":{"N":"2"}"#),
                ] {
                    table.put(&format!(r#"{{"org":{{"S":"o"}},"id":{{"S":"{id}"}},{more}}}"#));
                }
                table
            };
        }
        TABLE.with(|table| {
            let mut both = [table.scan(&condition), table.scan(&condition.clone().negated())].concat();
            both.sort();
            prop_assert_eq!(both.concat(), "1234", "{:?}", condition);
            Ok(())
        })?;
    }
}
