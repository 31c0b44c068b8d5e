//! The pipeline to AWS: its signatures, its retries, and that it behaves as the AWS runtime's own operation does.

#[path = "aws/life.rs"]
mod life;
#[path = "aws/pipeline.rs"]
mod pipeline;
#[cfg(feature = "reference")]
#[path = "aws/reference.rs"]
mod reference;
#[path = "aws/retry.rs"]
mod retry;
#[path = "aws/server.rs"]
mod server;
#[path = "aws/signer.rs"]
mod signer;
