//! One binary for all integration tests: a module a behaviour.
