//! Owns the states of a transactional producer and the table of what leads from one to another. Pure.
//! Java: `TransactionManager.State`.

/// Where a transactional producer stands.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It has no producer id.
    Uninitialized,
    /// It asks for one; whatever an older instance left open is being aborted.
    Initializing,
    /// It can begin a transaction.
    Ready,
    /// Records and offsets join the transaction.
    InTransaction,
    /// What was sent is being acknowledged, then the coordinator commits.
    Committing,
    /// What was sent is being given up, then the coordinator aborts.
    Aborting,
    /// The transaction failed: it can only be aborted.
    Abortable,
    /// The producer failed: it can only be closed.
    Fatal,
}

/// What may happen to it.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// The application wants an id.
    Initialize,
    /// The coordinator gave one.
    Initialized,
    /// The coordinator refused one; it may be asked again.
    Refuse,
    /// The application begins a transaction.
    Begin,
    /// The application commits it.
    Commit,
    /// The application aborts it.
    Abort,
    /// The coordinator ended it.
    End,
    /// Something of the transaction failed.
    Fail,
    /// Something failed that no transaction can get over.
    Die,
}

/// The table: from, what happens, to. What is not in it must not happen.
const TRANSITIONS: [(State, Step, State); 21] = {
    use State::*;
    use Step::*;
    [
        (Uninitialized, Initialize, Initializing),
        (Initializing, Initialized, Ready),
        (Initializing, Refuse, Uninitialized),
        (Ready, Begin, InTransaction),
        (InTransaction, Commit, Committing),
        (InTransaction, Abort, Aborting),
        (InTransaction, Fail, Abortable),
        (Committing, End, Ready),
        (Committing, Fail, Abortable),
        (Abortable, Abort, Aborting),
        // The first failure counts.
        (Abortable, Fail, Abortable),
        (Aborting, End, Ready),
        // It is being given up anyway.
        (Aborting, Fail, Aborting),
        (Uninitialized, Die, Fatal),
        (Initializing, Die, Fatal),
        (Ready, Die, Fatal),
        (InTransaction, Die, Fatal),
        (Committing, Die, Fatal),
        (Aborting, Die, Fatal),
        (Abortable, Die, Fatal),
        (Fatal, Die, Fatal),
    ]
};

impl State {
    /// Where `step` leads; `None` when it must not happen here.
    pub fn after(self, step: Step) -> Option<State> {
        let row = TRANSITIONS.iter().find(|&&(from, what, _)| (from, what) == (self, step));
        row.map(|&(_, _, to)| to)
    }

    /// Whether records may be sent.
    pub fn takes_records(self) -> bool {
        self == State::InTransaction
    }

    /// Whether there is a transaction that has not ended.
    pub fn has_transaction(self) -> bool {
        use State::*;
        matches!(self, InTransaction | Committing | Aborting | Abortable)
    }

    /// What an application is told about it.
    pub fn description(self) -> &'static str {
        match self {
            State::Uninitialized => "init_transactions was not called yet",
            State::Initializing => "init_transactions has not finished",
            State::Ready => "there is no transaction: call begin_transaction first",
            State::InTransaction => "a transaction is open",
            State::Committing => "the transaction is being committed",
            State::Aborting => "the transaction is being aborted",
            State::Abortable => "the transaction failed and must be aborted",
            State::Fatal => "the producer failed and must be closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 8] = {
        use State::*;
        [Uninitialized, Initializing, Ready, InTransaction, Committing, Aborting, Abortable, Fatal]
    };

    #[test]
    fn the_table_answers_each_question_once() {
        let mut questions: Vec<_> =
            TRANSITIONS.iter().map(|&(from, what, _)| (from, what)).collect();
        questions.sort_unstable();
        let count = questions.len();
        questions.dedup();
        assert_eq!(questions.len(), count);
    }

    #[test]
    fn the_way_through_and_its_branches() {
        use Step::*;
        let walk = |from: State, steps: &[Step]| {
            steps.iter().try_fold(from, |state, &step| state.after(step))
        };
        let ready = walk(State::Uninitialized, &[Initialize, Refuse, Initialize, Initialized]);
        assert_eq!(ready, Some(State::Ready));
        for round in [
            &[Begin, Commit, End][..],
            &[Begin, Abort, End],
            &[Begin, Fail, Fail, Abort, Fail, End],
            &[Begin, Commit, Fail, Abort, End],
        ] {
            assert_eq!(walk(State::Ready, round), Some(State::Ready), "{round:?}");
        }
    }

    #[test]
    fn nothing_leads_out_of_fatal_and_everything_into_it() {
        for state in STATES {
            assert_eq!(state.after(Step::Die), Some(State::Fatal));
            assert_eq!(state.takes_records(), state == State::InTransaction);
        }
        use Step::*;
        for step in [Initialize, Initialized, Refuse, Begin, Commit, Abort, End, Fail] {
            assert_eq!(State::Fatal.after(step), None);
        }
    }

    #[test]
    fn what_must_not_happen() {
        for (state, step) in [
            (State::Ready, Step::Initialize),
            (State::Ready, Step::Commit),
            (State::Ready, Step::Abort),
            (State::InTransaction, Step::Begin),
            (State::Abortable, Step::Commit),
            (State::Abortable, Step::Begin),
            (State::Committing, Step::Abort),
            (State::Aborting, Step::Commit),
            (State::Uninitialized, Step::Begin),
        ] {
            assert_eq!(state.after(step), None, "{state:?} {step:?}");
        }
    }
}
