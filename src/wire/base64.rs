//! Base64 text of B values.
