//! Item sizes as DynamoDB bills them.
