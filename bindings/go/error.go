package ottla

import (
	"errors"
	"fmt"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// Code is the number of an error: above 0 a broker's, -1 and below ottla's own.
type Code int32

// String gives the name of the code, "NOT_LEADER_OR_FOLLOWER" for 6; "UNKNOWN" when it has none.
func (c Code) String() string { return native.Name(int32(c)) }

// Error is what every failed call and every failed record gives, as *Error.
type Error struct {
	// Code tells errors apart; see the constants.
	Code Code
	// Message says what happened, for people.
	Message string
	// flagged: flags, and not those of the code, tell what can be done.
	flagged bool
	flags   uint32
}

// Error gives message and name of the code.
func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// Is lets errors.Is compare by code: errors.Is(err, &ottla.Error{Code: ottla.CodeQueueFull}).
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// Retriable says whether the same attempt may succeed later.
func (e *Error) Retriable() bool { return e.has(native.FlagRetriable) }

// Abortable says whether the transaction must be aborted, after which the producer can go on.
func (e *Error) Abortable() bool { return e.has(native.FlagAbortable) }

// Fatal says whether the producer must be closed.
func (e *Error) Fatal() bool { return e.has(native.FlagFatal) }

func (e *Error) has(flag uint32) bool {
	if e.flagged {
		return e.flags&flag != 0
	}
	return native.Flags(int32(e.Code))&flag != 0
}

// Version of the library that is linked.
func Version() string {
	version, _ := native.Version()
	return version
}

// public makes an *Error of a failure; other errors stay as they are.
func public(err error) error {
	var failure *native.Failure
	if errors.As(err, &failure) {
		return &Error{Code(failure.Code), failure.Message, failure.Flagged, failure.Flags}
	}
	return err
}

// refusal is the error of a record that was not taken.
func refusal(code int32) error {
	if code == native.CodeClosed {
		return public(native.Closed)
	}
	return &Error{Code: Code(code), Message: native.Description(code)}
}
