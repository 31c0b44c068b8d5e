//! PartiQL on scripted replies: pages, limits, batches and what is left of them when something fails.

use oxidyn::error::{ConditionMeaning, Error, Result, TransportError, TransportKind};
use oxidyn::ops::StoredItem;
use oxidyn::ops::backoff::Backoff;
use oxidyn::ops::partiql::{BatchExecute, Execute, ExecuteTransaction, Kind, Outcome, Statement};
use oxidyn::transport::effort::Effort;
use oxidyn::transport::{Call, Reply};

use super::drive::{fault, play, reply, run};

fn statement(text: &str, parameters: &[&str]) -> Statement {
    let parameters: Vec<_> = parameters.iter().map(|value| value.as_bytes().to_vec()).collect();
    Statement::new(text, &parameters).unwrap()
}

fn read() -> Statement {
    statement("SELECT * FROM t WHERE a = ?", &[r#"{"S":"x"}"#])
}

fn write() -> Statement {
    statement("DELETE FROM t WHERE a = ?", &[r#"{"S":"x"}"#])
}

fn batch(statements: Vec<Statement>) -> BatchExecute {
    BatchExecute::new(statements, false).with_backoff(Backoff::seeded(7))
}

fn texts(items: &[StoredItem]) -> Vec<String> {
    items
        .iter()
        .map(|item| String::from_utf8(item.to_bytes().unwrap().to_vec()).unwrap())
        .collect()
}

/// Outcomes as words: an item's text, `-` for none, an error's code.
fn told(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(None) => "-".to_owned(),
            Ok(Some(item)) => texts(std::slice::from_ref(item)).remove(0),
            Err(Error::Service(error)) => error.code.clone(),
            Err(Error::Condition(failure)) => format!("{:?}", failure.meaning),
            Err(Error::Transport(error)) => format!("lost, ambiguous: {}", error.ambiguous),
            Err(other) => panic!("{other:?}"),
        })
        .collect()
}

fn refused(text: &str, parameters: usize) -> String {
    let parameters = vec![br#"{"N":"1"}"#.to_vec(); parameters];
    Statement::new(text, &parameters).unwrap_err().to_string()
}

fn lost() -> Result<Reply> {
    Err(Error::Transport(TransportError {
        kind: TransportKind::Timeout,
        message: "no answer".to_owned(),
        ambiguous: true,
        effort: Effort::default(),
    }))
}

/// A service that answers each statement of a batch with `answer`, given its number among all that came.
fn service(mut answer: impl FnMut(usize) -> &'static str) -> impl FnMut(Call) -> Result<Reply> {
    let mut number = 0;
    move |call| {
        let count = std::str::from_utf8(&call.body)
            .unwrap()
            .matches(r#""Statement":"#)
            .count();
        let responses: Vec<_> = (0..count)
            .map(|_| {
                number += 1;
                answer(number - 1)
            })
            .collect();
        reply(format!(r#"{{"Responses":[{}]}}"#, responses.join(",")))
    }
}

#[test]
fn the_first_word_tells_reads_from_writes_in_any_case() {
    for (text, kind) in [
        ("SELECT * FROM t", Kind::Read),
        ("select * from t", Kind::Read),
        (" \n INSERT INTO t VALUE {}", Kind::Insert),
        ("UPDATE t SET a = 1", Kind::Change),
        ("-- why\n/* and how */ delete FROM t", Kind::Change),
        ("FROM t SET a = 1", Kind::Change),
        ("?!", Kind::Change),
    ] {
        let parameters = text.matches('?').count();
        assert_eq!(statement(text, &["{}"; 9][..parameters]).kind(), kind, "{text}");
    }
}

#[test]
fn the_table_is_named_behind_from_into_and_update() {
    for (text, table) in [
        (r#"SELECT "from" FROM "my.table"."index""#, Some("my.table")),
        (r"SELECT * FROM users WHERE a = 'x FROM y'", Some("users")),
        (r#"INSERT INTO "a""b" VALUE {'into': 1}"#, Some("a\"b")),
        ("update \"users\" set a = 1", Some("users")),
        ("DELETE FROM users-2 WHERE a = 1", Some("users-2")),
        (r#"EXISTS(SELECT * FROM "t" WHERE a = 1)"#, Some("t")),
        ("FROM t SET a = 1", Some("t")),
        ("SELEKT", None),
        ("SELECT 1 FROM 'x'", None),
    ] {
        let statement = statement(text, &[]);
        assert_eq!(statement.table().map(|table| &**table), table, "{text}");
    }
}

#[test]
fn placeholders_in_quotes_and_comments_are_none() {
    for (text, count) in [
        ("SELECT * FROM t WHERE a = ? AND b IN [?, ?]", 3),
        (r#"SELECT "?" FROM t WHERE a = 'it''s ?' AND b=?"#, 1),
        ("SELECT * FROM t -- ?\nWHERE a=? /* ? */", 1),
        ("SELECT * FROM t WHERE a = `?` AND b = '", 0),
        ("INSERT INTO t VALUE {'ä': ?}", 1),
    ] {
        assert!(refused(text, 9).contains(&format!("has {count} `?`")), "{text}");
    }
}

#[test]
fn a_statement_is_sent_with_its_parameters() {
    let played = play(
        &Execute::new(&read(), true, None),
        [reply(r#"{"Items":[{"a":{"S":"x"}}]}"#)],
    );

    assert_eq!(texts(&played.output.unwrap()), [r#"{"a":{"S":"x"}}"#]);
    assert_eq!(
        played.calls,
        [
            r#"ExecuteStatement {"Statement":"SELECT * FROM t WHERE a = ?","Parameters":[{"S":"x"}],"ConsistentRead":true}"#
        ]
    );
}

#[test]
fn changes_ask_for_the_item_that_stands_against_them_and_for_nothing_of_reads() {
    let played = play(&Execute::new(&write(), true, Some(3)), [reply("{}")]);

    assert!(played.output.unwrap().is_empty());
    assert_eq!(
        played.calls,
        [concat!(
            r#"ExecuteStatement {"Statement":"DELETE FROM t WHERE a = ?","Parameters":[{"S":"x"}],"#,
            r#""ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#
        )]
    );
}

#[test]
fn all_pages_are_read_empty_ones_too() {
    let played = play(
        &Execute::new(&statement(" SELECT * FROM t\n", &[]), false, None),
        [
            reply(r#"{"NextToken":"one\"","Items":[{"a":{"N":"1"}}]}"#),
            reply(r#"{"Items":[],"NextToken":"two"}"#),
            reply(r#"{"Items":[{"a":{"N":"2"}}],"NextToken":null}"#),
        ],
    );

    assert_eq!(
        texts(&played.output.unwrap()),
        [r#"{"a":{"N":"1"}}"#, r#"{"a":{"N":"2"}}"#]
    );
    assert_eq!(
        played.calls,
        [
            r#"ExecuteStatement {"Statement":"SELECT * FROM t"}"#,
            r#"ExecuteStatement {"Statement":"SELECT * FROM t","NextToken":"one\""}"#,
            r#"ExecuteStatement {"Statement":"SELECT * FROM t","NextToken":"two"}"#,
        ]
    );
}

#[test]
fn a_limit_is_asked_for_first_and_ends_the_reading() {
    let played = play(
        &Execute::new(&statement("SELECT * FROM t", &[]), false, Some(2)),
        [
            reply(r#"{"Items":[{"a":{"N":"1"}}],"NextToken":"one"}"#),
            reply(r#"{"Items":[{"a":{"N":"2"}},{"a":{"N":"3"}}],"NextToken":"two"}"#),
        ],
    );

    assert_eq!(
        texts(&played.output.unwrap()),
        [r#"{"a":{"N":"1"}}"#, r#"{"a":{"N":"2"}}"#]
    );
    assert_eq!(
        played.calls,
        [
            r#"ExecuteStatement {"Statement":"SELECT * FROM t","Limit":2}"#,
            r#"ExecuteStatement {"Statement":"SELECT * FROM t","NextToken":"one"}"#,
        ]
    );
}

#[test]
fn a_list_among_the_parameters_keeps_the_limit_away_and_a_second_page_from_coming() {
    let listed = statement(
        "SELECT * FROM t WHERE a = ? AND b = ?",
        &[r#"{"S":"x"}"#, r#"{"L":[]}"#],
    );
    let played = play(
        &Execute::new(&listed, false, Some(2)),
        [
            reply(r#"{"Items":[{"a":{"N":"1"}}],"NextToken":"one"}"#),
            fault("ValidationException", "{}"),
        ],
    );

    assert!(!played.calls[0].contains("Limit"));
    let message = played.output.unwrap_err().to_string();
    assert!(
        message.contains("goes on after the first only where no parameter is a list or a map"),
        "{message}"
    );
}

#[test]
fn parameters_are_counted_against_the_text() {
    assert_eq!(
        refused("SELECT * FROM t WHERE a = ? AND b = '?'", 2),
        "the statement has 1 `?` outside quotes, found 2 parameters: each `?` takes one, in order"
    );
    assert!(refused("", 0).starts_with("a statement has 1 to 8192 characters, found 0"));
    assert!(refused(&"ä".repeat(8193), 0).contains("found 8193"));
}

#[test]
fn an_empty_batch_of_statements_asks_nothing() {
    assert!(play(&batch(vec![]), []).output.unwrap().is_empty());
}

#[test]
fn a_batch_is_split_by_kind_in_order_and_at_25() {
    let statements = [vec![read(); 30], vec![write(); 2], vec![read()]].concat();
    let mut counts = Vec::new();
    let mut answer = service(|_| "{}");
    let (output, waits) = run(&batch(statements), |call| {
        let body = std::str::from_utf8(&call.body).unwrap().to_owned();
        counts.push((body.matches("SELECT").count(), body.matches("DELETE").count()));
        answer(call)
    });

    assert_eq!(output.unwrap().len(), 33);
    assert_eq!(counts, [(25, 0), (5, 0), (0, 2), (1, 0)]);
    assert!(waits.is_empty());
}

#[test]
fn each_statement_has_its_own_answer_in_its_place() {
    let answers = [
        r#"{"TableName":"t","Item":{"a":{"S":"x"}}}"#,
        r#"{"TableName":"t"}"#,
        r#"{"Error":{"Code":"ValidationError","Message":"no"}}"#,
        r#"{"Error":{"Code":"ConditionalCheckFailed","Message":"no","Item":{"a":{"S":"y"}}}}"#,
        r#"{"Error":{"Code":"DuplicateItem","Message":"no"}}"#,
        r#"{"Error":{"Code":"ResourceNotFound"}}"#,
    ];
    let (output, _) = run(&batch(vec![write(); 6]), service(|number| answers[number]));

    let outcomes = output.unwrap();
    assert_eq!(
        told(&outcomes),
        [
            r#"{"a":{"S":"x"}}"#,
            "-",
            "ValidationException",
            "ConditionFailed",
            "ItemExists",
            "ResourceNotFoundException"
        ]
    );
    let Err(Error::Condition(failure)) = &outcomes[3] else {
        panic!("told above");
    };
    assert_eq!(failure.meaning, ConditionMeaning::ConditionFailed);
    assert_eq!(failure.item.as_deref(), Some(br#"{"a":{"S":"y"}}"#.as_slice()));
}

#[test]
fn throttled_statements_alone_are_sent_again() {
    let answers = [
        "{}",
        r#"{"Error":{"Code":"ThrottlingError","Message":"slow down"}}"#,
        r#"{"Error":{"Code":"TransactionConflict","Message":"busy"}}"#,
        r#"{"Item":{"a":{"N":"1"}}}"#,
        r#"{"Item":{"a":{"N":"2"}}}"#,
    ];
    let (output, waits) = run(&batch(vec![read(); 3]), service(|number| answers[number]));

    assert_eq!(
        told(&output.unwrap()),
        ["-", r#"{"a":{"N":"1"}}"#, r#"{"a":{"N":"2"}}"#]
    );
    assert_eq!(waits.len(), 1);
}

#[test]
fn a_statement_that_stays_throttled_has_that_as_its_answer() {
    let (output, waits) = run(
        &batch(vec![read()]),
        service(|_| r#"{"Error":{"Code":"ProvisionedThroughputExceeded","Message":"slow down"}}"#),
    );
    assert_eq!(told(&output.unwrap()), ["ProvisionedThroughputExceededException"]);
    assert_eq!(waits.len(), 9);
}

#[test]
fn a_request_that_fails_first_is_raised() {
    let played = play(&batch(vec![write(); 30]), [lost()]);

    assert!(matches!(played.output, Err(Error::Transport(error)) if error.ambiguous));
}

#[test]
fn a_request_that_fails_later_loses_no_answer_and_tells_what_was_not_sent() {
    let mut answer = service(|_| "{}");
    let mut calls = 0;
    let (output, _) = run(&batch(vec![write(); 60]), |call| {
        calls += 1;
        if calls == 2 { lost() } else { answer(call) }
    });

    let outcomes = told(&output.unwrap());
    assert_eq!(calls, 2);
    assert!(outcomes[..25].iter().all(|outcome| outcome == "-"));
    assert!(
        outcomes[25..50]
            .iter()
            .all(|outcome| outcome == "lost, ambiguous: true")
    );
    assert!(outcomes[50..].iter().all(|outcome| outcome == "lost, ambiguous: false"));
}

#[test]
fn what_comes_behind_a_500_was_not_sent_and_is_in_no_doubt() {
    let mut answer = service(|_| "{}");
    let mut calls = 0;
    let (output, _) = run(&batch(vec![write(); 60]), |call| {
        calls += 1;
        if calls == 2 {
            fault("InternalServerError", "{}")
        } else {
            answer(call)
        }
    });

    let outcomes = output.unwrap();
    let in_doubt = |outcome: &Outcome| outcome.as_ref().is_err_and(Error::is_ambiguous);
    assert!(outcomes[..25].iter().all(Result::is_ok));
    assert!(outcomes[25..50].iter().all(in_doubt));
    assert!(outcomes[50..].iter().all(Result::is_err));
    assert!(!outcomes[50..].iter().any(in_doubt));
}

#[test]
fn a_throttled_request_is_sent_again_as_a_whole() {
    let played = play(
        &batch(vec![read()]),
        [
            fault("ThrottlingException", "{}"),
            reply(r#"{"Responses":[{"Item":{"a":{"N":"1"}}}]}"#),
        ],
    );

    assert_eq!(told(&played.output.unwrap()), [r#"{"a":{"N":"1"}}"#]);
    assert_eq!(played.waits.len(), 1);
}

#[test]
fn a_reply_without_an_answer_for_each_statement_is_refused() {
    for body in [r#"{"Responses":[{}]}"#, r#"{"Responses":[{},{},{}]}"#] {
        let played = play(&batch(vec![read(); 2]), [reply(body)]);

        assert!(played.output.unwrap_err().to_string().contains("not DynamoDB's"));
    }
}

#[test]
fn a_transaction_is_one_request_with_a_token() {
    let transaction = ExecuteTransaction::new(vec![write(); 2], Some("once".into()));
    let played = play(&transaction, [reply(r#"{"Responses":[]}"#)]);

    assert!(played.output.unwrap().iter().all(Option::is_none));
    assert!(played.calls[0].starts_with(
        r#"ExecuteTransaction {"ClientRequestToken":"once","TransactStatements":[{"Statement":"DELETE FROM t"#
    ));
}

#[test]
fn a_transaction_of_reads_gives_its_items_in_order() {
    let transaction = ExecuteTransaction::new(vec![read(); 2], None);
    let played = play(&transaction, [reply(r#"{"Responses":[{},{"Item":{"a":{"N":"1"}}}]}"#)]);

    let found = played.output.unwrap();
    assert_eq!(found[0], None);
    assert_eq!(texts(&[found[1].clone().unwrap()]), [r#"{"a":{"N":"1"}}"#]);

    let played = play(&transaction, [reply(r#"{"Responses":[{}]}"#)]);
    assert!(played.output.unwrap_err().to_string().contains("not DynamoDB's"));
}

#[test]
fn an_empty_transaction_asks_nothing() {
    assert!(
        play(&ExecuteTransaction::new(vec![], None), [])
            .output
            .unwrap()
            .is_empty()
    );
}
