//! Dates and times as fixed-width S text and as N seconds.
