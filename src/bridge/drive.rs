//! One operation over one transport, call by call.

use crate::error::Error;
use crate::ops::{Operation, Step};
use crate::transport::{Reply, Transport};

/// Carry on from `step` until the operation is done. `CallAfter` waits on tokio's clock.
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
