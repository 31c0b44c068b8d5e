//! The pager on scripted replies.

use bytes::Bytes;
use oxidyn::error::{Error, Result};
use oxidyn::expr::ast::{Comparison, Condition};
use oxidyn::expr::split::{Candidate, Candidates, KeySchema, Planned, Terms, plan};
use oxidyn::ops::pages::{Bounds, Cursor, Page, Pages};
use oxidyn::ops::query::Query;
use oxidyn::ops::scan::Scan;
use oxidyn::wire::reader::Reader;

use super::drive::{compare, eq, i, names, play, reply, s};

fn candidates() -> Candidates {
    let table = KeySchema {
        partition: names(["org"]),
        sort: names(["id"]),
    };
    let by_id = KeySchema {
        partition: vec![],
        sort: names(["id"]),
    };
    let by_id = Candidate {
        lacks: names(["age"]),
        ..Candidate::index("by_id".into(), by_id, &table)
    };
    Candidates::new("User".into(), vec![Candidate::table(table), by_id], vec![])
}

fn by_id() -> Terms<'static> {
    Terms {
        index: Some("by_id"),
        ..Terms::default()
    }
}

pub fn query(condition: Condition, bounds: Bounds) -> Pages {
    let candidates = candidates();
    let Planned { candidate, split } = plan(&candidates, Terms::default(), condition, None).unwrap();
    Query {
        table: "users",
        candidate,
        split: &split,
        reverse: false,
        selection: &[],
        consistent: false,
        bounds,
    }
    .pages()
    .unwrap()
}

fn in_acme() -> Condition {
    eq("org", s("acme"))
}

/// `a < id < c`, of text: both ends are sent closed.
fn between_a_and_c() -> Condition {
    Condition::all([
        in_acme(),
        compare("id", Comparison::Greater, s("a")),
        compare("id", Comparison::Less, s("c")),
    ])
}

fn limit(limit: u64) -> Bounds {
    Bounds {
        limit: Some(limit),
        page_size: None,
    }
}

fn page(pages: &Pages, cursor: Option<Cursor>, body: &'static str) -> Page {
    play(&pages.page(cursor), [reply(body)]).output.unwrap()
}

/// The items as a decoder meets them: at their place, telling where each ended.
fn items(page: &mut Page) -> Result<Vec<String>> {
    let mut found = Vec::new();
    while let Some(position) = page.next_item()? {
        let body = page.body().clone();
        let mut reader = Reader::new(&body);
        reader.seek(position);
        let item = reader.raw_value().unwrap();
        found.push(String::from_utf8(body[item].to_vec()).unwrap());
        page.item_ended(reader.position());
    }
    Ok(found)
}

fn sort_keys(page: &mut Page) -> Vec<String> {
    let items = items(page).unwrap();
    items
        .iter()
        .map(|item| item.split('"').nth(5).unwrap().to_owned())
        .collect()
}

