//! Why a transaction was refused, operation by operation.

use bytes::Bytes;

use super::reply;
use crate::error::{Cancellation, Error, ServiceError};
use crate::wire::reader::{self, Reader};

/// The error of a transaction in the caller's terms: a cancellation with its reasons, any other error as it is.
pub(super) fn explain(error: Error) -> Error {
    let Error::Service(error) = error else {
        return error;
    };
    if error.code != "TransactionCanceledException" {
        return Error::Service(error);
    }
    match reasons(&error) {
        Ok(reasons) if !reasons.is_empty() => Error::Cancelled(Cancellation {
            reasons,
            request_id: error.request_id,
        }),
        _ => Error::Service(error),
    }
}

/// Each reason as the error reply that the operation alone would have got: both hold the stored item as `Item`.
fn reasons(error: &ServiceError) -> reader::Result<Vec<Option<ServiceError>>> {
    let mut reasons = Vec::new();
    reply::members(&mut Reader::new(&error.body), |name, reader| match name {
        "CancellationReasons" => reply::elements(reader, |reader| {
            let start = reader.position();
            reader.skip_value()?;
            reasons.push(reason(error.body.slice(start..reader.position()), error)?);
            Ok(())
        }),
        _ => reader.skip_value(),
    })?;
    Ok(reasons)
}

fn reason(body: Bytes, error: &ServiceError) -> reader::Result<Option<ServiceError>> {
    let (mut code, mut message) = (None, None);
    reply::members(&mut Reader::new(&body), |name, reader| {
        let told = match name {
            "Code" => &mut code,
            "Message" => &mut message,
            _ => return reader.skip_value(),
        };
        if !reader.try_null() {
            *told = Some(reader.text()?.to_string());
        }
        Ok(())
    })?;
    Ok(code.filter(|code| code != "None").map(|code| ServiceError {
        code: reply::full_code(&code),
        message: message.unwrap_or_default(),
        status: error.status,
        request_id: error.request_id.clone(),
        body,
        in_doubt: false,
        effort: error.effort,
    }))
}
