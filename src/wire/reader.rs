//! The pull reader of the rigid `{"X": v}` form.
