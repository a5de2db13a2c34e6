//! News from the sender for application threads that wait: metadata came, a topic failed, the end.
//! Holds no metadata itself; whoever is woken looks again.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use crate::accumulator::topic::Topic;
use crate::error::Error;
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::time::Time;

/// The board. See the head of the file.
#[derive(Debug, Default)]
pub struct Bulletin {
    news: Mutex<News>,
    changed: Condvar,
}

/// What is written on the board.
#[derive(Debug, Default)]
pub struct News {
    /// Counts metadata updates.
    pub metadata_updates: u64,
    /// The last failure to reach or use the cluster, until an update succeeds.
    pub cluster_error: Option<Error>,
    /// Set while no broker can be reached at all.
    pub unreachable: Option<Error>,
    /// Errors of topics, until metadata brings them, and when the question was asked that each answers.
    pub topic_errors: HashMap<u32, (Error, Time)>,
    /// The producer is being closed.
    pub closed: bool,
}

impl News {
    /// What somebody is told who has waited for a topic's metadata for so long.
    pub fn no_metadata(&self, topic: &Topic, waited: Duration) -> String {
        let answer = self.topic_errors.get(&topic.id).map(|answer| &answer.0);
        let reason = match answer.or(self.cluster_error.as_ref()) {
            Some(error) => error.to_string(),
            None => "no broker has answered a metadata request yet".to_owned(),
        };
        let waited_ms = waited.as_millis();
        format!("no metadata for topic {} within {waited_ms} ms: {reason}", topic.name)
    }
}

impl Bulletin {
    /// Changes the news and wakes everybody who waits.
    pub fn post(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.read());
        self.changed.notify_all();
    }

    /// The news.
    pub fn read(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, at most `timeout`.
    pub fn wait<'a>(&self, news: MutexGuard<'a, News>, timeout: Duration) -> MutexGuard<'a, News> {
        // A wait beyond a year is a wait without limit; the condition variable cannot take any number.
        let bounded = timeout.min(Duration::from_secs(31_536_000));
        let waited = self.changed.wait_timeout(news, bounded);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
