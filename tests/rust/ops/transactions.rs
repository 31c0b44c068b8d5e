//! Transactions on scripted replies: their parts, tokens and cancellations.

use std::collections::HashSet;

use oxidyn::error::{ConditionMeaning, Error};
use oxidyn::expr::ast::{Action, Path};
use oxidyn::ops::check::Check;
use oxidyn::ops::delete::Delete;
use oxidyn::ops::get::Get;
use oxidyn::ops::guard::Guard;
use oxidyn::ops::put::Put;
use oxidyn::ops::transact_get::TransactGet;
use oxidyn::ops::transact_write::TransactWrite;
use oxidyn::ops::update::Update;
use oxidyn::ops::{Kind, Operation, Part, Returning};

use super::drive::{eq, fault, i, play, reply, request};

const KEY: &[u8] = br#"{"id":{"S":"a"}}"#;

fn guard() -> Guard {
    Guard::default().with(Some(eq("n", i(1))))
}

fn check() -> Check {
    Check::new("users", KEY, &guard()).unwrap()
}

fn part(operation: &impl Operation) -> Part {
    operation.part().expect("an operation on one item")
}

#[test]
fn a_part_has_the_members_of_its_own_request() {
    let put = Put::new("users", KEY, &guard()).unwrap();
    let delete = Delete::new("users", KEY, &Guard::default(), false).unwrap();
    let write = TransactWrite::new(vec![part(&put), part(&delete), part(&check())], Some("t".into()));
    let body = |text: &str| text.split_once(' ').unwrap().1.to_owned();

    let condition = concat!(
        r##","ConditionExpression":"#n0 = :v0","ReturnValuesOnConditionCheckFailure":"ALL_OLD","##,
        r##""ExpressionAttributeNames":{"#n0":"n"},"ExpressionAttributeValues":{":v0":{"N":"1"}}}"##
    );
    assert_eq!(
        request(&write),
        [
            r#"TransactWriteItems {"ClientRequestToken":"t","TransactItems":[{"Put":"#,
            &body(&request(&put)),
            r#"},{"Delete":"#,
            &body(&request(&delete)),
            r#"},{"ConditionCheck":{"TableName":"users","Key":{"id":{"S":"a"}}"#,
            condition,
            "}]}",
        ]
        .concat()
    );
}

#[test]
fn a_read_in_a_transaction_is_consistent_and_does_not_say_so() {
    let read = TransactGet::new(vec![
        part(&Get::new("users", KEY, true)),
        part(&Get::new("users", KEY, false)),
    ]);

    assert_eq!(
        request(&read),
        concat!(
            r#"TransactGetItems {"TransactItems":[{"Get":{"TableName":"users","Key":{"id":{"S":"a"}}}},"#,
            r#"{"Get":{"TableName":"users","Key":{"id":{"S":"a"}}}}]}"#
        )
    );
    assert!(part(&Get::new("users", KEY, true)).is_consistent);
    assert!(!part(&Get::new("users", KEY, false)).is_consistent);
}

#[test]
fn a_part_says_what_it_asks() {
    let plain = part(&Put::new("users", KEY, &Guard::default()).unwrap());
    let old = part(&Delete::new("users", KEY, &Guard::default(), true).unwrap());
    let update = Update::new(
        "users",
        KEY,
        &[Action::Remove(Path::attribute("n"))],
        &Guard::present("id".into()),
        Returning::New,
    )
    .unwrap();
    let update = part(&update);

    assert_eq!(
        (plain.kind, plain.is_conditional, plain.returns_item),
        (Kind::Put, false, false)
    );
    assert_eq!(
        (old.kind, old.is_conditional, old.returns_item),
        (Kind::Delete, false, true)
    );
    assert_eq!(
        (update.kind, update.is_conditional, update.returns_item),
        (Kind::Update, true, true)
    );
    assert_eq!(plain.content, KEY);
    assert_eq!(update.content, KEY);
}

#[test]
fn without_a_token_each_run_has_one_of_its_own() {
    let write = TransactWrite::new(vec![part(&check())], None);

    let tokens: HashSet<String> = (0..100)
        .map(|_| request(&write).split('"').nth(3).unwrap().to_owned())
        .collect();

    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| token.len() == 32));
}

#[test]
fn a_transaction_of_nothing_sends_nothing() {
    play(&TransactWrite::new(vec![], None), []).output.unwrap();
    assert!(play(&TransactGet::new(vec![]), []).output.unwrap().is_empty());
}

