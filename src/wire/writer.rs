//! The append-only writer of DynamoDB JSON.
