//! Drives an operation: the loop of the bridge, without its threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oxidyn::error::{Error, Result, ServiceError};
use oxidyn::expr::ast::{Comparison, Condition, Grid, Path, Value};
use oxidyn::ops::{Operation, Step};
use oxidyn::transport::effort::Effort;
use oxidyn::transport::{Call, Reply};
use oxidyn::wire::Tag;

/// Run an operation; `answer` is the service. Waits are noted instead of waited.
pub fn run<O: Operation>(
    operation: &O,
    mut answer: impl FnMut(Call) -> Result<Reply>,
) -> (Result<O::Output>, Vec<Duration>) {
    let mut waits = Vec::new();
    // As the bridge does: the operation itself stays as it was made.
    let mut operation = operation.clone();
    let mut step = Ok(operation.start());
    let mut under_way = VecDeque::new();
    loop {
        match step {
            Ok(Step::Done(output)) => return (Ok(output), waits),
            Ok(Step::Call(call)) => under_way.push_back((0, Duration::ZERO, call)),
            Ok(Step::CallAfter(wait, call)) => under_way.push_back((0, wait, call)),
            Ok(Step::Calls(calls)) => {
                under_way.extend(calls.into_iter().map(|each| (each.number, each.after, each.call)));
            }
            Err(error) => return (Err(error), waits),
        }
        let (number, wait, call) = under_way.pop_front().expect("a call is under way");
        if !wait.is_zero() {
            waits.push(wait);
        }
        step = operation.answer(number, answer(call));
    }
}

/// Run an operation on answers written down beforehand; the output and the calls that were made.
pub fn play<O: Operation>(operation: &O, script: impl IntoIterator<Item = Result<Reply>>) -> Played<O::Output> {
    let mut script: VecDeque<_> = script.into_iter().collect();
    let mut calls = Vec::new();
    let (output, waits) = run(operation, |call| {
        calls.push(format!(
            "{} {}",
            call.operation,
            std::str::from_utf8(&call.body).unwrap()
        ));
        script.pop_front().expect("the script has an answer for each call")
    });
    assert!(
        script.is_empty(),
        "{} answers of the script were not asked for",
        script.len()
    );
    Played { output, calls, waits }
}

#[derive(Debug)]
pub struct Played<T> {
    pub output: Result<T>,
    /// `GetItem {"TableName":…}`
    pub calls: Vec<String>,
    pub waits: Vec<Duration>,
}

/// The first request of an operation.
pub fn request<O: Operation>(operation: &O) -> String {
    match operation.clone().start() {
        Step::Call(call) => format!("{} {}", call.operation, std::str::from_utf8(&call.body).unwrap()),
        Step::Calls(mut calls) => {
            let first = calls.remove(0).call;
            format!("{} {}", first.operation, std::str::from_utf8(&first.body).unwrap())
        }
        Step::CallAfter(..) | Step::Done(_) => panic!("the operation does not start with a request"),
    }
}

/// A line of a script, as `fault` is.
#[allow(clippy::unnecessary_wraps)]
pub fn reply(body: impl Into<Bytes>) -> Result<Reply> {
    Ok(Reply {
        body: body.into(),
        request_id: None,
        effort: Effort::default(),
    })
}

pub fn fault(code: &str, body: &'static str) -> Result<Reply> {
    Err(Error::Service(ServiceError {
        code: code.to_owned(),
        message: String::new(),
        status: 400,
        request_id: Some("R1".to_owned()),
        body: Bytes::from_static(body.as_bytes()),
        in_doubt: false,
        effort: Effort::default(),
    }))
}

pub fn names<const N: usize>(names: [&str; N]) -> Vec<Arc<str>> {
    names.into_iter().map(Arc::from).collect()
}

pub fn s(text: &str) -> Value {
    Value {
        tag: Tag::S,
        wire: format!(r#"{{"S":"{text}"}}"#).into_bytes().into(),
        grid: Grid::Dense,
    }
}

pub fn i(number: i64) -> Value {
    Value {
        tag: Tag::N,
        wire: format!(r#"{{"N":"{number}"}}"#).into_bytes().into(),
        grid: Grid::Integer,
    }
}

pub fn compare(name: &str, comparison: Comparison, value: Value) -> Condition {
    Condition::compare(Path::attribute(name), comparison, value)
}

pub fn eq(name: &str, value: Value) -> Condition {
    compare(name, Comparison::Equal, value)
}
