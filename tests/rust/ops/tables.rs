//! Creating, describing and deleting tables.

use std::sync::Arc;
use std::time::Duration;

use oxidyn::error::Error;
use oxidyn::expr::split::KeySchema;
use oxidyn::ops::table::{
    CreateTable, DeleteTable, DescribeTable, IndexDefinition, Patience, Projection, TableDefinition, WaitUntilActive,
};
use oxidyn::wire::Tag;

use super::drive::{fault, names, play, reply, request};

const PATIENCE: Patience = Patience {
    attempts: 3,
    delay: Duration::from_secs(1),
};
const CREATING: &str = r#"{"Table":{"TableName":"users","TableStatus":"CREATING"}}"#;
const ACTIVE: &str = r#"{"Table":{"TableName":"users","TableStatus":"ACTIVE"}}"#;
const NOT_FOUND: &str = "ResourceNotFoundException";
const DESCRIBE: &str = r#"DescribeTable {"TableName":"users"}"#;
const ENABLE_TTL: &str =
    r#"UpdateTimeToLive {"TableName":"users","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}"#;

fn users() -> Arc<str> {
    "users".into()
}

fn definition(ttl: Option<&str>) -> TableDefinition {
    TableDefinition {
        table: users(),
        key: KeySchema {
            partition: names(["org"]),
            sort: names(["id"]),
        },
        indexes: vec![],
        attributes: vec![("org".into(), Tag::S), ("id".into(), Tag::N)],
        ttl: ttl.map(Into::into),
    }
}

#[test]
fn a_table_is_created_with_its_key() {
    assert_eq!(
        request(&CreateTable::new(definition(None), PATIENCE)),
        concat!(
            r#"CreateTable {"TableName":"users","AttributeDefinitions":[{"AttributeName":"org","AttributeType":"S"},"#,
            r#"{"AttributeName":"id","AttributeType":"N"}],"KeySchema":[{"AttributeName":"org","KeyType":"HASH"},"#,
            r#"{"AttributeName":"id","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST"}"#
        )
    );
}

#[test]
fn indexes_are_global_unless_they_have_no_partition_of_their_own() {
    let index = |name: &str, partition, sort, projection| IndexDefinition {
        name: name.into(),
        key: KeySchema { partition, sort },
        projection,
    };
    let mut definition = definition(None);
    definition.indexes = vec![
        index("by_age", vec![], names(["age"]), Projection::KeysOnly),
        index(
            "by_place",
            names(["country", "city"]),
            names(["year", "day"]),
            Projection::All,
        ),
        index(
            "by_mail",
            names(["mail"]),
            vec![],
            Projection::Include(names(["name", "age"])),
        ),
    ];

    let request = request(&CreateTable::new(definition, PATIENCE));

    assert!(request.contains(concat!(
        r#""GlobalSecondaryIndexes":[{"IndexName":"by_place","KeySchema":["#,
        r#"{"AttributeName":"country","KeyType":"HASH"},{"AttributeName":"city","KeyType":"HASH"},"#,
        r#"{"AttributeName":"year","KeyType":"RANGE"},{"AttributeName":"day","KeyType":"RANGE"}],"#,
        r#""Projection":{"ProjectionType":"ALL"}},{"IndexName":"by_mail","KeySchema":["#,
        r#"{"AttributeName":"mail","KeyType":"HASH"}],"#,
        r#""Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["name","age"]}}]"#
    )));
    assert!(request.contains(concat!(
        r#""LocalSecondaryIndexes":[{"IndexName":"by_age","KeySchema":[{"AttributeName":"org","KeyType":"HASH"},"#,
        r#"{"AttributeName":"age","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]"#
    )));
}

#[test]
fn without_a_ttl_attribute_creating_is_one_request() {
    let played = play(
        &CreateTable::new(definition(None), PATIENCE),
        [reply(r#"{"TableDescription":{"TableStatus":"CREATING"}}"#)],
    );

    assert_eq!(played.output.unwrap(), r#"{"TableStatus":"CREATING"}"#);
}

#[test]
fn ttl_is_enabled_once_the_table_is_active() {
    let played = play(
        &CreateTable::new(definition(Some("expires")), PATIENCE),
        [
            reply(r#"{"TableDescription":{"TableStatus":"CREATING"}}"#),
            fault(NOT_FOUND, "{}"),
            reply(CREATING),
            reply(ACTIVE),
            reply("{}"),
        ],
    );

    assert_eq!(
        played.output.unwrap(),
        r#"{"TableName":"users","TableStatus":"ACTIVE"}"#
    );
    assert_eq!(played.calls[1..], [DESCRIBE, DESCRIBE, DESCRIBE, ENABLE_TTL]);
    assert_eq!(played.waits, [PATIENCE.delay; 2]);
}

#[test]
fn where_the_table_is_active_at_once_ttl_needs_no_wait() {
    let active = r#"{"TableDescription":{"TableStatus":"ACTIVE"}}"#;

    let played = play(
        &CreateTable::new(definition(Some("expires")), PATIENCE),
        [reply(active), reply("{}")],
    );

    assert!(played.output.is_ok());
    assert_eq!(played.calls[1], ENABLE_TTL);
}

#[test]
fn a_refused_creation_is_not_waited_for() {
    let played = play(
        &CreateTable::new(definition(Some("expires")), PATIENCE),
        [fault(NOT_FOUND, "{}")],
    );

    assert!(matches!(played.output, Err(Error::Service(_))));
}

#[test]
fn waiting_ends_with_an_error_that_says_what_was_found() {
    let wait = WaitUntilActive::new(&users(), PATIENCE);

    let played = play(&wait, [reply(CREATING), reply(CREATING), reply(CREATING)]);
    let Err(Error::Timeout(message)) = played.output else {
        panic!("expected Error::Timeout")
    };
    assert!(
        message.starts_with("table users was still CREATING after 3 requests, 1s apart"),
        "{message}"
    );

    let played = play(&wait, (0..3).map(|_| fault(NOT_FOUND, "{}")));
    assert!(matches!(played.output, Err(Error::Timeout(message)) if message.contains("still not there")));
}

#[test]
fn describing_gives_the_description_and_deleting_nothing() {
    let described = play(&DescribeTable::new(&users()), [reply(ACTIVE)]);
    assert_eq!(described.calls, [DESCRIBE]);
    assert_eq!(
        described.output.unwrap(),
        r#"{"TableName":"users","TableStatus":"ACTIVE"}"#
    );
    assert!(matches!(
        play(&DescribeTable::new(&users()), [reply("{}")]).output,
        Err(Error::Transport(_))
    ));

    let deleted = play(&DeleteTable::new(&users()), [reply("{}")]);
    assert_eq!(deleted.calls, [r#"DeleteTable {"TableName":"users"}"#]);
    deleted.output.unwrap();
}
