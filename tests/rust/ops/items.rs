//! Reading and writing one item.

use bytes::Bytes;
use oxidyn::error::{ConditionFailure, ConditionMeaning, Error, TransportKind};
use oxidyn::expr::ast::{Action, Path};
use oxidyn::ops::delete::Delete;
use oxidyn::ops::get::Get;
use oxidyn::ops::guard::Guard;
use oxidyn::ops::put::Put;
use oxidyn::ops::update::Update;
use oxidyn::ops::{Returning, StoredItem};

use super::drive::{Played, eq, fault, i, play, reply, request};

const KEY: &[u8] = br#"{"id":{"S":"a"}}"#;
const ITEM: &[u8] = br#"{"id":{"S":"a"},"age":{"N":"3"}}"#;
const FAILED: &str = "ConditionalCheckFailedException";
const FAILED_ON_ITEM: &str = r#"{"__type":"x#ConditionalCheckFailedException","Item":{"id":{"S":"a"}},"message":"m"}"#;

fn update(guard: &Guard, returning: Returning) -> Update {
    let actions = [Action::Set(Path::attribute("age"), i(4).into())];
    Update::new("users", KEY, &actions, guard, returning).unwrap()
}

fn bytes(stored: Option<StoredItem>) -> Option<Bytes> {
    stored.map(|stored| stored.to_bytes().unwrap())
}

fn failure<T: std::fmt::Debug>(played: Played<T>) -> ConditionFailure {
    match played.output {
        Err(Error::Condition(failure)) => failure,
        other => panic!("expected Error::Condition, found {other:?}"),
    }
}

#[test]
fn get_asks_by_key() {
    assert_eq!(
        request(&Get::new("users", KEY, false)),
        r#"GetItem {"TableName":"users","Key":{"id":{"S":"a"}}}"#
    );
    assert_eq!(
        request(&Get::new("users", KEY, true)),
        r#"GetItem {"TableName":"users","Key":{"id":{"S":"a"}},"ConsistentRead":true}"#
    );
}

