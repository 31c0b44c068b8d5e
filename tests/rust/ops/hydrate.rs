//! Whole items through an index that holds only a part of each, on scripted replies.

use std::sync::Arc;

use bytes::Bytes;
use oxidyn::error::Error;
use oxidyn::ops::hydrate::{Hydrated, Hydration};
use oxidyn::ops::pages::{Bounds, Cursor, FetchPage, Page};
use oxidyn::ops::scan::Scan;
use oxidyn::wire::reader::Reader;

use super::drive::{Played, eq, fault, i, names, play, reply};

fn page(limit: Option<u64>, is_filtered: bool, cursor: Option<Cursor>) -> Hydrated<FetchPage> {
    let filter = eq("age", i(3));
    let scan = Scan {
        table: "users",
        index: Some("by_nick"),
        filter: is_filtered.then_some(&filter),
        selection: &[],
        consistent: false,
        bounds: Bounds { limit, page_size: None },
    };
    let hydration = Hydration {
        table: "users".into(),
        key: names(["org", "id"]),
        index_key: names(["nick"]),
        consistent: false,
    };
    let pages = scan.pages().unwrap().hydrating();
    Hydrated::new(pages.page(cursor), Arc::new(hydration))
}

fn entry(id: u32, nick: &str) -> String {
    format!(r#"{{"nick":{{"S":"{nick}"}},"id":{{"N":"{id}"}},"org":{{"S":"a"}}}}"#)
}

fn whole(id: u32, nick: &str) -> String {
    format!(r#"{{"age":{{"N":"3"}},"id":{{"N":"{id}"}},"org":{{"S":"a"}},"nick":{{"S":"{nick}"}}}}"#)
}

fn index(entries: &[String], rest: &str) -> Bytes {
    format!(
        r#"{{"Count":{},"Items":[{}],"ScannedCount":9{rest}}}"#,
        entries.len(),
        entries.join(",")
    )
    .into()
}

fn items(found: &[String], unprocessed: &str) -> Bytes {
    format!(
        r#"{{"Responses":{{"users":[{}]}},"UnprocessedKeys":{{{unprocessed}}}}}"#,
        found.join(",")
    )
    .into()
}

fn found(played: Played<Page>) -> (Vec<String>, Option<Cursor>) {
    let mut page = played.output.unwrap();
    let mut found = Vec::new();
    while let Some(position) = page.next_item().unwrap() {
        let body = page.body().clone();
        let mut reader = Reader::new(&body);
        reader.seek(position);
        let item = reader.raw_value().unwrap();
        found.push(String::from_utf8(body[item].to_vec()).unwrap());
        page.item_ended(reader.position());
    }
    let next = page.next_cursor().unwrap();
    (found, next)
}

#[test]
fn items_are_read_by_their_keys_and_come_in_the_order_of_the_index() {
    let played = play(
        &page(None, false, None),
        [
            reply(index(
                &[entry(2, "x"), entry(1, "x")],
                r#","LastEvaluatedKey":{"id":{"N":"1"}}"#,
            )),
            reply(items(&[whole(1, "x"), whole(2, "x")], "")),
        ],
    );

    assert_eq!(
        played.calls,
        [
            r#"Scan {"TableName":"users","IndexName":"by_nick","Limit":100}"#,
            concat!(
                r#"BatchGetItem {"RequestItems":{"users":{"Keys":[{"id":{"N":"2"},"org":{"S":"a"}},"#,
                r#"{"id":{"N":"1"},"org":{"S":"a"}}]}}}"#
            ),
        ]
    );
    let (found, next) = found(played);
    assert_eq!(found, [whole(2, "x"), whole(1, "x")]);
    assert_eq!(next.unwrap().start_key, r#"{"id":{"N":"1"}}"#);
}

#[test]
fn items_that_were_deleted_or_moved_in_the_meantime_are_left_out_and_still_wanted() {
    let played = play(
        &page(Some(3), false, None),
        [
            reply(index(
                &[entry(1, "x"), entry(2, "x"), entry(3, "x")],
                r#","LastEvaluatedKey":{"id":{"N":"3"}}"#,
            )),
            reply(items(&[whole(1, "y"), whole(3, "x")], "")),
        ],
    );

    assert!(played.calls[0].ends_with(r#""Limit":3}"#), "{}", played.calls[0]);
    let (found, next) = found(played);
    assert_eq!(found, [whole(3, "x")]);
    assert_eq!(next.unwrap().wanted, Some(2));
}

#[test]
fn a_page_without_items_reads_none() {
    let played = play(&page(None, false, None), [reply(index(&[], ""))]);

    assert_eq!(found(played), (vec![], None));
}

#[test]
fn a_page_is_as_large_as_one_batch_or_ten_where_a_filter_lets_some_through() {
    let request = |is_filtered| {
        play(&page(None, is_filtered, None), [reply(index(&[], ""))])
            .calls
            .remove(0)
    };

    assert!(request(false).contains(r#""Limit":100"#));
    assert!(request(true).contains(r#""Limit":1000"#));
}

#[test]
fn keys_that_are_left_unprocessed_are_asked_again() {
    let unprocessed = r#""users":{"Keys":[{"org":{"S":"a"},"id":{"N":"2"}}]}"#;
    let played = play(
        &page(None, false, None),
        [
            reply(index(&[entry(1, "x"), entry(2, "x")], "")),
            reply(items(&[whole(1, "x")], unprocessed)),
            fault("ThrottlingException", "{}"),
            reply(items(&[whole(2, "x")], "")),
        ],
    );

    assert_eq!(played.waits.len(), 2);
    let (found, next) = found(played);
    assert_eq!(found, [whole(1, "x"), whole(2, "x")]);
    assert_eq!(next, None);
}

#[test]
fn what_stays_unprocessed_is_throttling_and_no_batch_of_the_callers() {
    let unprocessed = r#""users":{"Keys":[{"org":{"S":"a"},"id":{"N":"1"}}]}"#;
    let again = std::iter::repeat_with(|| reply(items(&[], unprocessed)));
    let script = std::iter::once(reply(index(&[entry(1, "x")], ""))).chain(again);
    let mut script = script.take(100);
    let (output, _) = super::drive::run(&page(None, false, None), |_| script.next().unwrap());

    match output {
        Err(Error::Service(error)) => {
            assert_eq!(error.code, "ProvisionedThroughputExceededException");
            assert!(error.message.contains("1 of the page's 1 items"), "{}", error.message);
        }
        other => panic!("expected Error::Service, found {other:?}"),
    }
}

#[test]
fn a_refusal_of_the_index_is_told_as_it_is() {
    let played = play(&page(None, false, None), [fault("ResourceNotFoundException", "{}")]);

    assert!(matches!(played.output, Err(Error::Service(error)) if error.code == "ResourceNotFoundException"));
}
