//! Replies as they are read: no copy where one frame holds them, no more than DynamoDB ever sends, and nothing damaged.

use std::future::poll_fn;
use std::pin::Pin;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http_body::Body;

use super::failure::Fault;
use crate::limits::{BATCH_REPLY_BYTES, REPLY_BYTES};

/// The most that an answer to this operation may have.
pub fn limit(operation: &str) -> usize {
    match operation {
        "BatchGetItem" | "BatchExecuteStatement" => BATCH_REPLY_BYTES,
        _ => REPLY_BYTES,
    }
}

/// The body, whole.
pub async fn read(body: &mut SdkBody, limit: usize) -> Result<Bytes, Fault> {
    let mut waited = false;
    let whole = gather(body, limit, &mut waited).await?;
    if waited {
        // The connection's task tells us of the body's end before it gives the connection back. Until then the next call
        // would open one more.
        tokio::task::yield_now().await;
    }
    Ok(whole)
}

async fn gather(body: &mut SdkBody, limit: usize, waited: &mut bool) -> Result<Bytes, Fault> {
    let told = Body::size_hint(body).exact();
    if told.is_some_and(|told| told > limit as u64) {
        return Err(Fault::TooLarge { limit });
    }
    let Some(first) = frame(body, waited).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(Fault::TooLarge { limit });
    }
    if Body::is_end_stream(body) {
        return Ok(first);
    }
    let Some(second) = frame(body, waited).await? else {
        return Ok(first);
    };
    // What was told is room to keep only after the first frame came: it may be a lie.
    let told = told.and_then(|told| usize::try_from(told).ok()).unwrap_or(0);
    let mut whole = BytesMut::with_capacity(told.max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(frame_bytes) = next {
        if whole.len() + frame_bytes.len() > limit {
            return Err(Fault::TooLarge { limit });
        }
        whole.extend_from_slice(&frame_bytes);
        next = frame(body, waited).await?;
    }
    Ok(whole.freeze())
}

/// The next bytes, if there are more, and whether they were waited for.
async fn frame(body: &mut SdkBody, waited: &mut bool) -> Result<Option<Bytes>, Fault> {
    loop {
        let next = poll_fn(|context| {
            let polled = Pin::new(&mut *body).poll_frame(context);
            *waited |= polled.is_pending();
            polled
        });
        match next.await {
            None => return Ok(None),
            Some(Err(error)) => return Err(Fault::Broken(error)),
            Some(Ok(frame)) => {
                // Trailers say nothing to us.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// DynamoDB tells the checksum of each body; others that speak its protocol need not.
pub fn check(response: &HttpResponse, body: &[u8]) -> Result<(), Fault> {
    let told = response
        .headers()
        .get("x-amz-crc32")
        .and_then(|told| told.trim().parse().ok());
    match told {
        Some(told) if told != crc32fast::hash(body) => Err(Fault::Damaged {
            told,
            found: crc32fast::hash(body),
        }),
        _ => Ok(()),
    }
}
