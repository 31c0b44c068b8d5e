//! Batches over several tables, on scripted replies.

use bytes::Bytes;
use oxidyn::error::Error;
use oxidyn::ops::batch_get::{BatchGet, Source};
use oxidyn::ops::batch_write::{BatchWrite, Write};
use oxidyn::ops::{KeyedTable, Operation, Step};

use super::drive::{fault, names, play, reply};

fn id(number: usize) -> Bytes {
    format!(r#"{{"id":{{"N":"{number}"}}}}"#).into()
}

fn no(number: usize) -> Bytes {
    format!(r#"{{"no":{{"S":"{number}"}}}}"#).into()
}

fn tables() -> Vec<KeyedTable> {
    vec![
        KeyedTable::new("users", &names(["id"])),
        KeyedTable::new("orders", &names(["no"])),
    ]
}

fn sources() -> Vec<Source> {
    let source = |table| Source {
        table,
        consistent: false,
        projection: Bytes::new(),
    };
    tables().into_iter().map(source).collect()
}

#[test]
fn keys_of_two_tables_are_asked_in_one_request_and_come_in_the_order_given() {
    let keys = [(0, id(1)), (1, no(1)), (0, id(2)), (1, no(1))];

    let played = play(
        &BatchGet::of_tables(sources(), keys).unwrap(),
        [reply(
            r#"{"Responses":{"orders":[{"no":{"S":"1"}}],"users":[{"id":{"N":"2"}}]},"UnprocessedKeys":{}}"#,
        )],
    );

    assert_eq!(
        played.calls,
        [concat!(
            r#"BatchGetItem {"RequestItems":{"users":{"Keys":[{"id":{"N":"1"}},{"id":{"N":"2"}}]},"#,
            r#""orders":{"Keys":[{"no":{"S":"1"}}]}}}"#
        )]
    );
    assert_eq!(played.output.unwrap(), [None, Some(no(1)), Some(id(2)), Some(no(1))]);
}

#[test]
fn one_table_read_in_two_ways_is_asked_in_two_requests() {
    let consistent = Source {
        consistent: true,
        ..sources().remove(0)
    };
    let sources = [sources(), vec![consistent]].concat();
    let keys = [(0, id(1)), (2, id(1)), (1, no(1))];

    let played = play(
        &BatchGet::of_tables(sources, keys).unwrap(),
        [
            reply(r#"{"Responses":{"users":[{"id":{"N":"1"},"x":{"S":"old"}}]}}"#),
            reply(r#"{"Responses":{"users":[{"id":{"N":"1"},"x":{"S":"new"}}]}}"#),
        ],
    );

    assert_eq!(
        played.calls[1],
        r#"BatchGetItem {"RequestItems":{"users":{"ConsistentRead":true,"Keys":[{"id":{"N":"1"}}]}}}"#
    );
    let items = played.output.unwrap();
    assert!(items[0].as_ref().unwrap().ends_with(br#""old"}}"#));
    assert!(items[1].as_ref().unwrap().ends_with(br#""new"}}"#));
    assert_eq!(items[2], None);
}

#[test]
fn what_is_left_unprocessed_is_found_by_its_table() {
    let keys = [(0, id(1)), (1, no(1))];

    let played = play(
        &BatchGet::of_tables(sources(), keys).unwrap(),
        [
            reply(
                r#"{"Responses":{"users":[{"id":{"N":"1"}}]},"UnprocessedKeys":{"orders":{"Keys":[{"no":{"S":"1"}}]}}}"#,
            ),
            reply(r#"{"Responses":{"orders":[{"no":{"S":"1"}}]}}"#),
        ],
    );

    assert_eq!(
        played.calls[1],
        r#"BatchGetItem {"RequestItems":{"orders":{"Keys":[{"no":{"S":"1"}}]}}}"#
    );
    assert!(played.output.unwrap().iter().all(Option::is_some));
}

#[test]
fn writes_to_two_tables_go_in_one_request_and_one_key_in_both_is_two() {
    let tables = vec![tables().remove(0), KeyedTable::new("others", &names(["id"]))];
    let writes = [
        (0, Write::Put(id(1))),
        (1, Write::Put(id(1))),
        (0, Write::Delete(id(1))),
    ];

    let played = play(&BatchWrite::of_tables(tables, writes).unwrap(), [reply("{}")]);

    assert_eq!(
        played.calls,
        [concat!(
            r#"BatchWriteItem {"RequestItems":{"users":[{"DeleteRequest":{"Key":{"id":{"N":"1"}}}}],"#,
            r#""others":[{"PutRequest":{"Item":{"id":{"N":"1"}}}}]}}"#
        )]
    );
}

#[test]
fn what_is_not_written_is_told_by_its_place_whatever_the_table() {
    let writes = (0..40).map(|number| {
        if number % 2 == 0 {
            (0, Write::Put(id(number)))
        } else {
            (1, Write::Delete(no(number)))
        }
    });

    let played = play(
        &BatchWrite::of_tables(tables(), writes).unwrap(),
        [reply("{}"), fault("Other", "{}")],
    );

    let Err(Error::Incomplete(left)) = played.output else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!(left.entries, (25..40).collect::<Vec<_>>());
}

#[test]
fn a_table_that_was_not_asked_for_is_no_answer() {
    let keys = [(0, id(1))];

    let played = play(
        &BatchGet::of_tables(sources(), keys).unwrap(),
        [reply(r#"{"Responses":{"strangers":[{"id":{"N":"1"}}]}}"#)],
    );

    assert!(matches!(played.output, Err(Error::Transport(_))));
}

#[test]
fn a_projection_is_asked_of_its_table() {
    let mut sources = sources();
    sources[0].projection =
        Bytes::from_static(br##","ProjectionExpression":"#a","ExpressionAttributeNames":{"#a":"id"}"##);
    let mut batch = BatchGet::of_tables(sources, [(0, id(1))]).unwrap();

    let Step::Calls(calls) = batch.start() else {
        panic!("expected Step::Calls")
    };

    assert_eq!(
        calls[0].call.body,
        concat!(
            r##"{"RequestItems":{"users":{"Keys":[{"id":{"N":"1"}}],"ProjectionExpression":"#a","##,
            r##""ExpressionAttributeNames":{"#a":"id"}}}}"##
        )
    );
}
