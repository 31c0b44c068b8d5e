//! The pipeline against a server that fails in every way.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::date_time::{DateTime, Format};
use oxidyn::error::{Error, ServiceError, TransportError, TransportKind};
use oxidyn::transport::aws::Account;
use oxidyn::transport::config::{Config, RetryMode};
use oxidyn::transport::effort::Effort;
use oxidyn::transport::{Call, Reply, Transport};
use tokio::runtime::{Builder, Runtime};

use super::server::{Line, Server, answer, ok, refusal, refusal_with};

const BODY: &str = r#"{"TableName":"things"}"#;

pub fn config(server: &Server) -> Config {
    Config {
        region: Some("eu-central-1".to_owned()),
        endpoint_url: Some(server.url.clone()),
        access_key_id: Some("KEY".to_owned()),
        secret_access_key: Some("secret".to_owned()),
        ..Config::default()
    }
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn call_to(operation: &'static str) -> Call {
    Call {
        operation,
        body: BODY.into(),
    }
}

fn call_with(config: Config, operation: &'static str) -> Result<Reply, Error> {
    let aws = Account::new(config).connect();
    runtime().block_on(aws.call(call_to(operation)))
}

fn call(server: &Server, operation: &'static str) -> Result<Reply, Error> {
    call_with(config(server), operation)
}

fn transport_error(outcome: Result<Reply, Error>) -> TransportError {
    match outcome {
        Err(Error::Transport(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn service_error(outcome: Result<Reply, Error>) -> ServiceError {
    match outcome {
        Err(Error::Service(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tries_of_one_call_share_an_invocation_id_and_are_numbered() {
    let server = Server::start([refusal(400, "ThrottlingException"), refusal(500, "InternalServerError")]);

    call(&server, "GetItem").unwrap();

    let requests = server.requests();
    let ids: Vec<_> = requests
        .iter()
        .map(|request| request.header("amz-sdk-invocation-id").unwrap())
        .collect();
    assert_eq!(ids, [ids[0]; 3]);
    assert_eq!(ids[0].len(), 36);
    let tries: Vec<_> = requests
        .iter()
        .map(|request| request.header("amz-sdk-request").unwrap())
        .collect();
    assert_eq!(tries, ["attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3"]);
}

#[test]
fn effort_counts_every_try_and_its_bytes() {
    let server = Server::start([
        refusal(400, "ThrottlingException"),
        refusal(500, "InternalServerError"),
        ok("{}"),
    ]);

    let reply = call(&server, "GetItem").unwrap();

    let refused =
        |code: &str| format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#).len();
    let received = refused("ThrottlingException") + refused("InternalServerError") + "{}".len();
    let expected = Effort {
        attempts: 3,
        throttled: 1,
        bytes_sent: 3 * BODY.len() as u64,
        bytes_received: received as u64,
    };
    assert_eq!(reply.effort, expected);
}

#[test]
fn effort_is_told_by_errors_too() {
    let server = Server::start((0..3).map(|_| refusal(400, "ThrottlingException")));

    let effort = service_error(call(&server, "GetItem")).effort;

    assert_eq!((effort.attempts, effort.throttled), (3, 3));
    let server = Server::start((0..3).map(|_| Line::Close(Vec::new())));
    let effort = transport_error(call(&server, "GetItem")).effort;
    assert_eq!(
        (effort.attempts, effort.bytes_sent, effort.bytes_received),
        (3, 3 * BODY.len() as u64, 0)
    );
}

#[test]
fn a_right_checksum_passes() {
    let checksum = crc32fast::hash(b"{}").to_string();
    let server = Server::start([Line::Answer(answer(200, &[("x-amz-crc32", &checksum)], "{}"))]);

    assert_eq!(&call(&server, "GetItem").unwrap().body[..], b"{}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_damaged_reply_is_asked_for_again_where_that_does_no_harm() {
    let damaged = || Line::Answer(answer(200, &[("x-amz-crc32", "1")], r#"{"Item":{"id":{"S":"wrong"}}}"#));
    let server = Server::start([damaged()]);
    assert_eq!(&call(&server, "GetItem").unwrap().body[..], b"{}");
    // And not on the connection that damaged it.
    assert_eq!((server.requests().len(), server.connections()), (2, 2));

    let server = Server::start([damaged()]);
    let error = transport_error(call(&server, "UpdateItem"));
    assert_eq!((error.kind, error.ambiguous), (TransportKind::Reply, true));
    assert!(error.message.contains("checksum"), "{}", error.message);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_reply_larger_than_dynamodbs_is_not_read() {
    let told = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n{".to_vec();
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let megabyte = vec![b' '; 1 << 20];
    for _ in 0..33 {
        endless.extend_from_slice(b"100000\r\n");
        endless.extend_from_slice(&megabyte);
        endless.extend_from_slice(b"\r\n");
    }
    for bytes in [told, endless] {
        let server = Server::start([Line::Answer(bytes)]);

        let error = transport_error(call(&server, "GetItem"));

        assert_eq!(error.kind, TransportKind::Reply);
        assert!(
            error.message.contains("larger than 33554432 bytes"),
            "{}",
            error.message
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_wrong_clock_is_corrected_by_the_services() {
    let an_hour_ahead = SystemTime::now() + Duration::from_hours(1);
    let date = DateTime::from(an_hour_ahead).fmt(Format::HttpDate).unwrap();
    let server = Server::start([refusal_with(400, "InvalidSignatureException", &[("date", &date)])]);
    let aws = Account::new(config(&server)).connect();
    let runtime = runtime();

    runtime.block_on(aws.call(call_to("UpdateItem"))).unwrap();
    // What was learned stays.
    runtime.block_on(aws.call(call_to("UpdateItem"))).unwrap();

    let requests = server.requests();
    let stamp = |seconds: u64| {
        let time = DateTime::from(UNIX_EPOCH + Duration::from_secs(seconds))
            .fmt(Format::DateTime)
            .unwrap();
        time.replace(['-', ':'], "")
    };
    let expected = an_hour_ahead.duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(requests.len(), 3);
    for request in &requests[1..] {
        let found = request.header("x-amz-date").unwrap();
        // The test itself may take a while.
        assert!(
            (expected - 1..expected + 600).any(|second| stamp(second) == found),
            "{found}"
        );
    }
}

#[test]
fn a_signature_that_is_wrong_by_a_right_clock_is_refused_once() {
    let date = DateTime::from(SystemTime::now()).fmt(Format::HttpDate).unwrap();
    let server = Server::start([refusal_with(400, "InvalidSignatureException", &[("date", &date)])]);

    assert_eq!(
        service_error(call(&server, "GetItem")).code,
        "InvalidSignatureException"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_expired_token_is_tried_again_with_what_is_asked_for_anew() {
    let server = Server::start([refusal(400, "ExpiredTokenException")]);

    call(&server, "UpdateItem").unwrap();

    assert_eq!(server.requests().len(), 2);
}

#[test]
fn operation_timeout_ends_a_call_with_all_its_tries() {
    let server = Server::start((0..9).map(|_| Line::Silence));
    let config = Config {
        read_timeout: Some(Duration::from_millis(200)),
        operation_timeout: Some(Duration::from_millis(300)),
        max_attempts: Some(10),
        ..config(&server)
    };

    let error = transport_error(call_with(config, "GetItem"));

    assert_eq!((error.kind, error.ambiguous), (TransportKind::Timeout, true));
    assert!(error.message.contains("operation_timeout, 300ms"), "{}", error.message);
    // The first is given up by its own limit, and the second by that of all.
    assert!((1..=2).contains(&error.effort.attempts), "{:?}", error.effort);
}

#[test]
fn operation_timeout_during_a_wait_after_refusals_leaves_no_doubt() {
    // Each asks for five seconds.
    let server =
        Server::start((0..9).map(|_| refusal_with(400, "ThrottlingException", &[("x-amz-retry-after", "5000")])));
    let config = Config {
        operation_timeout: Some(Duration::from_millis(300)),
        ..config(&server)
    };

    let error = transport_error(call_with(config, "UpdateItem"));

    assert_eq!((error.kind, error.ambiguous), (TransportKind::Timeout, false));
    assert!(error.message.contains("was not carried out"), "{}", error.message);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn doubt_of_an_earlier_try_outlasts_a_later_one_that_was_refused() {
    let html = || Line::Answer(answer(404, &[], "<html>gone</html>"));
    let server = Server::start([Line::Close(Vec::new()), html()]);
    assert!(transport_error(call(&server, "PutItem")).ambiguous);
    assert_eq!(server.requests().len(), 2);

    let server = Server::start([html()]);
    assert!(!transport_error(call(&server, "PutItem")).ambiguous);
}

#[test]
fn doubt_of_a_failed_server_outlasts_a_later_refusal() {
    let server = Server::start([refusal(500, "InternalServerError"), refusal(400, "ValidationException")]);
    assert!(service_error(call(&server, "PutItem")).is_ambiguous());

    let server = Server::start([refusal(400, "ThrottlingException"), refusal(400, "ValidationException")]);
    assert!(!service_error(call(&server, "PutItem")).is_ambiguous());
}

#[test]
fn a_wait_before_a_retry_keeps_nobody_else_waiting() {
    let server = Server::start([refusal_with(
        400,
        "ThrottlingException",
        &[("x-amz-retry-after", "5000")],
    )]);
    let aws = Account::new(Config {
        max_connections: Some(1),
        ..config(&server)
    })
    .connect();

    runtime().block_on(async {
        let mut throttled = std::pin::pin!(aws.call(call_to("GetItem")));
        let others = async {
            while server.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            for _ in 0..5 {
                aws.call(call_to("PutItem")).await.unwrap();
            }
        };
        tokio::select! {
            outcome = &mut throttled => panic!("{outcome:?}"),
            () = others => {}
        }
    });

    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_server_in_trouble_is_left_for_another_connection() {
    let server = Server::start([refusal(500, "InternalServerError")]);
    call(&server, "GetItem").unwrap();
    assert_eq!((server.requests().len(), server.connections()), (2, 2));

    let server = Server::start([refusal(400, "ThrottlingException")]);
    call(&server, "GetItem").unwrap();
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

#[test]
fn connections_are_bounded_and_kept() {
    let server = Server::start([]);
    let config = Config {
        max_connections: Some(3),
        ..config(&server)
    };
    let aws = Arc::new(Account::new(config).connect());

    runtime().block_on(async {
        let calls: Vec<_> = (0..60)
            .map(|_| {
                let aws = Arc::clone(&aws);
                tokio::spawn(async move { aws.call(call_to("GetItem")).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    });

    assert_eq!(server.requests().len(), 60);
    assert!(server.most_at_once() <= 3, "{}", server.most_at_once());
    // While the first are made, some may be made in vain.
    assert!(server.connections() <= 6, "{}", server.connections());
}

#[test]
fn a_cancelled_call_leaves_the_others_well() {
    let server = Server::start([Line::Silence]);
    let aws = Account::new(Config {
        max_connections: Some(1),
        ..config(&server)
    })
    .connect();

    runtime().block_on(async {
        let cancelled = tokio::time::timeout(Duration::from_millis(100), aws.call(call_to("GetItem"))).await;
        assert!(cancelled.is_err());
        aws.call(call_to("GetItem")).await.unwrap();
    });

    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_call_does_not_wait_for_a_runtime_that_stands_still() {
    let server = Server::start([]);
    let account = Account::new(config(&server));
    let (first, second) = (account.connect(), account.connect());
    let (still, driven) = (runtime(), runtime());
    let mut waiting = std::pin::pin!(first.call(call_to("GetItem")));
    // It begins to look for settings and credentials, and its runtime is not driven any more.
    still.block_on(std::future::poll_fn(|context| {
        assert!(waiting.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    }));

    driven.block_on(second.call(call_to("GetItem"))).unwrap();

    still.block_on(waiting).unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn adaptive_mode_holds_back_after_throttling_and_standard_mode_does_not() {
    for (mode, least) in [(RetryMode::Standard, 30), (RetryMode::Adaptive, 2)] {
        let server = Server::start([refusal(400, "ThrottlingException")]);
        let aws = Account::new(Config {
            retry_mode: Some(mode),
            ..config(&server)
        })
        .connect();

        runtime().block_on(async {
            let calls = async {
                for _ in 0..29 {
                    aws.call(call_to("GetItem")).await.unwrap();
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(4), calls).await;
        });

        let sent = server.requests().len();
        let held_back = sent < 30;
        assert_eq!(held_back, mode == RetryMode::Adaptive, "{mode:?}: {sent}");
        assert!(sent >= least, "{mode:?}: {sent}");
    }
}

#[test]
fn a_budget_that_is_spent_ends_the_retries_of_all_calls() {
    let server = Server::start((0..2000).map(|_| refusal(500, "InternalServerError")));
    let aws = Arc::new(Account::new(config(&server)).connect());

    runtime().block_on(async {
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let aws = Arc::clone(&aws);
                tokio::spawn(async move { aws.call(call_to("GetItem")).await })
            })
            .collect();
        for call in calls {
            service_error(call.await.unwrap());
        }
    });

    // 500 tokens are 35 retries of 14.
    assert_eq!(server.requests().len(), 135);
}

#[test]
fn a_retry_mode_or_number_that_cannot_be_is_told() {
    assert_eq!("legacy".parse(), Ok(RetryMode::Standard));
    assert_eq!(" Adaptive".parse(), Ok(RetryMode::Adaptive));
    assert_eq!("often".parse::<RetryMode>(), Err(()));
}

#[test]
fn a_ca_bundle_that_cannot_be_used_is_told_before_anything_is_sent() {
    let server = Server::start([]);
    let folder = std::env::temp_dir().join(format!("oxidyn-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text, reason) in [
        ("empty.pem", "", "it holds no certificate"),
        (
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be used",
        ),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let config = Config {
            ca_bundle: Some(path),
            ..config(&server)
        };

        let error = transport_error(call_with(config, "GetItem"));

        assert!(
            error.message.contains(reason) && error.message.contains(name),
            "{}",
            error.message
        );
        assert!(!error.ambiguous);
    }
    let config = Config {
        ca_bundle: Some(folder.join("none.pem")),
        ..config(&server)
    };
    assert!(
        transport_error(call_with(config, "GetItem"))
            .message
            .contains("none.pem")
    );
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(server.requests().len(), 0);
}
