//! Never more requests without an answer on one connection than
//! `max.in.flight.requests.per.connection`, as the broker sees it.

use crate::sim::wire::Link;

/// After a request came in.
pub(in crate::sim) fn check(link: &Link, most: usize) -> Result<(), String> {
    let count = link.waiting.len();
    if count <= most {
        return Ok(());
    }
    let list: Vec<(i16, i32)> = link.waiting.iter().map(|w| (w.api, w.correlation_id)).collect();
    Err(format!("{count} requests in flight to broker {:?}, {most} allowed: {list:?}", link.broker))
}
