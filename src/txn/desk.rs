//! Where application threads and the sender meet over transactions: the state, and the one call that is under
//! way. A call whose time ran out stays here: only the same call may take it up again. Never talks to
//! brokers.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::error::{Error, ErrorCode, Result};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::txn::group::GroupOffsets;
use crate::txn::state::{State, Step};

/// What an application can ask for and must wait for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// `init_transactions`.
    Initialize,
    /// `send_offsets_to_transaction`.
    SendOffsets(GroupOffsets),
    /// `commit_transaction`.
    Commit,
    /// `abort_transaction`.
    Abort,
}

impl Ask {
    /// The call's name.
    pub fn name(&self) -> &'static str {
        match self {
            Ask::Initialize => "init_transactions",
            Ask::SendOffsets(_) => "send_offsets_to_transaction",
            Ask::Commit => "commit_transaction",
            Ask::Abort => "abort_transaction",
        }
    }

    fn step(&self) -> Option<Step> {
        match self {
            Ask::Initialize => Some(Step::Initialize),
            Ask::SendOffsets(_) => None,
            Ask::Commit => Some(Step::Commit),
            Ask::Abort => Some(Step::Abort),
        }
    }
}

/// A call and what came of it.
#[derive(Debug)]
pub struct Call {
    /// What is asked for.
    pub ask: Ask,
    outcome: OnceCell<Result<()>>,
}

impl Call {
    /// Whether it has not ended.
    pub fn is_open(&self) -> bool {
        self.outcome.get().is_none()
    }

    /// The first outcome counts.
    fn settle(&self, outcome: Result<()>) {
        let _ = self.outcome.set(outcome);
    }
}

/// The desk. See the head of the file.
pub struct Desk {
    board: Mutex<Board>,
    changed: Condvar,
    /// Told under the lock whether records are taken, whenever the state changes.
    admit: Box<dyn Fn(bool) + Send + Sync>,
}

#[derive(Debug)]
struct Board {
    state: State,
    /// Why the state is what it is, when something failed.
    failure: Option<Error>,
    /// The call that is under way, or whose outcome nobody has taken.
    call: Option<Arc<Call>>,
    /// No call will be answered any more.
    ended: Option<Error>,
}

impl Board {
    /// Why a call is not possible now.
    fn refusal(&self, what: &str) -> Error {
        if let Some(error) = &self.ended {
            return error.clone();
        }
        match (&self.failure, self.state) {
            (Some(failure), State::Fatal) => failure.clone(),
            (Some(failure), State::Abortable) => {
                failure.clone().context("the transaction failed and must be aborted")
            }
            (_, state) => Error::new(ErrorCode::STATE, format!("{what}: {}", state.description())),
        }
    }

    fn settle(&mut self, outcome: Result<()>) {
        if let Some(call) = &self.call {
            call.settle(outcome);
        }
    }
}