#[test]
fn items_come_in_the_order_of_the_reads_and_absent_ones_are_none() {
    let get = || part(&Get::new("users", KEY, false));
    let replies = r#"{"Responses":[{"Item":{"id":{"S":"a"}}},{},{"Item":null},{"x":1,"Item":{"id":{"S":"b"}}}]}"#;

    let played = play(&TransactGet::new(vec![get(), get(), get(), get()]), [reply(replies)]);

    let items = played.output.unwrap().into_iter();
    let items: Vec<_> = items.map(|item| item.map(|item| item.to_bytes().unwrap())).collect();
    assert_eq!(items[0].as_deref(), Some(KEY));
    assert_eq!((&items[1], &items[2]), (&None, &None));
    assert_eq!(items[3].as_deref(), Some(&br#"{"id":{"S":"b"}}"#[..]));
}

#[test]
fn fewer_responses_than_reads_are_no_answer() {
    let get = || part(&Get::new("users", KEY, false));

    let played = play(&TransactGet::new(vec![get(), get()]), [reply(r#"{"Responses":[{}]}"#)]);

    assert!(matches!(played.output, Err(Error::Transport(_))));
}

const CANCELLED: &str = concat!(
    r#"{"Message":"..","CancellationReasons":[{"Code":"None","Message":null},"#,
    r#"{"Code":"ConditionalCheckFailed","Message":"no","Item":{"id":{"S":"a"},"n":{"N":"2"}}},"#,
    r#"{"Code":"TransactionConflict","Message":"busy"},{"Code":"ThrottlingError"},{"Code":"ValidationError"},{"Code":"New"}]}"#
);

#[test]
fn a_cancellation_has_a_reason_for_each_operation() {
    let played = play(
        &TransactWrite::new(vec![part(&check())], None),
        [fault("TransactionCanceledException", CANCELLED)],
    );

    let Err(Error::Cancelled(cancelled)) = played.output else {
        panic!("expected Error::Cancelled")
    };
    let codes: Vec<_> = cancelled
        .reasons
        .iter()
        .map(|reason| reason.as_ref().map(|reason| reason.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some("ConditionalCheckFailedException"),
            Some("TransactionConflictException"),
            Some("ThrottlingException"),
            Some("ValidationException"),
            Some("New")
        ]
    );
    assert_eq!(cancelled.request_id.as_deref(), Some("R1"));
}

#[test]
fn a_reason_is_to_its_operation_what_its_own_refusal_would_be() {
    let played = play(
        &TransactWrite::new(vec![part(&check())], None),
        [fault("TransactionCanceledException", CANCELLED)],
    );
    let Err(Error::Cancelled(mut cancelled)) = played.output else {
        panic!("expected Error::Cancelled")
    };

    let reason = Error::Service(cancelled.reasons[1].take().unwrap());
    let Err(Error::Condition(failure)) = Put::new("users", KEY, &Guard::absent("id".into()))
        .unwrap()
        .fail(reason)
    else {
        panic!("expected Error::Condition")
    };

    assert_eq!(failure.meaning, ConditionMeaning::ItemExists);
    assert_eq!(failure.item.as_deref(), Some(&br#"{"id":{"S":"a"},"n":{"N":"2"}}"#[..]));
}

#[test]
fn a_check_alone_is_a_transaction_of_one() {
    let refusal = r#"{"CancellationReasons":[{"Code":"ConditionalCheckFailed","Item":{"id":{"S":"a"}}}]}"#;

    let played = play(&check(), [fault("TransactionCanceledException", refusal)]);

    assert!(played.calls[0].starts_with(r#"TransactWriteItems {"ClientRequestToken":""#));
    let Err(Error::Condition(failure)) = played.output else {
        panic!("expected Error::Condition")
    };
    assert_eq!(failure.meaning, ConditionMeaning::ConditionFailed);
    assert_eq!(failure.item.as_deref(), Some(KEY));
}

#[test]
fn a_cancellation_without_reasons_is_the_services_error() {
    for body in ["{}", r#"{"CancellationReasons":[]}"#, "no json"] {
        let played = play(
            &TransactWrite::new(vec![part(&check())], None),
            [fault("TransactionCanceledException", body)],
        );

        assert!(matches!(played.output, Err(Error::Service(_))));
    }
}
