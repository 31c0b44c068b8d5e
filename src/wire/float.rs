//! Floats as N text: the shortest that reads back as the same float.
