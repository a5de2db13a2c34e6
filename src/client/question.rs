//! Owns what a new connection is asked first, and how long an answer may take: ApiVersions, or, of a broker
//! that may be older than that (KIP-35), the question of age, which only those answer. Never concludes
//! anything from a connection that ends or from silence, except what to ask on the next one.

use crate::error::Result;
use crate::metadata::NodeId;
use crate::protocol::age::encode_age_question;
use crate::protocol::ApiKey;
use crate::time::Time;

use super::event::ClientEvent;
use super::in_flight::{Purpose, Request};
use super::network::Network;
use super::node::{Phase, Step};
use super::versions::NodeApiVersions;
use super::Client;

/// What tells what a broker speaks.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Question {
    /// ApiVersions: from 0.10 on.
    Versions,
    /// The question of age: before 0.10.
    Age,
}

impl Question {
    /// What to ask after a connection that brought no answer to this one.
    pub fn other(self) -> Question {
        match self {
            Question::Versions => Question::Age,
            Question::Age => Question::Versions,
        }
    }
}

/// What the brokers of a cluster have in common, as far as is known: a hint, never a belief.
#[derive(Copy, Clone, Debug)]
pub(super) struct FirstQuestion {
    /// The one that a broker answered last, or that no broker left unanswered last.
    pub question: Question,
    /// A broker has answered one.
    pub answered: bool,
}

impl Default for FirstQuestion {
    fn default() -> Self {
        FirstQuestion { question: Question::Versions, answered: false }
    }
}

/// Brokers of 0.9 leave the connection open at ApiVersions and are silent. As long as nobody of the cluster
/// has answered anything, and the other question was not tried, so much silence is enough to try it.
const FIRST_PATIENCE_MS: u32 = 1000;

/// A broker that knows how to answer the question of age does so without doing anything.
const AGE_PATIENCE_MS: u32 = 5000;

impl<N: Network> Client<N> {
    /// A connection stands: asks what has to be known before anything else.
    pub(super) fn ask_first(&mut self, node: NodeId, now: Time) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        match *peer.question.get_or_insert(self.first_question.question) {
            Question::Versions => self.ask_versions(node, None, now),
            Question::Age => {
                if let Err(error) = self.ask_age(node, now) {
                    self.disconnect(node, error.message(), now);
                }
            }
        }
    }

    /// The connection to `node` ended by itself, or was silent for too long: if that was in place of an
    /// answer to what is asked first, the other question comes next.
    pub(super) fn note_end(&mut self, node: NodeId) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let (Phase::CheckingVersions, Some(asked)) = (peer.phase(), peer.question) else { return };
        peer.age_refused |= asked == Question::Age;
        peer.question = Some(asked.other());
        if !self.first_question.answered {
            self.first_question.question = asked.other();
        }
    }

    /// How long ApiVersions may take on `node`.
    pub(super) fn versions_patience_ms(&self, node: NodeId) -> u32 {
        let asked_age = self.peers.get(&node).is_some_and(|peer| peer.age_refused);
        let patience_ms = self.settings.request_timeout_ms;
        if asked_age || self.first_question.answered {
            patience_ms
        } else {
            patience_ms.min(FIRST_PATIENCE_MS)
        }
    }

    fn ask_age(&mut self, node: NodeId, now: Time) -> Result<()> {
        let correlation_id = self.next_correlation_id();
        let frame = encode_age_question(correlation_id, &self.settings.client_id)?;
        let patience_ms = self.settings.request_timeout_ms.min(AGE_PATIENCE_MS);
        let request = Request {
            api: ApiKey::Produce,
            // Of the answer.
            version: 0,
            correlation_id,
            sent_at: now,
            deadline: now.plus_ms(u64::from(patience_ms)),
            purpose: Purpose::Age,
        };
        self.hand_over(node, request, frame.into(), true, now);
        Ok(())
    }

    /// The broker answered the question of age: it is one before 0.10.
    pub(super) fn age_answered(&mut self, node: NodeId) {
        self.accept_versions(node, NodeApiVersions::before_0_10(), Question::Age);
    }

    /// It is known what the node speaks, by its answer to `question`.
    pub(super) fn accept_versions(
        &mut self,
        node: NodeId,
        versions: NodeApiVersions,
        question: Question,
    ) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        peer.step(Step::AcceptVersions, Time::NEVER);
        peer.versions = Some(versions);
        peer.failures = 0;
        peer.question = Some(question);
        self.first_question = FirstQuestion { question, answered: true };
        self.unreachable_told = false;
        self.events.push(ClientEvent::Ready(node));
    }
}
