//! UUIDs as S text.
