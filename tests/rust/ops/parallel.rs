//! Parallel scans on scripted replies: what is asked, where each segment stands, and the cursors of all of them.

use std::sync::Arc;

use bytes::Bytes;
use oxidyn::error::Error;
use oxidyn::ops::Operation;
use oxidyn::ops::cursor::Cursors;
use oxidyn::ops::pages::{Bounds, Page, Pages};
use oxidyn::ops::parallel::{CountSegments, FetchSegment, Position, Progress, Walk};
use oxidyn::ops::scan::Scan;
use oxidyn::transport::Call;
use oxidyn::wire::Tag;

use super::drive::{eq, fault, i, play, reply, request, run};

fn pages() -> Pages {
    let filter = eq("age", i(3));
    Scan {
        table: "users",
        index: None,
        filter: Some(&filter),
        selection: &[],
        consistent: false,
        bounds: Bounds {
            limit: None,
            page_size: Some(7),
        },
    }
    .pages()
    .unwrap()
}

fn walk(segments: usize) -> Walk {
    Walk::new(pages(), vec![Position::Start; segments], true)
}

fn after(id: &str) -> Position {
    Position::After(format!(r#"{{"id":{{"S":"{id}"}}}}"#).into())
}

/// A reply whose members stand in the order in which DynamoDB sends them.
fn page_of(ids: &[&str], scanned: u64, last_key: Option<&str>) -> String {
    let items: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"id":{{"S":"{id}"}},"age":{{"N":"3"}}}}"#))
        .collect();
    let last_key = last_key.map_or(String::new(), |id| {
        format!(r#","LastEvaluatedKey":{{"id":{{"S":"{id}"}}}}"#)
    });
    format!(
        r#"{{"Count":{},"Items":[{}]{last_key},"ScannedCount":{scanned}}}"#,
        ids.len(),
        items.join(",")
    )
}

fn fetched(fetch: &FetchSegment, body: String) -> Page {
    play(fetch, [reply(body)]).output.unwrap()
}

/// The ids of the next items of the page at hand.
fn taken(walk: &mut Walk, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let Some(found) = walk.next_item().unwrap() else { break };
        let item = &found.body[found.start..];
        let end = item.windows(2).position(|pair| pair == b"}}").unwrap() + 2;
        ids.push(String::from_utf8(item[12..item.len().min(end)].to_vec()).unwrap()[..1].to_owned());
        walk.item_ended(&found, found.start + end);
    }
    ids
}

