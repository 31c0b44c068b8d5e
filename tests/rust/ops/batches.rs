//! Batches of any size on scripted replies: chunks, duplicates, what is left unprocessed.

use std::time::Duration;

use bytes::Bytes;
use oxidyn::error::{Error, Result};
use oxidyn::ops::backoff::Backoff;
use oxidyn::ops::batch_get::BatchGet;
use oxidyn::ops::batch_write::{BatchWrite, Write};
use oxidyn::ops::{AT_ONCE, Operation, Step};
use oxidyn::transport::{Call, Reply};

use super::drive::{fault, names, play, reply, run};

const THROTTLED: &str = "ProvisionedThroughputExceededException";

fn key(number: usize) -> Bytes {
    format!(r#"{{"id":{{"N":"{number}"}}}}"#).into()
}

fn get(keys: Vec<Bytes>) -> BatchGet {
    BatchGet::new("users", &names(["id"]), keys, false)
        .unwrap()
        .with_backoff(Backoff::seeded(7))
}

fn write(writes: Vec<Write>) -> BatchWrite {
    BatchWrite::new("users", &names(["id"]), writes)
        .unwrap()
        .with_backoff(Backoff::seeded(7))
}

fn deletes(count: usize) -> Vec<Write> {
    (0..count).map(|number| Write::Delete(key(number))).collect()
}

fn found(items: Vec<Option<Bytes>>) -> Vec<Option<String>> {
    items
        .into_iter()
        .map(|item| item.map(|item| String::from_utf8(item.to_vec()).unwrap()))
        .collect()
}

/// The keys of a BatchGetItem, in order.
fn asked(call: &Call) -> Vec<usize> {
    let body = std::str::from_utf8(&call.body).unwrap();
    body.split(r#"{"N":""#)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect()
}

/// A service that has every item and answers in reverse order, but leaves all beyond the first `most` unprocessed.
fn service(most: usize) -> impl FnMut(Call) -> Result<Reply> {
    move |call| {
        let keys = asked(&call);
        let (now, later) = keys.split_at(keys.len().min(most));
        let items: Vec<_> = now
            .iter()
            .rev()
            .map(|n| format!(r#"{{"x":{{"S":"{n}"}},"id":{{"N":"{n}.0"}}}}"#))
            .collect();
        let keys: Vec<_> = later
            .iter()
            .map(|n| String::from_utf8(key(*n).to_vec()).unwrap())
            .collect();
        let unprocessed = if keys.is_empty() {
            String::new()
        } else {
            format!(r#""users":{{"Keys":[{}]}}"#, keys.join(","))
        };
        reply(format!(
            r#"{{"Responses":{{"users":[{}]}},"UnprocessedKeys":{{{unprocessed}}}}}"#,
            items.join(",")
        ))
    }
}

#[test]
fn an_empty_batch_asks_nothing() {
    assert_eq!(play(&get(vec![]), []).output.unwrap(), Vec::<Option<Bytes>>::new());
    play(&write(vec![]), []).output.unwrap();
}

#[test]
fn the_items_come_in_the_order_of_the_keys() {
    let played = play(
        &BatchGet::new("users", &names(["id"]), vec![key(1), key(2), key(3)], true).unwrap(),
        [reply(
            r#"{"UnprocessedKeys":{},"Responses":{"users":[{"id":{"N":"3.0"}},{"a":{"S":"x"},"id":{"N":"1"}}]}}"#,
        )],
    );

    assert_eq!(
        played.calls,
        [
            r#"BatchGetItem {"RequestItems":{"users":{"ConsistentRead":true,"Keys":[{"id":{"N":"1"}},{"id":{"N":"2"}},{"id":{"N":"3"}}]}}}"#
        ]
    );
    assert_eq!(
        found(played.output.unwrap()),
        [
            Some(r#"{"a":{"S":"x"},"id":{"N":"1"}}"#.to_owned()),
            None,
            Some(r#"{"id":{"N":"3.0"}}"#.to_owned())
        ]
    );
}

#[test]
fn a_key_given_twice_is_asked_once_and_answered_twice() {
    let keys = vec![key(1), key(2), Bytes::from_static(br#"{"id":{"N":"1.0"}}"#)];

    let played = play(&get(keys), [reply(r#"{"Responses":{"users":[{"id":{"N":"1"}}]}}"#)]);

    assert_eq!(played.calls[0].matches(r#"{"id""#).count(), 2);
    let items = found(played.output.unwrap());
    assert_eq!(items[0], items[2]);
    assert!(items[0].is_some() && items[1].is_none());
}

#[test]
fn keys_of_two_attributes_are_matched_as_a_whole() {
    let keys = ["ab|c", "a|bc", "a|b"].map(|pair| {
        let (org, id) = pair.split_once('|').unwrap();
        Bytes::from(format!(r#"{{"org":{{"S":"{org}"}},"id":{{"S":"{id}"}}}}"#))
    });
    let items = r#"{"Responses":{"users":[{"id":{"S":"bc"},"org":{"S":"a"}},{"id":{"S":"\u0063"},"org":{"S":"ab"}}]}}"#;

    let batch = BatchGet::new("users", &names(["org", "id"]), keys.to_vec(), false).unwrap();
    let items = found(play(&batch, [reply(items)]).output.unwrap());

    assert!(items[0].as_ref().unwrap().contains("u0063"));
    assert!(items[1].as_ref().unwrap().contains("bc"));
    assert_eq!(items[2], None);
}

#[test]
fn any_number_of_keys_is_asked_by_the_hundred() {
    let mut chunks = Vec::new();
    let mut answer = service(100);

    let (items, waits) = run(&get((0..250).map(key).collect()), |call| {
        chunks.push(asked(&call).len());
        answer(call)
    });

    assert_eq!(chunks, [100, 100, 50]);
    assert_eq!(waits, [Duration::ZERO; 0]);
    let items = found(items.unwrap());
    for (number, item) in items.iter().enumerate() {
        assert!(
            item.as_ref()
                .unwrap()
                .starts_with(&format!(r#"{{"x":{{"S":"{number}"}}"#))
        );
    }
}

#[test]
fn what_is_left_unprocessed_is_asked_again_after_a_growing_wait() {
    let (items, waits) = run(&get((0..100).map(key).collect()), service(30));

    assert!(items.unwrap().iter().all(Option::is_some));
    assert_eq!(waits.len(), 3);
    for (wait, longest) in waits.iter().zip([50, 100, 200]) {
        assert!(*wait <= Duration::from_millis(longest), "{waits:?}");
    }
    let again = run(&get((0..100).map(key).collect()), service(30)).1;
    assert_eq!(waits, again, "the same seed waits the same");
}

#[test]
fn keys_that_stay_unprocessed_are_named_in_the_error() {
    let (items, waits) = run(&get((0..3).map(key).collect()), service(0));

    let Err(Error::Incomplete(left)) = items else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!((left.entries, left.given), (vec![0, 1, 2], 3));
    assert_eq!((left.attempts, waits.len()), (10, 9));
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(5)));
}

#[test]
fn a_throttled_batch_is_unprocessed_as_a_whole() {
    let played = play(
        &get(vec![key(1)]),
        [
            fault(THROTTLED, "{}"),
            reply(r#"{"Responses":{"users":[{"id":{"N":"1"}}]}}"#),
        ],
    );

    assert!(played.output.unwrap()[0].is_some());
    assert_eq!((played.calls[0] == played.calls[1], played.waits.len()), (true, 1));
    assert!(matches!(
        play(&get(vec![key(1)]), [fault("Other", "{}")]).output,
        Err(Error::Service(_))
    ));
}

#[test]
fn an_item_that_was_not_asked_for_is_no_answer() {
    let played = play(
        &get(vec![key(1)]),
        [reply(r#"{"Responses":{"users":[{"id":{"N":"2"}}]}}"#)],
    );

    assert!(matches!(played.output, Err(Error::Transport(_))));
}

#[test]
fn a_key_that_lacks_a_part_is_refused() {
    let refused = BatchGet::new("users", &names(["org", "id"]), vec![key(1)], false);

    assert!(matches!(refused, Err(Error::Expression(message)) if message.contains("needs org and id")));
}

#[test]
fn puts_and_deletes_are_written_by_25() {
    let writes = (0..60).map(|number| {
        if number % 2 == 0 {
            Write::Put(key(number))
        } else {
            Write::Delete(key(number))
        }
    });

    let played = play(
        &write(writes.collect()),
        (0..3).map(|_| reply(r#"{"UnprocessedItems":{}}"#)),
    );

    let sizes: Vec<_> = played
        .calls
        .iter()
        .map(|call| call.matches(r#"{"id""#).count())
        .collect();
    assert_eq!(sizes, [25, 25, 10]);
    assert!(played.calls[0].starts_with(concat!(
        r#"BatchWriteItem {"RequestItems":{"users":[{"PutRequest":{"Item":{"id":{"N":"0"}}}},"#,
        r#"{"DeleteRequest":{"Key":{"id":{"N":"1"}}}},"#
    )));
    assert!(played.calls[0].ends_with("]}}"));
}

#[test]
fn the_last_write_to_a_key_is_the_one_that_is_sent() {
    let put = |name: &str| Write::Put(format!(r#"{{"id":{{"N":"1.0"}},"name":{{"S":"{name}"}}}}"#).into());

    let played = play(
        &write(vec![put("a"), Write::Delete(key(1)), Write::Put(key(2)), put("b")]),
        [reply("{}")],
    );

    assert_eq!(
        played.calls,
        [concat!(
            r#"BatchWriteItem {"RequestItems":{"users":[{"PutRequest":{"Item":{"id":{"N":"1.0"},"name":{"S":"b"}}}},"#,
            r#"{"PutRequest":{"Item":{"id":{"N":"2"}}}}]}}"#
        )]
    );
}

#[test]
fn unprocessed_writes_are_sent_again() {
    let unprocessed = r#"{"UnprocessedItems":{"users":[{"DeleteRequest":{"Key":{"id":{"N":"1"}}}}]}}"#;

    let played = play(
        &write(vec![Write::Put(key(0)), Write::Delete(key(1))]),
        [reply(unprocessed), reply("{}")],
    );

    played.output.unwrap();
    assert_eq!(
        played.calls[1],
        r#"BatchWriteItem {"RequestItems":{"users":[{"DeleteRequest":{"Key":{"id":{"N":"1"}}}}]}}"#
    );
    assert_eq!(played.waits.len(), 1);
}

#[test]
fn writes_that_stay_unprocessed_are_all_listed_also_those_never_sent() {
    let batch = write((0..30).map(|number| Write::Delete(key(number))).collect());

    let (output, _) = run(&batch, |_| fault(THROTTLED, "{}"));

    let Err(Error::Incomplete(left)) = output else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!((left.entries, left.given, left.attempts), ((0..30).collect(), 30, 10));
    assert!(left.causes.is_empty());
}

#[test]
fn after_an_error_what_is_under_way_is_awaited_and_nothing_further_is_sent() {
    let batch = write(deletes(100)).at_once(2);

    let played = play(&batch, [reply("{}"), fault("Other", "{}"), reply("{}")]);

    let Err(Error::Incomplete(left)) = played.output else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!(
        left.entries,
        [(25..50).collect::<Vec<_>>(), (75..100).collect()].concat()
    );
    assert_eq!(left.given, 100);
    assert!(matches!(left.causes.as_slice(), [Error::Service(_)]));
}

#[test]
fn what_another_request_leaves_after_an_error_is_left_and_not_sent_again() {
    let unprocessed = r#"{"UnprocessedItems":{"users":[{"DeleteRequest":{"Key":{"id":{"N":"30"}}}}]}}"#;

    let played = play(&write(deletes(50)), [fault("Other", "{}"), reply(unprocessed)]);

    let Err(Error::Incomplete(left)) = played.output else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!(left.entries, [(0..25).collect::<Vec<_>>(), vec![30]].concat());
}

#[test]
fn two_errors_are_both_told() {
    let played = play(
        &write(deletes(75)),
        [fault("One", "{}"), reply("{}"), fault("Other", "{}")],
    );

    let Err(Error::Incomplete(left)) = played.output else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!(left.causes.len(), 2);
    assert_eq!(left.entries.len(), 50);
}

#[test]
fn where_nothing_was_written_the_first_error_is_raised_as_it_is() {
    let one = play(&write(deletes(10)), [fault("Other", "{}")]);
    let all = play(&write(deletes(50)), [fault("One", "{}"), fault("Other", "{}")]);

    assert!(matches!(one.output, Err(Error::Service(_))));
    assert!(matches!(all.output, Err(Error::Service(error)) if error.code == "One"));
}

#[test]
fn as_many_requests_are_under_way_at_once_as_may_be() {
    for (at_once, expected) in [(1, 1), (3, 3), (8, 4)] {
        let Step::Calls(calls) = write(deletes(100)).at_once(at_once).start() else {
            panic!("expected Step::Calls")
        };
        assert_eq!(calls.len(), expected);
        let Step::Calls(calls) = get((0..400).map(key).collect()).at_once(at_once).start() else {
            panic!("expected Step::Calls")
        };
        assert_eq!(calls.len(), expected);
    }
    let Step::Calls(calls) = get((0..2000).map(key).collect()).start() else {
        panic!("expected Step::Calls")
    };
    assert_eq!(calls.len(), AT_ONCE);
}

#[test]
fn answers_in_any_order_give_the_items_in_the_keys_order() {
    let batch = get((0..250).map(key).collect());
    let (mut answer, mut batch) = (service(100), batch);
    let Step::Calls(calls) = batch.start() else {
        panic!("expected Step::Calls")
    };
    let mut output = None;
    for each in calls.into_iter().rev() {
        if let Step::Done(items) = batch.answer(each.number, answer(each.call)).unwrap() {
            output = Some(items);
        }
    }

    for (number, item) in found(output.unwrap()).iter().enumerate() {
        let start = format!(r#"{{"x":{{"S":"{number}"}}"#);
        assert!(item.as_ref().unwrap().starts_with(&start));
    }
}

#[test]
fn a_batch_goes_on_as_long_as_each_attempt_does_something() {
    let (items, waits) = run(&get((0..100).map(key).collect()), service(3));

    assert!(items.unwrap().iter().all(Option::is_some));
    assert_eq!(waits.len(), 33);
}

#[test]
fn keys_that_stay_unread_are_those_of_unfinished_requests_only() {
    let mut answer = service(100);
    let batch = get((0..250).map(key).collect()).at_once(1);

    let (items, _) = run(&batch, |call| {
        if asked(&call).contains(&100) {
            fault(THROTTLED, "{}")
        } else {
            answer(call)
        }
    });

    let Err(Error::Incomplete(left)) = items else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!(left.entries, (100..250).collect::<Vec<_>>());
}

#[test]
fn of_two_writes_to_one_key_the_one_that_was_sent_is_listed() {
    let batch = write(vec![Write::Delete(key(1)), Write::Delete(key(2)), Write::Put(key(1))]);
    let unprocessed = r#"{"UnprocessedItems":{"users":[{"PutRequest":{"Item":{"id":{"N":"1"}}}}]}}"#;

    let (output, _) = run(&batch, |_| reply(unprocessed));

    let Err(Error::Incomplete(left)) = output else {
        panic!("expected Error::Incomplete")
    };
    assert_eq!((left.entries, left.given), (vec![2], 3));
}