fn last_request(pages: &Pages, cursor: Option<Cursor>) -> String {
    play(&pages.page(cursor), [reply(r#"{"Items":[]}"#)]).calls.remove(0)
}

#[test]
fn a_query_is_written_with_all_that_was_asked_for() {
    let candidates = candidates();
    let condition = Condition::all([between_a_and_c(), eq("age", i(3))]);
    let Planned { candidate, split } = plan(&candidates, by_id(), condition, None).unwrap();
    let bounds = Bounds {
        limit: Some(7),
        page_size: Some(5),
    };
    let query = Query {
        table: "users",
        candidate,
        split: &split,
        reverse: true,
        selection: &[],
        consistent: true,
        bounds,
    };

    assert_eq!(
        last_request(&query.pages().unwrap(), None),
        concat!(
            r##"Query {"TableName":"users","IndexName":"by_id","##,
            r##""KeyConditionExpression":"#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2","FilterExpression":"#n2 = :v3","##,
            r##""ScanIndexForward":false,"ConsistentRead":true,"ExpressionAttributeNames":{"#n0":"org","#n1":"id","#n2":"age"},"##,
            r##""ExpressionAttributeValues":{":v0":{"S":"acme"},":v1":{"S":"a"},":v2":{"S":"c"},":v3":{"N":"3"}},"Select":"ALL_ATTRIBUTES","Limit":5}"##
        )
    );
}

#[test]
fn a_scan_is_written_with_all_that_was_asked_for() {
    let filter = eq("id", s("a"));
    let scan = |index, filter| Scan {
        table: "users",
        index,
        filter,
        selection: &[],
        consistent: false,
        bounds: Bounds::default(),
    };

    assert_eq!(
        last_request(&scan(None, None).pages().unwrap(), None),
        r#"Scan {"TableName":"users"}"#
    );
    assert_eq!(
        last_request(&scan(Some("by_id"), Some(&filter)).pages().unwrap(), None),
        concat!(
            r##"Scan {"TableName":"users","IndexName":"by_id","FilterExpression":"#n0 = :v0","##,
            r##""ExpressionAttributeNames":{"#n0":"id"},"ExpressionAttributeValues":{":v0":{"S":"a"}}}"##
        )
    );
}

#[test]
fn a_page_gives_its_items_and_the_next_cursor() {
    let pages = query(in_acme(), Bounds::default());
    let mut page = page(
        &pages,
        None,
        r#"{"Count":2,"Items":[{"org":{"S":"o"},"id":{"S":"a"}},{"id":{"S":"]}"}}],"LastEvaluatedKey":{"id":{"S":"z"}},"ScannedCount":2}"#,
    );

    assert_eq!(
        items(&mut page).unwrap(),
        [r#"{"org":{"S":"o"},"id":{"S":"a"}}"#, r#"{"id":{"S":"]}"}}"#]
    );
    assert_eq!(page.next_item().unwrap(), None);
    let cursor = page.next_cursor().unwrap().unwrap();
    assert_eq!(
        cursor,
        Cursor {
            start_key: Bytes::from_static(br#"{"id":{"S":"z"}}"#),
            wanted: None
        }
    );
    assert!(last_request(&pages, Some(cursor)).ends_with(r#","ExclusiveStartKey":{"id":{"S":"z"}}}"#));
}

#[test]
fn the_order_of_the_members_does_not_matter() {
    for body in [
        r#"{"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}],"LastEvaluatedKey":{"a":{"S":"2"}}}"#,
        r#"{"LastEvaluatedKey":{"a":{"S":"2"}},"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}]}"#,
        r#"{"ScannedCount":2,"LastEvaluatedKey":{"a":{"S":"2"}},"ConsumedCapacity":{"Items":[]},"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}],"Count":2}"#,
        " {\n \"Count\" : 2 , \"Items\" : [ {\"a\":{\"S\":\"1\"}} ,\n {\"a\":{\"S\":\"2\"}} ] , \"LastEvaluatedKey\" : {\"a\":{\"S\":\"2\"}} }\n",
    ] {
        let mut page = page(&query(in_acme(), Bounds::default()), None, body);
        assert_eq!(
            items(&mut page).unwrap(),
            [r#"{"a":{"S":"1"}}"#, r#"{"a":{"S":"2"}}"#],
            "{body}"
        );
        let cursor = page.next_cursor().unwrap().unwrap();
        assert_eq!(cursor.start_key, r#"{"a":{"S":"2"}}"#, "{body}");
    }
}

#[test]
fn the_cursor_can_be_asked_for_before_the_items_are_consumed() {
    let body = r#"{"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}],"LastEvaluatedKey":{"a":{"S":"2"}}}"#;
    let mut page = page(&query(in_acme(), Bounds::default()), None, body);

    assert!(page.next_cursor().unwrap().is_some());
    page.next_item().unwrap();
    assert!(page.next_cursor().unwrap().is_some());

    assert_eq!(items(&mut page).unwrap(), [r#"{"a":{"S":"2"}}"#]);
}

#[test]
fn a_page_without_items_may_still_have_a_next_one() {
    let mut empty = page(
        &query(in_acme(), Bounds::default()),
        None,
        r#"{"Items":[],"LastEvaluatedKey":{"a":{"S":"2"}}}"#,
    );

    assert_eq!(items(&mut empty).unwrap(), [""; 0]);
    assert!(empty.next_cursor().unwrap().is_some());
    let last = page(
        &query(in_acme(), Bounds::default()),
        None,
        r#"{"Count":0,"LastEvaluatedKey":null}"#,
    );
    assert!(last.next_cursor().unwrap().is_none());
}

#[test]
fn an_item_that_was_not_decoded_is_passed_over() {
    let body = r#"{"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}]}"#;
    let mut page = page(&query(in_acme(), Bounds::default()), None, body);

    let first = page.next_item().unwrap().unwrap();
    let second = page.next_item().unwrap().unwrap();

    assert!(body[first..].starts_with(r#"{"a":{"S":"1"}}"#));
    assert!(body[second..].starts_with(r#"{"a":{"S":"2"}}"#));
    assert_eq!(page.next_item().unwrap(), None);
}

#[test]
fn a_limit_counts_down_over_pages() {
    let pages = query(in_acme(), limit(3));
    let body = r#"{"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}],"LastEvaluatedKey":{"a":{"S":"2"}}}"#;
    assert!(last_request(&pages, None).contains(r#""Limit":3"#));

    let mut first = page(&pages, None, body);
    assert_eq!(items(&mut first).unwrap().len(), 2);
    let cursor = first.next_cursor().unwrap().unwrap();
    assert_eq!(cursor.wanted, Some(1));
    assert!(last_request(&pages, Some(cursor.clone())).contains(r#""Limit":1,"ExclusiveStartKey""#));
    let mut second = page(&pages, Some(cursor), body);

    assert_eq!(items(&mut second).unwrap().len(), 1);
    assert_eq!(second.next_cursor().unwrap(), None);
}

#[test]
fn a_filter_keeps_the_limit_on_the_client() {
    let filtered = Condition::all([in_acme(), eq("age", i(3))]);

    assert!(!last_request(&query(filtered.clone(), limit(3)), None).contains("Limit"));
    let bounds = Bounds {
        limit: Some(3),
        page_size: Some(50),
    };
    assert!(last_request(&query(filtered, bounds), None).contains(r#""Limit":50"#));
}

#[test]
fn nothing_is_sent_where_nothing_can_match() {
    let empty = Condition::all([
        in_acme(),
        Condition::between(oxidyn::expr::ast::Path::attribute("id"), i(9), i(1)),
    ]);

    for pages in [query(empty, Bounds::default()), query(in_acme(), limit(0))] {
        let played = play(&pages.page(None), []);
        let mut page = played.output.unwrap();
        assert_eq!(page.next_item().unwrap(), None);
        assert_eq!(page.next_cursor().unwrap(), None);
        assert_eq!(play(&pages.count(None), []).output.unwrap(), 0);
    }
}

#[test]
fn items_on_an_open_end_are_left_out_before_the_limit_counts() {
    let pages = query(between_a_and_c(), limit(2));
    assert!(last_request(&pages, None).contains(r#""Limit":4"#));
    let body = concat!(
        r#"{"Items":[{"x":{"M":{"id":{"S":"b"}}},"id":{"S":"a"}},{"x":{"S":"1"},"id":{"S":"\u0061"}},"#,
        r#"{"x":{"S":"1"},"id":{"S":"aa"}},{"x":{"S":"1"},"id":{"S":"c"}},{"x":{"S":"1"},"id":{"S":"b"}}],"#,
        r#""LastEvaluatedKey":{"id":{"S":"b"}}}"#
    );

    let mut page = page(&pages, None, body);

    let found = items(&mut page).unwrap();
    assert_eq!(
        found,
        [
            r#"{"x":{"S":"1"},"id":{"S":"aa"}}"#,
            r#"{"x":{"S":"1"},"id":{"S":"b"}}"#
        ]
    );
    assert_eq!(page.next_cursor().unwrap(), None);
}

#[test]
fn open_ends_of_numbers_are_compared_by_value() {
    let number = |text: &str| oxidyn::expr::ast::Value {
        tag: oxidyn::wire::Tag::N,
        wire: format!(r#"{{"N":"{text}"}}"#).into_bytes().into(),
        grid: oxidyn::expr::ast::Grid::Dense,
    };
    let range = Condition::all([
        in_acme(),
        compare("id", Comparison::GreaterOrEqual, number("0.5")),
        compare("id", Comparison::Less, number("1e1")),
    ]);
    let body = r#"{"Items":[{"x":{"S":"1"},"id":{"N":"9"}},{"x":{"S":"1"},"id":{"N":"10"}}]}"#;

    assert_eq!(
        sort_keys(&mut page(&query(range, Bounds::default()), None, body)).len(),
        1
    );
}

#[test]
fn a_page_cut_off_in_the_middle_is_an_error_and_no_end() {
    let mut page = page(
        &query(in_acme(), Bounds::default()),
        None,
        r#"{"Items":[{"a":{"S":"1"}},{"a":"#,
    );

    assert!(matches!(items_or_skip(&mut page), Err(Error::Transport(_))));
}

fn items_or_skip(page: &mut Page) -> Result<u32> {
    let mut count = 0;
    while page.next_item()?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[test]
fn count_sums_the_pages_without_their_items() {
    let played = play(
        &query(in_acme(), Bounds::default()).count(None),
        [
            reply(r#"{"Count":2,"LastEvaluatedKey":{"id":{"S":"x"}},"ScannedCount":5}"#),
            reply(r#"{"Count":3,"ScannedCount":3}"#),
        ],
    );

    assert_eq!(played.output.unwrap(), 5);
    assert!(
        played.calls[0].ends_with(r#","Select":"COUNT"}"#),
        "{}",
        played.calls[0]
    );
    assert!(played.calls[1].ends_with(r#","Select":"COUNT","ExclusiveStartKey":{"id":{"S":"x"}}}"#));
}

#[test]
fn count_reads_whole_items_where_a_filter_must_see_them() {
    let count = |condition| {
        let candidates = candidates();
        let Planned { candidate, split } = plan(&candidates, by_id(), condition, None).unwrap();
        let query = Query {
            table: "users",
            candidate,
            split: &split,
            reverse: false,
            selection: &[],
            consistent: false,
            bounds: Bounds::default(),
        };
        let answer = reply(r#"{"Items":[{"id":{"S":"aa"}},{"id":{"S":"b"}}],"Count":2}"#);
        play(&query.pages().unwrap().count(None), [answer])
    };

    for condition in [in_acme(), between_a_and_c()] {
        let played = count(Condition::all([condition, eq("age", i(3))]));
        assert_eq!(played.output.unwrap(), 2);
        let call = &played.calls[0];
        assert!(call.ends_with(r#","Select":"ALL_ATTRIBUTES"}"#), "{call}");
    }
    let unfiltered = count(in_acme());
    assert!(unfiltered.calls[0].ends_with(r#","Select":"COUNT"}"#));
}

#[test]
fn count_stops_at_the_limit() {
    let reply_with = |count: u32| {
        reply(format!(
            r#"{{"Count":{count},"LastEvaluatedKey":{{"id":{{"S":"x{count}"}}}}}}"#
        ))
    };

    let played = play(&query(in_acme(), limit(5)).count(None), [reply_with(3), reply_with(2)]);
    assert_eq!(played.output.unwrap(), 5);
    assert!(played.calls[1].contains(r#""Limit":2"#));

    let filtered = Condition::all([in_acme(), eq("age", i(3))]);
    assert_eq!(
        play(&query(filtered, limit(5)).count(None), [reply_with(3), reply_with(9)])
            .output
            .unwrap(),
        5
    );
}

#[test]
fn count_reads_the_sort_attribute_where_items_are_dropped() {
    let played = play(
        &query(between_a_and_c(), Bounds::default()).count(None),
        [
            reply(
                r#"{"Count":3,"Items":[{"id":{"S":"a"}},{"id":{"S":"aa"}},{"id":{"S":"b"}}],"LastEvaluatedKey":{"id":{"S":"b"}}}"#,
            ),
            reply(r#"{"Count":1,"Items":[{"id":{"S":"c"}}]}"#),
        ],
    );

    assert_eq!(played.output.unwrap(), 2);
    assert!(
        played.calls[0].ends_with(r##","ProjectionExpression":"#n1"}"##),
        "{}",
        played.calls[0]
    );
}
