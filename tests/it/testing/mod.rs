//! What the feature `testing` gives to the tests of others.

mod faults;
mod faults_random;
mod simulation;
