//! Both APIs over HTTP on loopback, to an axum handler that answers a body of the same size which it has at hand.

mod idle;
mod load;
mod memory;
mod rate;
mod server;

pub use memory::is_measured;

use crate::goal::Goal;

pub const GOALS: &[Goal] = &[
    // Requests a second of 64 connections, with a writer beside on both sides.
    Goal::at_least("http_retrieve/1k", 0.5, rate::retrieve),
    Goal::at_least("http_page/1k", 0.5, rate::page),
    Goal::figure("http_show/1M", rate::show),
    Goal::at_most("http_list_memory_mib/1M", 64.0, memory::of_a_list),
    Goal::at_most("http_p99_idle_connections/500", 2.0, idle::p99_to_without),
];
