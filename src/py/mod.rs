//! The classes that Python sees, one file each, thin.
