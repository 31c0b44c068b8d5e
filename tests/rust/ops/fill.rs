//! Pages of a size and their cursors, on scripted replies.

use std::sync::Arc;

use bytes::Bytes;
use oxidyn::error::{Error, Result};
use oxidyn::expr::ast::{Comparison, Condition};
use oxidyn::ops::cursor::{Cursors, Place};
use oxidyn::ops::fill::{FillPage, Filled, MOST_REPLIES};
use oxidyn::ops::pages::{Bounds, Pages};
use oxidyn::ops::scan::Scan;
use oxidyn::ops::token::{CursorKey, Kind, Tokens};
use oxidyn::wire::Tag;

use super::drive::{Played, compare, eq, fault, i, play, reply, s};
use super::pages::query;

const BOUNDS: Bounds = Bounds {
    limit: None,
    page_size: None,
};

fn in_acme() -> Condition {
    eq("org", s("acme"))
}

fn filtered() -> Condition {
    Condition::all([in_acme(), eq("age", i(3))])
}

fn start_key() -> [(Arc<str>, Tag); 2] {
    [("org".into(), Tag::S), ("id".into(), Tag::S)]
}

fn fill(pages: &Pages, size: u64, script: impl IntoIterator<Item = &'static str>) -> Played<Filled> {
    play(&FillPage::new(pages, size, None, true), script.into_iter().map(reply))
}

/// Give out the items, and say what they were and what comes next.
fn consume(mut filled: Filled) -> (Vec<String>, Option<Place>) {
    let mut ids = Vec::new();
    for page in &mut filled.replies {
        while let Some(start) = page.next_item().unwrap() {
            let item = std::str::from_utf8(&page.body()[start..]).unwrap();
            ids.push(item.split('"').nth(5).unwrap().to_owned());
        }
    }
    (ids, filled.next().unwrap())
}

fn place(after: &'static str, given: u64) -> Place {
    Place {
        after: Bytes::from_static(after.as_bytes()),
        given,
    }
}

fn tokens<'a>(identity: &'a [u8], key: Option<&'a CursorKey>) -> Tokens<'a> {
    Tokens {
        kind: Kind::Page,
        identity,
        key,
    }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    match outcome {
        Err(Error::Cursor(message)) => message,
        other => panic!("expected a refused cursor, found {other:?}"),
    }
}