#[test]
fn get_gives_the_place_of_the_item_or_none() {
    let get = |body: &'static str| play(&Get::new("users", KEY, false), [reply(body)]).output;

    assert_eq!(
        bytes(get(r#"{"Item":{"id":{"S":"a"}}}"#).unwrap()),
        Some(r#"{"id":{"S":"a"}}"#.into())
    );
    assert_eq!(
        bytes(get(r#"{ "ConsumedCapacity" : {"Item":[1]} , "Item" : {"id":{"S":"}"}} , "x":1}"#).unwrap()),
        Some(r#"{"id":{"S":"}"}}"#.into())
    );
    assert_eq!(get("{}").unwrap(), None);
    assert_eq!(get(r#"{"Item":null}"#).unwrap(), None);
}

#[test]
fn a_reply_that_is_not_dynamodbs_is_a_transport_error_that_says_so() {
    let played = play(&Get::new("users", KEY, false), [reply("<html>")]);

    let Err(Error::Transport(error)) = played.output else {
        panic!("expected a transport error")
    };
    assert_eq!((error.kind, error.ambiguous), (TransportKind::Reply, false));
    assert!(
        error
            .message
            .starts_with("the reply to GetItem is not DynamoDB's: expected an object"),
        "{}",
        error.message
    );
}

#[test]
fn put_writes_the_item_with_the_condition_of_its_guard() {
    let put = |guard: Guard| request(&Put::new("users", ITEM, &guard).unwrap());

    assert_eq!(
        put(Guard::default()),
        r#"PutItem {"TableName":"users","Item":{"id":{"S":"a"},"age":{"N":"3"}}}"#
    );
    assert_eq!(
        put(Guard::absent("id".into())),
        concat!(
            r#"PutItem {"TableName":"users","Item":{"id":{"S":"a"},"age":{"N":"3"}},"#,
            r##""ConditionExpression":"attribute_not_exists(#n0)","ReturnValuesOnConditionCheckFailure":"ALL_OLD","##,
            r##""ExpressionAttributeNames":{"#n0":"id"}}"##
        )
    );
    assert!(put(Guard::default().with(Some(eq("age", i(3))))).contains(r##""ConditionExpression":"#n0 = :v0""##));
    assert!(
        put(Guard::present("id".into()).with(Some(eq("age", i(3)))))
            .contains(r#""ConditionExpression":"attribute_exists(#n0) AND #n1 = :v0""#)
    );
}

#[test]
fn a_failed_guard_has_the_callers_meaning_and_the_item() {
    let put = |guard: &Guard, body| failure(play(&Put::new("users", ITEM, guard).unwrap(), [fault(FAILED, body)]));
    let condition = || Some(eq("age", i(3)));

    let exists = put(&Guard::absent("id".into()), FAILED_ON_ITEM);
    assert_eq!(exists.meaning, ConditionMeaning::ItemExists);
    assert_eq!(exists.item, Some(r#"{"id":{"S":"a"}}"#.into()));
    assert_eq!(exists.request_id.as_deref(), Some("R1"));

    for (guard, body, meaning) in [
        (Guard::absent("id".into()), "{}", ConditionMeaning::ItemExists),
        (
            Guard::absent("id".into()).with(condition()),
            "{}",
            ConditionMeaning::ConditionFailed,
        ),
        (Guard::present("id".into()), "{}", ConditionMeaning::ItemNotFound),
        (
            Guard::present("id".into()).with(condition()),
            "{}",
            ConditionMeaning::ItemNotFound,
        ),
        (
            Guard::present("id".into()).with(condition()),
            FAILED_ON_ITEM,
            ConditionMeaning::ConditionFailed,
        ),
        (
            Guard::default().with(condition()),
            "{}",
            ConditionMeaning::ConditionFailed,
        ),
        (
            Guard::default().with(condition()),
            FAILED_ON_ITEM,
            ConditionMeaning::ConditionFailed,
        ),
    ] {
        assert_eq!(put(&guard, body).meaning, meaning, "{guard:?} {body}");
    }
}

#[test]
fn other_errors_of_the_service_pass_through() {
    let played = play(
        &Put::new("users", ITEM, &Guard::absent("id".into())).unwrap(),
        [fault("Other", FAILED_ON_ITEM)],
    );

    assert!(matches!(played.output, Err(Error::Service(error)) if error.code == "Other"));
}

#[test]
fn update_writes_its_actions_and_what_it_wants_back() {
    assert_eq!(
        request(&update(
            &Guard::present("id".into()).with(Some(eq("age", i(3)))),
            Returning::New
        )),
        concat!(
            r##"UpdateItem {"TableName":"users","Key":{"id":{"S":"a"}},"UpdateExpression":"SET #n0 = :v0","##,
            r##""ConditionExpression":"attribute_exists(#n1) AND #n0 = :v1","ReturnValuesOnConditionCheckFailure":"ALL_OLD","##,
            r##""ReturnValues":"ALL_NEW","ExpressionAttributeNames":{"#n0":"age","#n1":"id"},"##,
            r#""ExpressionAttributeValues":{":v0":{"N":"4"},":v1":{"N":"3"}}}"#
        )
    );
    assert!(!request(&update(&Guard::default(), Returning::Nothing)).contains("Return"));
}

#[test]
fn update_and_delete_give_back_what_was_asked_for() {
    let attributes = || reply(r#"{"Attributes":{"id":{"S":"a"}}}"#);
    let guard = Guard::default();

    assert!(bytes(play(&update(&guard, Returning::Old), [attributes()]).output.unwrap()).is_some());
    assert!(bytes(play(&update(&guard, Returning::Nothing), [reply("")]).output.unwrap()).is_none());
    let delete = |return_old| Delete::new("users", KEY, &guard, return_old).unwrap();
    assert!(bytes(play(&delete(true), [attributes()]).output.unwrap()).is_some());
    assert!(bytes(play(&delete(true), [reply("{}")]).output.unwrap()).is_none());
    assert_eq!(
        request(&delete(false)),
        r#"DeleteItem {"TableName":"users","Key":{"id":{"S":"a"}}}"#
    );
    assert!(request(&delete(true)).contains(r#""ReturnValues":"ALL_OLD""#));
}

#[test]
fn a_table_name_is_written_as_json() {
    assert!(request(&Get::new("a\"b", KEY, false)).starts_with(r#"GetItem {"TableName":"a\"b","#));
}