/// The application's side.
impl Desk {
    /// A desk at which nothing was asked yet.
    pub fn new(admit: Box<dyn Fn(bool) + Send + Sync>) -> Desk {
        admit(false);
        let board = Board { state: State::Uninitialized, failure: None, call: None, ended: None };
        Desk { board: Mutex::new(board), changed: Condvar::new(), admit }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// `STATE` in any state but ready; what failed, where something did.
    pub fn begin(&self) -> Result<()> {
        let mut board = self.lock();
        let what = "begin_transaction";
        if let Some(call) = &board.call {
            return Err(unfinished(what, &call.ask));
        }
        match board.state.after(Step::Begin) {
            Some(state) if board.ended.is_none() => {
                self.enter(&mut board, state);
                Ok(())
            }
            _ => Err(board.refusal(what)),
        }
    }

    /// Places a call, or takes up again the same one, whose time ran out; true when it is new: the sender
    /// is then to be told.
    ///
    /// # Errors
    /// `STATE` when the state does not allow it or another call has not finished; what failed, where
    /// something did.
    pub fn ask(&self, ask: Ask) -> Result<(Arc<Call>, bool)> {
        let mut board = self.lock();
        if let Some(call) = board.call.clone() {
            if call.ask == ask {
                return Ok((call, false));
            }
            if board.ended.is_none() && !Self::gives_way(&call, &ask) {
                return Err(unfinished(ask.name(), &call.ask));
            }
        }
        let next = match ask.step() {
            Some(step) => board.state.after(step),
            None => Some(board.state).filter(|state| state.takes_records()),
        };
        let Some(next) = next.filter(|_| board.ended.is_none()) else {
            return Err(board.refusal(ask.name()));
        };
        let text = "the transaction was aborted before its offsets were sent";
        board.settle(Err(Error::new(ErrorCode::ABORTED, text)));
        board.failure = None;
        let call = Arc::new(Call { ask, outcome: OnceCell::new() });
        board.call = Some(call.clone());
        self.enter(&mut board, next);
        self.changed.notify_all();
        Ok((call, true))
    }

    /// An abort is possible while offsets are on their way, or were, and nobody waits for them any more.
    fn gives_way(call: &Call, ask: &Ask) -> bool {
        matches!((&call.ask, ask), (Ask::SendOffsets(_), Ask::Abort))
    }

    /// Waits once, at most `timeout`, for news; what came of the call, if it has ended.
    pub fn wait(&self, call: &Arc<Call>, timeout: Duration) -> Option<Result<()>> {
        let mut board = self.lock();
        if call.is_open() && !timeout.is_zero() {
            // A wait beyond a year is one without limit; the condition variable cannot take any number.
            let bounded = timeout.min(Duration::from_secs(31_536_000));
            let waited = self.changed.wait_timeout(board, bounded);
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let outcome = call.outcome.get()?.clone();
        if board.call.as_ref().is_some_and(|known| Arc::ptr_eq(known, call)) {
            board.call = None;
        }
        Some(outcome)
    }

    /// Why no record is taken now.
    pub fn why_no_records(&self) -> Error {
        self.lock().refusal("send")
    }

    fn enter(&self, board: &mut Board, state: State) {
        board.state = state;
        (self.admit)(state.takes_records());
    }
}

/// The sender's side.
impl Desk {
    /// Where the producer stands.
    pub fn state(&self) -> State {
        self.lock().state
    }

    /// The call that has no outcome yet.
    pub fn open_call(&self) -> Option<Arc<Call>> {
        self.lock().call.clone().filter(|call| call.is_open())
    }

    /// Takes a step that the table has.
    ///
    /// # Errors
    /// `STATE`, fatal, when the table does not: the sender and the table disagree, and nothing can be
    /// relied on (KAFKA-14831).
    pub fn advance(&self, step: Step) -> Result<()> {
        let mut board = self.lock();
        match board.state.after(step) {
            Some(state) => {
                self.enter(&mut board, state);
                Ok(())
            }
            None => {
                let text = format!("a fault inside ottla: {step:?} while {:?}", board.state);
                Err(Error::new(ErrorCode::STATE, text).into_fatal())
            }
        }
    }

    /// This call has ended; another one may have taken its place meanwhile.
    pub fn finish(&self, call: &Call, outcome: Result<()>) {
        // Under the lock, so that nobody who is about to wait misses it.
        let board = self.lock();
        call.settle(outcome);
        drop(board);
        self.changed.notify_all();
    }

    /// The producer closes: a transaction that is not being ended is aborted, and a call under way ends with
    /// `CLOSED`. True if there was one.
    pub fn close(&self) -> bool {
        let mut board = self.lock();
        let Some(next) = board.state.after(Step::Abort) else { return false };
        let text = "the producer was closed, which aborted the transaction";
        board.settle(Err(Error::new(ErrorCode::CLOSED, text)));
        self.enter(&mut board, next);
        self.changed.notify_all();
        true
    }

    /// The transaction can only be aborted from now on; a call under way ends with that. True if that is new.
    pub fn fail(&self, error: &Error) -> bool {
        let mut board = self.lock();
        let Some(next) = board.state.after(Step::Fail) else { return false };
        let new = next != board.state;
        if new {
            let failure = named(error).into_abortable();
            board.settle(Err(failure.clone()));
            board.failure = Some(failure);
            self.enter(&mut board, next);
            self.changed.notify_all();
        }
        new
    }

    /// The producer can only be closed from now on.
    pub fn die(&self, error: &Error) {
        let mut board = self.lock();
        let failure = named(error).into_fatal();
        board.settle(Err(failure.clone()));
        if board.state != State::Fatal {
            board.failure = Some(failure);
        }
        self.enter(&mut board, State::Fatal);
        self.changed.notify_all();
    }

    /// The producer is closed: whoever waits is told.
    pub fn end(&self, error: &Error) {
        let mut board = self.lock();
        board.settle(Err(error.clone()));
        board.ended.get_or_insert_with(|| error.clone());
        (self.admit)(false);
        self.changed.notify_all();
    }
}

/// A failure under a name that no caller takes for "call again": that is what `TIMED_OUT` says of a call.
fn named(error: &Error) -> Error {
    match error.code() {
        ErrorCode::TIMED_OUT => {
            Error::new(ErrorCode::REQUEST_TIMED_OUT, error.message().to_owned())
        }
        _ => error.clone(),
    }
}

fn unfinished(what: &str, call: &Ask) -> Error {
    let name = call.name();
    let text = format!("{what}: {name} has not finished; only {name} may be called (or close)");
    Error::new(ErrorCode::STATE, text)
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk({:?})", self.lock())
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
