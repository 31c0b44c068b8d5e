//! A model's core schema, compiled: instances to bytes and back.
