//! One operation over one transport, call by call, or with several calls under way.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::error::Error;
use crate::ops::{NumberedCall, Operation, Step};
use crate::transport::{Reply, Transport};

/// Carry on from `step` until the operation is done. Waits are on tokio's clock.
pub async fn drive<O: Operation>(
    transport: &impl Transport,
    operation: &mut O,
    mut step: Step<O::Output>,
) -> Result<O::Output, Error> {
    loop {
        let call = match step {
            Step::Done(output) => return Ok(output),
            Step::Call(call) => call,
            Step::CallAfter(delay, call) => {
                tokio::time::sleep(delay).await;
                call
            }
            // Boxed, so that a call alone does not make room for several.
            Step::Calls(calls) => return Box::pin(drive_several(transport, operation, calls)).await,
        };
        step = advance(operation, transport.call(call).await)?;
    }
}

/// What the operation makes of an answer.
pub fn advance<O: Operation>(operation: &mut O, answer: Result<Reply, Error>) -> Result<Step<O::Output>, Error> {
    match answer {
        Ok(reply) => operation.step(reply),
        Err(error) => operation.fail(error),
    }
}

async fn drive_several<O: Operation>(
    transport: &impl Transport,
    operation: &mut O,
    mut calls: Vec<NumberedCall>,
) -> Result<O::Output, Error> {
    let mut under_way = Vec::with_capacity(calls.len());
    loop {
        under_way.extend(calls.into_iter().map(|NumberedCall { number, after, call }| {
            Box::pin(async move {
                // A wait of nothing would still wait for the clock's next tick.
                if !after.is_zero() {
                    tokio::time::sleep(after).await;
                }
                (number, transport.call(call).await)
            })
        }));
        let (number, answer) = first(&mut under_way).await;
        calls = match several(operation.answer(number, answer)?) {
            Ok(calls) => calls,
            Err(output) => return Ok(output),
        };
        // The engine answers at once: without this a large batch would let nobody else in, and could not be cancelled.
        tokio::task::yield_now().await;
    }
}

/// The calls that a step asks for, or the output.
pub fn several<T>(step: Step<T>) -> Result<Vec<NumberedCall>, T> {
    let alone = |after, call| vec![NumberedCall { number: 0, after, call }];
    match step {
        Step::Calls(calls) => Ok(calls),
        Step::Call(call) => Ok(alone(Duration::ZERO, call)),
        Step::CallAfter(delay, call) => Ok(alone(delay, call)),
        Step::Done(output) => Err(output),
    }
}

/// The output of the first future that is ready, which leaves the others. They are a handful, so each wake asks them all.
async fn first<F: Future>(under_way: &mut Vec<Pin<Box<F>>>) -> F::Output {
    assert!(
        !under_way.is_empty(),
        "an operation waits for an answer to none of its calls"
    );
    poll_fn(|context| {
        for place in 0..under_way.len() {
            if let Poll::Ready(output) = under_way[place].as_mut().poll(context) {
                drop(under_way.remove(place));
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}
