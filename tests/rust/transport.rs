//! The seam: the embedded engine behind it, and scripts in its place.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiter::JsonValue;
use oxidyn::error::{Error, ServiceError};
use oxidyn::transport::effort::Effort;
use oxidyn::transport::embedded::Embedded;
use oxidyn::transport::scripted::{self, Scripted};
use oxidyn::transport::{Call, OPERATIONS, Reply, Transport};

/// Neither transport ever waits.
fn call(transport: &impl Transport, operation: &'static str, body: &str) -> Result<Reply, Error> {
    let call = Call {
        operation,
        body: body.to_owned().into(),
    };
    match pin!(transport.call(call)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("{operation} waits"),
    }
}

fn text(engine: &Embedded, operation: &'static str, body: &str) -> String {
    let reply = call(engine, operation, body).unwrap_or_else(|error| panic!("{operation}: {error}"));
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn refusal(engine: &Embedded, operation: &'static str, body: &str) -> ServiceError {
    match call(engine, operation, body) {
        Err(Error::Service(error)) => error,
        other => panic!("{operation}: {other:?}"),
    }
}

fn engine_with_table() -> Embedded {
    let engine = Embedded::memory().unwrap();
    text(
        &engine,
        "CreateTable",
        r#"{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
            "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
            "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#,
    );
    engine
}

#[test]
fn items_are_written_and_read() {
    let engine = engine_with_table();

    text(
        &engine,
        "PutItem",
        r#"{"TableName":"things","Item":{"id":{"S":"1"},"n":{"N":"1.50"}}}"#,
    );

    let found = text(&engine, "GetItem", r#"{"TableName":"things","Key":{"id":{"S":"1"}}}"#);
    assert!(found.contains(r#""n":{"N":"1.5"}"#), "{found}");
    assert_eq!(
        text(&engine, "GetItem", r#"{"TableName":"things","Key":{"id":{"S":"2"}}}"#),
        "{}"
    );
}

#[test]
fn the_engines_effort_is_one_try_and_the_bodies_sizes() {
    let engine = engine_with_table();
    let (good, bad) = (
        r#"{"TableName":"things","Item":{"id":{"S":"1"}}}"#,
        r#"{"TableName":"others","Item":{"id":{"S":"1"}}}"#,
    );
    let effort = |sent: &str, received: usize| Effort {
        attempts: 1,
        throttled: 0,
        bytes_sent: sent.len() as u64,
        bytes_received: received as u64,
    };

    let reply = call(&engine, "PutItem", good).unwrap();
    let error = refusal(&engine, "PutItem", bad);

    assert_eq!(reply.effort, effort(good, reply.body.len()));
    assert_eq!(error.effort, effort(bad, error.body.len()));
    let mut both = reply.effort;
    both += error.effort;
    assert_eq!(both.attempts, 2);
    assert_eq!(both.bytes_sent, (good.len() + bad.len()) as u64);
}

#[test]
fn failed_condition_carries_the_item() {
    let engine = engine_with_table();
    text(&engine, "PutItem", r#"{"TableName":"things","Item":{"id":{"S":"1"}}}"#);

    let error = refusal(
        &engine,
        "PutItem",
        r#"{"TableName":"things","Item":{"id":{"S":"1"}},"ConditionExpression":"attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#,
    );

    assert_eq!(
        (error.code.as_str(), error.status),
        ("ConditionalCheckFailedException", 400)
    );
    let JsonValue::Object(body) = JsonValue::parse(&error.body, false).unwrap() else {
        panic!("no object")
    };
    assert!(body.iter().any(|(name, _)| name == "Item"), "{body:?}");
}

#[test]
fn cancelled_transaction_carries_its_reasons() {
    let engine = engine_with_table();

    let error = refusal(
        &engine,
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"things","Item":{"id":{"S":"1"}}}},
            {"ConditionCheck":{"TableName":"things","Key":{"id":{"S":"2"}},"ConditionExpression":"attribute_exists(id)"}}]}"#,
    );

    assert_eq!(error.code, "TransactionCanceledException");
    assert!(String::from_utf8_lossy(&error.body).contains(r#""CancellationReasons":[{"Code":"None"}"#));
    assert_eq!(
        text(&engine, "GetItem", r#"{"TableName":"things","Key":{"id":{"S":"1"}}}"#),
        "{}"
    );
}

#[test]
fn time_to_live_is_kept() {
    let engine = engine_with_table();

    text(
        &engine,
        "UpdateTimeToLive",
        r#"{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"expires"}}"#,
    );

    let described = text(&engine, "DescribeTimeToLive", r#"{"TableName":"things"}"#);
    assert!(
        described.contains("expires") && described.contains("ENABLED"),
        "{described}"
    );
}

#[test]
fn statements_are_carried_out() {
    let engine = engine_with_table();

    text(
        &engine,
        "ExecuteStatement",
        r#"{"Statement":"INSERT INTO \"things\" VALUE {'id':'1'}"}"#,
    );

    let found = text(
        &engine,
        "ExecuteStatement",
        r#"{"Statement":"SELECT * FROM \"things\" WHERE id = '1'"}"#,
    );
    assert!(found.contains(r#""id":{"S":"1"}"#), "{found}");
}

#[test]
fn every_named_operation_is_known_to_the_engine() {
    let engine = Embedded::memory().unwrap();

    for operation in OPERATIONS {
        let answer = call(&engine, operation, "{}");

        assert!(!matches!(answer, Err(Error::Transport(_))), "{operation}: {answer:?}");
    }
}

#[test]
fn operations_of_aws_alone_are_refused_by_name() {
    let error = call(&Embedded::memory().unwrap(), "CreateBackup", "{}").unwrap_err();

    assert!(error.to_string().contains("CreateBackup"), "{error}");
}

#[test]
fn malformed_values_have_dynamodbs_error_and_no_trace_of_the_parser() {
    let engine = engine_with_table();

    for value in [
        r#"{"N":"1e999"}"#,
        r#"{"SS":[]}"#,
        "{}",
        r#"{"NULL":false}"#,
        r#"{"S":"a","N":"1"}"#,
    ] {
        let error = refusal(
            &engine,
            "PutItem",
            &format!(r#"{{"TableName":"things","Item":{{"id":{{"S":"1"}},"x":{value}}}}}"#),
        );

        assert_eq!(error.code, "ValidationException", "{value}: {error}");
        assert!(
            !error.message.contains("VALIDATION") && !error.message.contains(" at line "),
            "{value}: {error}"
        );
    }
    assert_eq!(refusal(&engine, "PutItem", "[").code, "SerializationException");
}

#[test]
fn script_answers_in_order_and_remembers_the_calls() {
    let script = Scripted::new([
        scripted::reply("{}"),
        scripted::fault("ThrottlingException", "slow down", 400),
        scripted::lost(true),
    ]);

    assert_eq!(&call(&script, "GetItem", "1").unwrap().body[..], b"{}");
    assert!(matches!(call(&script, "GetItem", "2"), Err(Error::Service(error)) if error.code == "ThrottlingException"));
    assert!(matches!(call(&script, "GetItem", "3"), Err(Error::Transport(error)) if error.ambiguous));
    assert!(
        call(&script, "GetItem", "4")
            .unwrap_err()
            .to_string()
            .contains("no reply left for GetItem")
    );
    let bodies: Vec<_> = script.calls().into_iter().map(|call| call.body).collect();
    assert_eq!(bodies, ["1", "2", "3", "4"]);
}