#[test]
fn one_item_more_is_asked_for_to_know_whether_anything_follows() {
    let played = fill(
        &query(in_acme(), BOUNDS),
        2,
        [
            r#"{"Count":3,"Items":[{"id":{"S":"a"}},{"id":{"S":"b"}},{"id":{"S":"c"}}],"LastEvaluatedKey":{"id":{"S":"c"}}}"#,
        ],
    );

    assert!(played.calls[0].contains(r#""Limit":3"#), "{}", played.calls[0]);
    let (ids, next) = consume(played.output.unwrap());
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(next, Some(place(r#"{"id":{"S":"b"}}"#, 2)));
}

#[test]
fn a_page_that_is_all_there_is_has_no_next_one() {
    let played = fill(
        &query(in_acme(), BOUNDS),
        2,
        [r#"{"Items":[{"id":{"S":"a"}},{"id":{"S":"b"}}],"Count":2}"#],
    );

    assert_eq!(consume(played.output.unwrap()).1, None);
}

#[test]
fn a_filter_is_asked_again_until_the_page_is_full() {
    let played = fill(
        &query(filtered(), BOUNDS),
        2,
        [
            r#"{"Count":1,"Items":[{"id":{"S":"a"}}],"LastEvaluatedKey":{"id":{"S":"m"}}}"#,
            r#"{"Count":0,"Items":[],"LastEvaluatedKey":{"id":{"S":"n"}}}"#,
            r#"{"Count":1,"Items":[{"id":{"S":"o"}}],"LastEvaluatedKey":{"id":{"S":"z"}}}"#,
        ],
    );

    assert!(!played.calls[0].contains("Limit"));
    assert!(played.calls[2].contains(r#""ExclusiveStartKey":{"id":{"S":"n"}}"#));
    let (ids, next) = consume(played.output.unwrap());
    assert_eq!(ids, ["a", "o"]);
    // The service looked at all up to there, so what the filter left out is not read again.
    assert_eq!(next, Some(place(r#"{"id":{"S":"z"}}"#, 2)));
}

#[test]
fn a_page_cut_off_in_a_reply_goes_on_behind_its_last_item() {
    let played = fill(
        &query(filtered(), BOUNDS),
        1,
        [
            r#"{"LastEvaluatedKey":{"id":{"S":"z"}},"Items":[{"id":{"S":"a"},"age":{"N":"3"}},{"id":{"S":"b"}}],"Count":2}"#,
        ],
    );

    assert_eq!(
        consume(played.output.unwrap()).1,
        Some(place(r#"{"id":{"S":"a"},"age":{"N":"3"}}"#, 1))
    );
}

#[test]
fn what_is_left_out_on_the_client_neither_fills_a_page_nor_follows_it() {
    let between = Condition::all([
        in_acme(),
        compare("id", Comparison::Greater, s("a")),
        compare("id", Comparison::Less, s("c")),
    ]);
    let played = fill(
        &query(between, BOUNDS),
        1,
        [r#"{"Count":3,"Items":[{"id":{"S":"a"}},{"id":{"S":"b"}},{"id":{"S":"c"}}]}"#],
    );

    assert!(played.calls[0].contains(r#""Limit":4"#), "{}", played.calls[0]);
    assert_eq!(consume(played.output.unwrap()), (vec!["b".to_owned()], None));
}

#[test]
fn a_filter_that_never_holds_ends_with_a_short_page_and_its_cursor() {
    let last = MOST_REPLIES - 1;
    let empty = |number| {
        reply(format!(
            r#"{{"Count":0,"Items":[],"LastEvaluatedKey":{{"id":{{"S":"m{number}"}}}}}}"#
        ))
    };
    let fill = FillPage::new(&query(filtered(), BOUNDS), 5, None, true);

    let played = play(&fill, (0..MOST_REPLIES).map(empty));

    assert_eq!(
        consume(played.output.unwrap()),
        (
            vec![],
            Some(Place {
                after: format!(r#"{{"id":{{"S":"m{last}"}}}}"#).into(),
                given: 0
            })
        )
    );
}

#[test]
fn a_limit_counts_what_was_given_on_the_pages_before() {
    let bounds = Bounds {
        limit: Some(5),
        page_size: None,
    };
    let pages = query(in_acme(), bounds);
    let from = |given| Some(place(r#"{"id":{"S":"k"}}"#, given));

    let body = r#"{"Count":2,"Items":[{"id":{"S":"l"}},{"id":{"S":"m"}}],"LastEvaluatedKey":{"id":{"S":"m"}}}"#;
    let last = play(&FillPage::new(&pages, 3, from(3), true), [reply(body)]);
    assert!(
        last.calls[0].contains(r#""Limit":2,"ExclusiveStartKey""#),
        "{}",
        last.calls[0]
    );
    assert_eq!(
        consume(last.output.unwrap()),
        (vec!["l".to_owned(), "m".to_owned()], None)
    );

    let beyond = play(&FillPage::new(&pages, 3, from(5), true), []);
    assert_eq!(consume(beyond.output.unwrap()), (vec![], None));
}

#[test]
fn a_start_key_that_dynamodb_refuses_is_the_cursors_fault_unless_it_was_signed() {
    let pages = query(in_acme(), BOUNDS);
    let from = || Some(place(r#"{"id":{"S":"k"}}"#, 3));
    let refused = || [fault("ValidationException", "{}")];

    let unproven = play(&FillPage::new(&pages, 3, from(), true), refused());
    assert!(refusal(unproven.output).contains("DynamoDB refused the key in it"));
    for fill in [
        FillPage::new(&pages, 3, from(), false),
        FillPage::new(&pages, 3, None, false),
    ] {
        assert!(matches!(play(&fill, refused()).output, Err(Error::Service(_))));
    }
}

#[test]
fn a_cursor_holds_what_the_query_does_not_say_itself() {
    let pages = query(in_acme(), BOUNDS);
    let start_key = start_key();
    let cursors = Cursors {
        pages: &pages,
        start_key: &start_key,
        key: None,
    };
    let item = place(r#"{"x":{"S":"y"},"id":{"S":"b\u0022"},"org":{"S":"acme"}}"#, 300);

    let cursor = cursors.write(&item).unwrap();

    // Version and kind, fingerprint, two bytes of count, length and text of `id`, checksum.
    assert_eq!(cursor.len(), (1 + 8 + 2 + 1 + 2 + 4) * 4 / 3);
    assert_eq!(
        cursors.read(&cursor).unwrap(),
        place(r#"{"org":{"S":"acme"},"id":{"S":"b\""}}"#, 300)
    );
}

#[test]
fn a_cursor_of_a_scan_holds_the_whole_key() {
    let scan = Scan {
        table: "users",
        index: None,
        filter: None,
        selection: &[],
        consistent: false,
        bounds: BOUNDS,
    };
    let pages = scan.pages().unwrap();
    let start_key: [(Arc<str>, Tag); 3] = [("s".into(), Tag::S), ("n".into(), Tag::N), ("b".into(), Tag::B)];
    let cursors = Cursors {
        pages: &pages,
        start_key: &start_key,
        key: None,
    };
    let key = r#"{"s":{"S":"ü"},"n":{"N":"-1.50"},"b":{"B":"AP8="}}"#;

    let cursor = cursors.write(&place(key, 1)).unwrap();

    assert_eq!(cursors.read(&cursor).unwrap(), place(key, 1));
}

#[test]
fn an_item_without_its_key_makes_no_cursor_and_says_so() {
    let pages = query(in_acme(), BOUNDS);
    let start_key = start_key();
    let cursors = Cursors {
        pages: &pages,
        start_key: &start_key,
        key: None,
    };

    for item in [r#"{"org":{"S":"acme"}}"#, r#"{"id":{"N":"1"}}"#] {
        let outcome = cursors.write(&place(item, 1));
        assert!(matches!(outcome, Err(Error::Expression(message)) if message.contains("key attribute id")));
    }
}

#[test]
fn content_that_is_no_key_of_the_table_is_refused() {
    let pages = query(in_acme(), BOUNDS);
    let start_key: [(Arc<str>, Tag); 2] = [("org".into(), Tag::S), ("id".into(), Tag::N)];
    let cursors = Cursors {
        pages: &pages,
        start_key: &start_key,
        key: None,
    };
    let identity = pages.identity();

    for content in [
        &b""[..],
        b"\x01",
        b"\x01\x01",
        b"\x01\x01x",
        b"\x01\x05\xff",
        b"\x01\x01\xff",
        b"\x01\x011\x00",
        b"\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x01\x011",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x011",
    ] {
        let forged = tokens(&identity, None).write(content);
        assert!(
            refusal(cursors.read(&forged)).contains("none of this table"),
            "{content:?}"
        );
    }
    assert!(cursors.read(&tokens(&identity, None).write(b"\x01\x011")).is_ok());
}

#[test]
fn a_signature_tells_every_change_of_a_token() {
    let (key, other) = (CursorKey::new(&[7; 16]).unwrap(), CursorKey::new(&[8; 32]).unwrap());
    let signed = tokens(b"query", Some(&key)).write(b"content");

    assert_eq!(tokens(b"query", Some(&key)).read(&signed).unwrap(), b"content");
    assert!(refusal(tokens(b"query", Some(&other)).read(&signed)).contains("its signature is not this client's"));
    assert!(refusal(tokens(b"another", Some(&key)).read(&signed)).contains("another query made it"));
    for place in 0..signed.len() {
        let mut altered = signed.clone().into_bytes();
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        refusal(tokens(b"query", Some(&key)).read(&altered));
        refusal(tokens(b"query", Some(&key)).read(&signed[..place]));
    }
}

#[test]
fn a_client_that_signs_takes_no_unsigned_token_and_the_other_way_round() {
    let key = CursorKey::new(&[7; 16]).unwrap();
    let (signed, unsigned) = (tokens(b"query", Some(&key)), tokens(b"query", None));

    assert!(refusal(signed.read(&unsigned.write(b"content"))).contains("it is not signed"));
    assert!(refusal(unsigned.read(&signed.write(b"content"))).contains("it is signed"));
}

#[test]
fn a_fingerprint_under_a_key_tells_nobody_without_it_what_was_asked_for() {
    let (key, other) = (CursorKey::new(&[7; 16]).unwrap(), CursorKey::new(&[8; 16]).unwrap());
    let fingerprint = |key| tokens(b"query", key).write(b"").split_at(11).0.to_owned();

    assert_ne!(fingerprint(Some(&key))[2..], fingerprint(None)[2..]);
    assert_ne!(fingerprint(Some(&key)), fingerprint(Some(&other)));
}

#[test]
fn a_key_is_long_enough_and_shown_nowhere() {
    assert!(CursorKey::new(&[7; 15]).is_none());
    assert_eq!(format!("{:?}", CursorKey::new(&[7; 16])), "Some(CursorKey(**))");
}

#[test]
fn identities_are_equal_for_equal_queries_alone() {
    let value = |wire: &'static str, tag| oxidyn::expr::ast::Value {
        tag,
        wire: wire.as_bytes().into(),
        grid: oxidyn::expr::ast::Grid::Dense,
    };
    let with = |name, wire, tag| Condition::all([in_acme(), eq(name, value(wire, tag))]);
    let one_of = |values: [i64; 3]| {
        let path = oxidyn::expr::ast::Path::attribute("n");
        Condition::all([in_acme(), Condition::is_in(path, values.map(i))])
    };
    let identity = |condition| query(condition, BOUNDS).identity();

    for (one, other) in [
        (
            with("n", r#"{"N":"1.50"}"#, Tag::N),
            with("n", r#"{"N":"15e-1"}"#, Tag::N),
        ),
        (
            with("n", r#"{"SS":["a","b"]}"#, Tag::SS),
            with("n", r#"{"SS":["b","a"]}"#, Tag::SS),
        ),
        (
            with("n", r#"{"NS":["1","2"]}"#, Tag::NS),
            with("n", r#"{"NS":["2","1.0"]}"#, Tag::NS),
        ),
        (
            with(
                "n",
                r#"{"M":{"a":{"BS":["AA==","AQ=="]},"b":{"L":[{"NULL":true}]}}}"#,
                Tag::M,
            ),
            with(
                "n",
                r#"{"M":{"b":{"L":[{"NULL":true}]},"a":{"BS":["AQ==","AA=="]}}}"#,
                Tag::M,
            ),
        ),
        (one_of([1, 2, 3]), one_of([3, 1, 2])),
    ] {
        assert_eq!(identity(one), identity(other));
    }
    let different = [
        in_acme(),
        eq("org", s("acme2")),
        filtered(),
        with("n", r#"{"S":"1"}"#, Tag::S),
        with("n", r#"{"N":"1"}"#, Tag::N),
        with("m", r#"{"N":"1"}"#, Tag::N),
        with("n", r#"{"L":[{"N":"1"},{"N":"2"}]}"#, Tag::L),
        with("n", r#"{"L":[{"N":"2"},{"N":"1"}]}"#, Tag::L),
        with("n", r#"{"BOOL":true}"#, Tag::Bool),
        with("n", r#"{"BOOL":false}"#, Tag::Bool),
        Condition::all([in_acme(), eq("a", i(1)), eq("b", i(2))]),
        Condition::all([in_acme(), eq("a", i(2)), eq("b", i(1))]),
        one_of([1, 2, 3]),
        one_of([1, 2, 4]),
        Condition::all([
            in_acme(),
            compare("id", Comparison::GreaterOrEqual, s("a")),
            compare("id", Comparison::LessOrEqual, s("c")),
        ]),
        Condition::all([
            in_acme(),
            compare("id", Comparison::Greater, s("a")),
            compare("id", Comparison::LessOrEqual, s("c")),
        ]),
        Condition::all([
            in_acme(),
            compare("id", Comparison::GreaterOrEqual, s("a")),
            compare("id", Comparison::Less, s("c")),
        ]),
    ];
    let mut identities: Vec<_> = different.into_iter().map(identity).collect();
    let all = identities.len();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), all);
}

#[test]
fn how_much_is_read_at_once_is_no_part_of_the_identity() {
    let bounds = Bounds {
        limit: Some(3),
        page_size: Some(2),
    };

    assert_eq!(
        query(filtered(), bounds).identity(),
        query(filtered(), BOUNDS).identity()
    );
}