#[test]
fn every_segment_is_asked_once_until_its_page_is_taken_up() {
    let mut walk = walk(2);

    let requests = walk.requests();
    assert_eq!(
        request(&requests[1].1),
        r##"Scan {"TableName":"users","FilterExpression":"#n0 = :v0","ExpressionAttributeNames":{"#n0":"age"},"ExpressionAttributeValues":{":v0":{"N":"3"}},"Segment":1,"TotalSegments":2,"Limit":7}"##
    );
    assert_eq!(requests.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1]);
    assert!(walk.requests().is_empty() && walk.is_under_way());

    walk.take_up(1, fetched(&requests[1].1, page_of(&["a"], 4, Some("k"))));
    let next = walk.requests();
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].0, 1);
    assert!(request(&next[0].1).contains(r#""ExclusiveStartKey":{"id":{"S":"k"}}"#));
}

#[test]
fn a_segment_behind_its_last_page_is_not_asked_again() {
    let mut walk = walk(1);
    let requests = walk.requests();

    walk.take_up(0, fetched(&requests[0].1, page_of(&["a"], 1, None)));

    assert!(walk.requests().is_empty() && !walk.is_under_way());
    assert_eq!(taken(&mut walk, 9), ["a"]);
    assert!(!walk.has_page());
}

#[test]
fn a_failed_segment_is_asked_again_from_where_it_stood() {
    let mut walk = walk(2);
    let requests = walk.requests();

    walk.failed(0);

    let again = walk.requests();
    assert_eq!(again.len(), 1);
    assert_eq!(request(&again[0].1), request(&requests[0].1));
}

#[test]
fn the_position_in_the_middle_of_a_page_is_the_last_item_given_out() {
    let mut walk = walk(2);
    let requests = walk.requests();
    let item = |id: &str| Position::After(format!(r#"{{"id":{{"S":"{id}"}},"age":{{"N":"3"}}}}"#).into());

    walk.take_up(0, fetched(&requests[0].1, page_of(&["a", "b", "c"], 7, Some("k"))));
    assert_eq!(walk.positions().unwrap(), [Position::Start, Position::Start]);
    assert_eq!(taken(&mut walk, 2), ["a", "b"]);
    assert_eq!(walk.positions().unwrap(), [item("b"), Position::Start]);
    // Behind the last one nothing is looked at again, although the page's end was not met yet.
    assert_eq!(taken(&mut walk, 1), ["c"]);
    assert_eq!(walk.positions().unwrap(), [after("k"), Position::Start]);
    assert_eq!(taken(&mut walk, 1), [""; 0]);
    assert_eq!(walk.positions().unwrap(), [after("k"), Position::Start]);
}

#[test]
fn an_item_whose_end_nobody_told_is_passed_over() {
    let mut walk = walk(1);
    let requests = walk.requests();
    walk.take_up(0, fetched(&requests[0].1, page_of(&["a", "b"], 2, None)));

    let _refused = walk.next_item().unwrap().unwrap();

    assert_eq!(taken(&mut walk, 2), ["b"]);
}

#[test]
fn the_end_of_an_item_that_another_thread_passed_already_is_not_heeded() {
    let mut walk = walk(1);
    let requests = walk.requests();
    walk.take_up(0, fetched(&requests[0].1, page_of(&["a", "b", "c"], 3, None)));

    let first = walk.next_item().unwrap().unwrap();
    let second = walk.next_item().unwrap().unwrap();
    walk.item_ended(&first, first.start + 33);

    assert!(second.start > first.start);
    assert_eq!(taken(&mut walk, 2), ["c"]);
}

#[test]
fn progress_counts_what_was_given_out_and_what_the_service_looked_at() {
    let mut walk = walk(2);
    let requests = walk.requests();
    walk.take_up(1, fetched(&requests[1].1, page_of(&["a", "b"], 9, None)));
    taken(&mut walk, 2);

    assert_eq!(
        walk.progress().unwrap(),
        [
            Progress::default(),
            Progress {
                items: 2,
                scanned: 9,
                is_finished: true
            }
        ]
    );
}

#[test]
fn a_page_without_items_moves_its_segment_on() {
    let mut walk = walk(1);
    let requests = walk.requests();

    walk.take_up(0, fetched(&requests[0].1, page_of(&[], 7, Some("k"))));

    assert!(walk.has_page());
    assert_eq!(taken(&mut walk, 1), [""; 0]);
    assert_eq!(walk.positions().unwrap(), [after("k")]);
}

#[test]
fn after_a_fork_what_was_not_taken_is_asked_anew() {
    let mut walk = walk(3);
    walk.requests();

    walk.forget_requests();

    assert_eq!(walk.requests().len(), 3);
}

#[test]
fn segments_are_counted_side_by_side_and_each_page_by_page() {
    let count = CountSegments::new(&pages(), &[Position::Start, Position::End, after("k")]);
    let mut calls = Vec::new();

    let (total, _) = run(&count, |Call { body, .. }| {
        let body = String::from_utf8(body.to_vec()).unwrap();
        let is_first_page = body.contains(r#""Segment":0"#) && !body.contains("ExclusiveStartKey");
        calls.push(body);
        reply(if is_first_page {
            r#"{"Count":5,"ScannedCount":9,"LastEvaluatedKey":{"id":{"S":"m"}}}"#
        } else {
            r#"{"Count":2,"ScannedCount":2}"#
        })
    });

    assert_eq!(total.unwrap(), 9);
    assert_eq!(calls.len(), 3);
    assert!(calls[0].contains(r#""Segment":0,"TotalSegments":3"#) && calls[0].contains(r#""Select":"COUNT""#));
    assert!(calls[1].contains(r#""Segment":2,"TotalSegments":3"#) && calls[1].contains(r#"{"S":"k"}"#));
    assert!(calls[2].contains(r#""Segment":0,"TotalSegments":3"#) && calls[2].contains(r#"{"S":"m"}"#));
}

#[test]
fn nothing_is_asked_to_count_segments_that_are_finished() {
    let count = CountSegments::new(&pages(), &[Position::End, Position::End]);

    assert_eq!(play(&count, []).output.unwrap(), 0);
}

fn start_key() -> Vec<(Arc<str>, Tag)> {
    vec![("id".into(), Tag::S)]
}

#[test]
fn a_cursor_brings_every_position_back_of_items_their_keys_alone() {
    let (pages, start_key) = (pages(), start_key());
    let cursors = Cursors {
        pages: &pages,
        start_key: &start_key,
        key: None,
    };
    let item = Position::After(Bytes::from_static(br#"{"age":{"N":"3"},"id":{"S":"\u00e9"}}"#));

    let token = cursors
        .write_positions(&[Position::Start, Position::End, after("k"), item])
        .unwrap();

    let read = cursors.read_positions(&token, 4).unwrap();
    assert_eq!(read, [Position::Start, Position::End, after("k"), after("é")]);
}

fn refusal<T: std::fmt::Debug>(outcome: oxidyn::error::Result<T>) -> String {
    match outcome.unwrap_err() {
        Error::Cursor(message) => message,
        other => panic!("another error: {other:?}"),
    }
}

#[test]
fn a_cursor_of_another_number_of_segments_says_how_many_it_is_of() {
    let (pages, start_key) = (pages(), start_key());
    let cursors = Cursors {
        pages: &pages,
        start_key: &start_key,
        key: None,
    };
    let token = cursors.write_positions(&[Position::Start, Position::Start]).unwrap();

    assert!(refusal(cursors.read_positions(&token, 3)).contains("in 2 segments, and this one has 3: set segments=2"));
}

#[test]
fn a_key_that_the_service_refuses_was_made_up_unless_it_is_proven() {
    let positions = || vec![after("k")];
    let refused = || [fault("ValidationException", "{}")];

    let unproven = Walk::new(pages(), positions(), true).requests().remove(0).1;
    assert!(refusal(play(&unproven, refused()).output).contains("DynamoDB refused the key"));
    let proven = Walk::new(pages(), positions(), false).requests().remove(0).1;
    assert!(matches!(play(&proven, refused()).output, Err(Error::Service(_))));
}

#[test]
fn a_reply_is_read_to_its_end_before_it_counts_as_a_page() {
    let mut fetch = walk(1).requests().remove(0).1;
    let body = page_of(&["a", "b"], 2, None);

    let cut_off = body[..body.len() - 1].to_owned();

    fetch.start();
    assert!(fetch.step(reply(cut_off).unwrap()).is_err());
}
