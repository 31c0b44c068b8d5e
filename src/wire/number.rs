//! N text: digits, range, order; never through a float.
