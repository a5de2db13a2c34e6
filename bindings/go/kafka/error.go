package kafka

import (
	"errors"
	"strconv"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// ErrorCode is the number of an error, as librdkafka numbers them.
type ErrorCode int

// String gives the text of the code, which is librdkafka's.
func (c ErrorCode) String() string {
	if text, known := errorTexts[c]; known {
		return text
	}
	return "Err-" + strconv.Itoa(int(c)) + "?"
}

// Error of a call, a record or the producer. It is comparable: two errors with the same content are equal.
type Error struct {
	code             ErrorCode
	str              string
	fatal            bool
	retriable        bool
	txnRequiresAbort bool
}

// NewError makes an error; with an empty str its text is that of the code.
func NewError(code ErrorCode, str string, fatal bool) (err Error) {
	return Error{code: code, str: str, fatal: fatal}
}

// Error gives the text, as String.
func (e Error) Error() string { return e.String() }

// String gives the text, with "Fatal error: " before it if the error is fatal.
func (e Error) String() string {
	text := e.str
	if text == "" {
		text = e.code.String()
	}
	if e.fatal {
		return "Fatal error: " + text
	}
	return text
}

// Code of the error.
func (e Error) Code() ErrorCode { return e.code }

// IsFatal says whether the producer must be closed.
func (e Error) IsFatal() bool { return e.fatal }

// IsRetriable says whether the call may be repeated. Set by transaction calls only.
func (e Error) IsRetriable() bool { return e.retriable }

// IsTimeout says whether a time limit on this side had run out.
func (e Error) IsTimeout() bool {
	return e.code == ErrTimedOut || e.code == ErrTimedOutQueue || e.code == ErrMsgTimedOut
}

// TxnRequiresAbort says whether the transaction must be aborted, after which the producer can go on. Set by transaction
// calls only.
func (e Error) TxnRequiresAbort() bool { return e.txnRequiresAbort }

// errClosed is what every call on a closed producer gives.
var errClosed = Error{code: ErrState, str: "Operation not allowed on closed client"}

// compatible gives librdkafka's number for a status.
func compatible(status int32) ErrorCode {
	if code, known := ofStatus[status]; known {
		return code
	}
	return ErrorCode(status)
}

// public makes an Error of a failure.
func public(err error) error {
	if err == nil {
		return nil
	}
	var failure *native.Failure
	if !errors.As(err, &failure) {
		return err
	}
	if failure.Code == native.CodeClosed {
		return errClosed
	}
	return Error{code: compatible(failure.Code), str: failure.Message}
}

// notBuilt is the error of calls that need what is not there yet.
func notBuilt(what string) Error {
	return Error{code: ErrNotImplemented, str: what + " is not built into this version of ottla"}
}
