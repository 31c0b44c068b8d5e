//! Telemetry without Python: what answers tell of capacity, histograms, partitions and their heat.

#![expect(clippy::float_cmp, reason = "units are halves and quarters, whose sums are exact")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oxidyn::ops::capacity::{Kind, told};
use oxidyn::telemetry::heat::Heat;
use oxidyn::telemetry::histogram::Histogram;
use oxidyn::telemetry::tally::Tally;
use oxidyn::telemetry::touch::{KeyAttributes, Partition, Touch, settle, touches};
use oxidyn::transport::effort::Effort;
use oxidyn::transport::{Call, Reply};

fn keys() -> KeyAttributes {
    let table = |name: &str, key: &str| (Arc::from(name), Arc::from(key));
    HashMap::from([table("users", "org"), table("orders", "id")])
}

fn found(operation: &'static str, body: &str) -> Vec<(String, Option<String>, String, f64)> {
    let call = Call {
        operation,
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    let found = touches(&call, &keys()).into_iter().map(|touch| {
        let Partition { table, index, value } = touch.partition;
        let value = String::from_utf8(value.into()).unwrap();
        (table.into(), index.map(Into::into), value, touch.units)
    });
    found.collect()
}

fn of_table(table: &str, value: &str, units: f64) -> (String, Option<String>, String, f64) {
    (table.to_owned(), None, value.to_owned(), units)
}

#[test]
fn a_request_on_one_item_touches_its_partition() {
    let put = r#"{"TableName":"users","Item":{"id":{"N":"1"},"org":{"S":"acme"}},"ConditionExpression":"a"}"#;
    let get = r#"{"TableName":"users","Key":{"org":{"S":"acme"},"id":{"N":"1"}}}"#;
    let consistent = r#"{"TableName":"users","Key":{"org":{"S":"acme"}},"ConsistentRead":true}"#;

    let acme = r#"{"S":"acme"}"#;
    assert_eq!(found("PutItem", put), [of_table("users", acme, 1.0)]);
    assert_eq!(found("UpdateItem", get), [of_table("users", acme, 1.0)]);
    assert_eq!(found("GetItem", get), [of_table("users", acme, 0.5)]);
    assert_eq!(found("GetItem", consistent), [of_table("users", acme, 1.0)]);
}

#[test]
fn a_large_item_is_as_many_units_as_it_has_kilobytes() {
    let note = "x".repeat(2500);
    let put = format!(r#"{{"TableName":"orders","Item":{{"id":{{"S":"o"}},"note":{{"S":"{note}"}}}}}}"#);

    assert_eq!(found("PutItem", &put), [of_table("orders", r#"{"S":"o"}"#, 3.0)]);
}

#[test]
fn batches_and_transactions_touch_the_partition_of_each_entry() {
    let write = r#"{"RequestItems":{"users":[{"PutRequest":{"Item":{"org":{"S":"a"}}}},{"DeleteRequest":{"Key":{"org":{"S":"b"}}}}],"orders":[{"DeleteRequest":{"Key":{"id":{"S":"o"}}}}]}}"#;
    let get = r#"{"RequestItems":{"users":{"Keys":[{"org":{"S":"a"}},{"org":{"S":"b"}}],"ConsistentRead":true}}}"#;
    let transact = r#"{"ClientRequestToken":"t","TransactItems":[{"Put":{"TableName":"users","Item":{"org":{"S":"a"}}}},{"ConditionCheck":{"TableName":"orders","Key":{"id":{"S":"o"}}}}]}"#;

    let (a, b, o) = (r#"{"S":"a"}"#, r#"{"S":"b"}"#, r#"{"S":"o"}"#);
    assert_eq!(
        found("BatchWriteItem", write),
        [
            of_table("users", a, 1.0),
            of_table("users", b, 1.0),
            of_table("orders", o, 1.0)
        ]
    );
    assert_eq!(
        found("BatchGetItem", get),
        [of_table("users", a, 1.0), of_table("users", b, 1.0)]
    );
    // It does everything twice: it prepares, and it commits.
    assert_eq!(
        found("TransactWriteItems", transact),
        [of_table("users", a, 2.0), of_table("orders", o, 2.0)]
    );
}

#[test]
fn a_query_touches_the_partition_that_it_reads_on_its_table_or_index() {
    let query = r##"{"TableName":"users","IndexName":"by_email","KeyConditionExpression":"#n0 = :v1 AND #n1 > :v0","ExpressionAttributeNames":{"#n0":"email"},"ExpressionAttributeValues":{":v0":{"N":"1"},":v1":{"S":"a@b"}}}"##;

    assert_eq!(
        found("Query", query),
        [(
            "users".to_owned(),
            Some("by_email".to_owned()),
            r#"{"S":"a@b"}"#.to_owned(),
            0.5
        )]
    );
}

#[test]
fn scans_statements_tables_that_nobody_made_and_what_cannot_be_read_touch_nothing() {
    assert_eq!(found("Scan", r#"{"TableName":"users"}"#), []);
    assert_eq!(found("ExecuteStatement", r#"{"Statement":"SELECT * FROM users"}"#), []);
    assert_eq!(found("GetItem", r#"{"TableName":"other","Key":{"org":{"S":"a"}}}"#), []);
    assert_eq!(found("PutItem", r#"{"TableName":"users","Item":{"id":{"N":"1"}}}"#), []);
    for broken in [
        "",
        "{",
        "[]",
        r#"{"TableName":"users","Item":7}"#,
        r#"{"RequestItems":{"users":[{"#,
    ] {
        assert_eq!(found("PutItem", broken), [], "{broken}");
        assert_eq!(found("BatchWriteItem", broken), [], "{broken}");
    }
}

fn touch(value: &str, units: f64) -> Touch {
    Touch {
        partition: Partition {
            table: "users".into(),
            index: None,
            value: value.as_bytes().into(),
        },
        kind: Kind::Write,
        units,
    }
}

#[test]
fn an_answer_sets_the_units_right_in_proportion() {
    let mut several = [touch("a", 3.0), touch("b", 1.0)];
    settle(&mut several, Some(8.0), 2);
    assert_eq!(several.map(|touch| touch.units), [6.0, 2.0]);

    let mut untold = [touch("a", 3.0)];
    settle(&mut untold, None, 100_000);
    assert_eq!(
        untold.map(|touch| touch.units),
        [3.0],
        "what is written is known without the answer"
    );

    let mut read = [Touch {
        kind: Kind::Read,
        ..touch("a", 0.5)
    }];
    settle(&mut read, None, 16 * 1024);
    assert_eq!(read.map(|touch| touch.units), [2.0], "half a unit for each 4 KB");
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_hottest_partition_comes_first_with_its_speed_and_its_part_of_what_one_has() {
    let mut heat = Heat::default();
    for _ in 0..20 {
        heat.add(vec![touch("hot", 200.0), touch("warm", 50.0)], 0, seconds(1));
    }
    heat.add(vec![touch("cold", 1.0)], 3, seconds(2));

    let hottest = heat.hottest(2, seconds(10));

    let told: Vec<_> = hottest
        .iter()
        .map(|hot| (&*hot.partition.value, hot.write, hot.utilisation))
        .collect();
    assert_eq!(told, [(&b"hot"[..], 400.0, 0.4), (&b"warm"[..], 100.0, 0.1)]);
    assert_eq!(hottest[0].share, 4000.0 / 5001.0);
    assert_eq!(heat.hottest(9, seconds(10))[2].throttled, 3);
}

#[test]
fn what_was_hot_two_minutes_ago_is_forgotten() {
    let mut heat = Heat::default();
    heat.add(vec![touch("old", 600.0)], 0, seconds(0));

    assert_eq!(heat.hottest(1, seconds(60))[0].write, 10.0);
    assert_eq!(heat.hottest(1, seconds(119)).len(), 1);
    assert_eq!(heat.hottest(1, seconds(180)), []);
}

#[test]
fn a_million_partitions_take_bounded_memory_and_hide_no_hot_one() {
    let mut heat = Heat::default();
    for number in 0..100_000 {
        heat.add(vec![touch(&format!("cold {number}"), 1.0)], 0, seconds(1));
        if number % 20 == 0 {
            heat.add(vec![touch("hot", 1.0)], 0, seconds(1));
        }
    }

    let all = heat.hottest(usize::MAX, seconds(10));

    assert!(all.len() <= 256);
    assert_eq!(&*all[0].partition.value, b"hot");
    // Never more than there was, and not much less.
    assert!((400.0..=500.0).contains(&all[0].write), "{}", all[0].write);
    assert!(
        all[1..].iter().all(|other| other.write < 1.0),
        "the others were asked once each"
    );
}

#[test]
fn durations_lie_in_steps_of_at_most_an_eighth() {
    for microseconds in [0, 1, 15, 16, 17, 100, 999, 1_000, 123_456, 60_000_000, 68_719_476_735] {
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_micros(microseconds));
        let steps: Vec<_> = histogram.steps().collect();
        let [(end, 1)] = steps[..] else {
            panic!("{microseconds}: {steps:?}")
        };
        let end = u64::try_from(end.as_micros()).unwrap();
        assert!(
            microseconds < end && end <= microseconds + microseconds / 8 + 1,
            "{microseconds}: {end}"
        );
    }
    let mut longest = Histogram::default();
    longest.add(Duration::MAX);
    assert_eq!(longest.steps().count(), 1);
}

#[test]
fn capacity_is_told_for_a_table_before_its_indexes() {
    let body = r#"{"ConsumedCapacity":{"TableName":"users","CapacityUnits":3.5,"Table":{"CapacityUnits":1},"LocalSecondaryIndexes":{"local":{"CapacityUnits":0.5}},"GlobalSecondaryIndexes":{"global":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0}}}}"#;

    let told = told(&Bytes::from_static(body.as_bytes())).unwrap().unwrap();

    let told: Vec<_> = told
        .iter()
        .map(|units| (&*units.table, units.index.as_deref(), units.units))
        .collect();
    assert_eq!(
        told,
        [
            ("users", None, 3.5),
            ("users", Some("local"), 0.5),
            ("users", Some("global"), 2.0)
        ]
    );
}

#[test]
fn a_tally_sums_the_efforts_of_requests_that_end_side_by_side() {
    let tally = Arc::new(Tally::new(None, None));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let tally = Arc::clone(&tally);
            std::thread::spawn(move || {
                for _ in 0..100 {
                    let call = Call {
                        operation: "GetItem",
                        body: Bytes::new(),
                    };
                    let (asked, detail) = tally.asked(&call);
                    assert!(detail.is_none());
                    tally.sent();
                    let effort = Effort {
                        attempts: 2,
                        throttled: 1,
                        bytes_sent: 10,
                        bytes_received: 20,
                    };
                    tally.answered(
                        asked,
                        &Ok(Reply {
                            body: Bytes::new(),
                            request_id: Some("id".to_owned()),
                            effort,
                        }),
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }

    let taken = tally.close(false);
    let Effort {
        attempts,
        throttled,
        bytes_sent,
        bytes_received,
    } = taken.effort;
    assert_eq!(
        (taken.requests, attempts, throttled, bytes_sent, bytes_received),
        (800, 1600, 800, 8000, 16_000)
    );
    assert_eq!(taken.request_ids.len(), 800);
}
