//! The pipeline and the AWS runtime's own operation over the same faults: the same outcome, after as many requests.

use std::time::Duration;

use oxidyn::error::Error;
use oxidyn::transport::aws::Account;
use oxidyn::transport::aws::reference::Reference;
use oxidyn::transport::config::Config;
use oxidyn::transport::{Call, Reply, Transport};

use super::pipeline::{config, runtime};
use super::server::{Line, Server, answer, ok, refusal};

/// What a caller can tell apart.
fn outcome(answer: Result<Reply, Error>) -> String {
    match answer {
        Ok(reply) => format!("{:?} {:?}", reply.body, reply.request_id),
        Err(Error::Service(error)) => {
            format!(
                "{} {} {:?} {:?}",
                error.status, error.code, error.request_id, error.body
            )
        }
        Err(Error::Transport(error)) => format!("{:?}, ambiguous: {}", error.kind, error.ambiguous),
        Err(error) => panic!("{error:?}"),
    }
}

fn faults() -> Vec<(&'static str, Line)> {
    let html = "<html>busy</html>";
    vec![
        ("throttled", refusal(400, "ThrottlingException")),
        (
            "over the table's throughput",
            refusal(400, "ProvisionedThroughputExceededException"),
        ),
        ("internal error", refusal(500, "InternalServerError")),
        ("unknown error with 500", refusal(500, "Other")),
        ("unavailable", refusal(503, "ServiceUnavailable")),
        ("refused", refusal(400, "ValidationException")),
        ("condition", refusal(400, "ConditionalCheckFailedException")),
        ("conflict", refusal(400, "TransactionConflictException")),
        ("page of a gateway", Line::Answer(answer(502, &[], html))),
        ("page of the web", Line::Answer(answer(200, &[], html))),
        ("page not found", Line::Answer(answer(404, &[], html))),
        ("closed before the answer", Line::Close(Vec::new())),
        ("half a head", Line::Close(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())),
        ("no HTTP", Line::Close(b"SSH-2.0-server\r\n".to_vec())),
        (
            "half a body",
            Line::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"Item\":".to_vec()),
        ),
        (
            "half a chunk",
            Line::Close(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"Item\":".to_vec()),
        ),
        ("silence", Line::Silence),
        ("no body", Line::Answer(answer(200, &[], ""))),
    ]
}

#[test]
fn pipeline_and_reference_end_alike_after_as_many_requests_over_the_same_faults() {
    let bodies: &[(&str, &str)] = &[
        ("GetItem", "{}"),
        ("PutItem", "{}"),
        ("PutItem", r#"{"ConditionExpression":"attribute_exists(id)"}"#),
        ("UpdateItem", "{}"),
        ("TransactWriteItems", r#"{"ClientRequestToken":"t"}"#),
        ("TransactWriteItems", "{}"),
    ];
    let faults = faults();
    let mut compared = 0;
    for (operation, body) in bodies {
        for (name, fault) in &faults {
            // Once, and for as long as it is tried.
            for times in [1, 3] {
                let script = || {
                    let faults = std::iter::repeat_n(fault.clone(), times);
                    faults.chain([ok(r#"{"Item":{}}"#)]).collect::<Vec<_>>()
                };
                let call = || Call {
                    operation,
                    body: (*body).into(),
                };
                let (own, theirs) = (Server::start(script()), Server::start(script()));
                let config = |server| Config {
                    // Others must not be late, on however busy a machine.
                    read_timeout: matches!(fault, Line::Silence).then_some(Duration::from_millis(300)),
                    ..config(server)
                };
                let pipeline = Account::new(config(&own)).connect();
                let reference = Reference::new(Account::new(config(&theirs)));

                let own_outcome = outcome(runtime().block_on(pipeline.call(call())));
                let their_outcome = outcome(runtime().block_on(reference.call(call())));

                assert_eq!(
                    (own_outcome, own.requests().len()),
                    (their_outcome, theirs.requests().len()),
                    "{operation} {body}: {name}, {times} times"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 6 * 18 * 2);
}

#[test]
fn pipeline_and_reference_send_the_same_request() {
    let sent = |own: bool| {
        let server = Server::start([]);
        let mut config = config(&server);
        config.session_token = Some("token".to_owned());
        config.connect_timeout = Some(Duration::from_secs(1));
        let account = Account::new(config);
        let call = Call {
            operation: "PutItem",
            body: "{}".into(),
        };
        if own {
            runtime().block_on(account.connect().call(call)).unwrap();
        } else {
            runtime().block_on(Reference::new(account).call(call)).unwrap();
        }
        let request = server.requests().remove(0);
        let header = |name: &str| request.header(name).map(str::to_owned);
        let line = request.head.lines().next().unwrap().to_owned();
        (
            line,
            request.body.clone(),
            ["content-type", "x-amz-target", "x-amz-security-token", "content-length"].map(header),
            header("host").unwrap().split(':').next().unwrap().to_owned(),
        )
    };

    assert_eq!(sent(true), sent(false));
}
