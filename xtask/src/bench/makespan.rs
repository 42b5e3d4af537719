//! How long an apply takes beside its critical path, on a paused clock.
