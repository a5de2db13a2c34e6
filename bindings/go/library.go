package ottla

/*
#cgo CFLAGS: -I${SRCDIR}/../../include
#cgo LDFLAGS: -lottla
#include <ottla.h>
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Code is the number of an error: above 0 a broker's, -1 and below ottla's own.
type Code int32

// String gives the name of the code, "NOT_LEADER_OR_FOLLOWER" for 6; "UNKNOWN" when it has none.
func (c Code) String() string { return C.GoString(C.ottla_error_name(C.int32_t(c))) }

// Error is what every failed call and every failed record gives, as *Error.
type Error struct {
	// Code tells errors apart; see the constants.
	Code Code
	// Message says what happened, for people.
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// Is lets errors.Is compare by code: errors.Is(err, &ottla.Error{Code: ottla.CodeQueueFull}).
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// Retriable says whether the same attempt may succeed later.
func (e *Error) Retriable() bool { return e.has(C.OTTLA_ERROR_FLAG_RETRIABLE) }

// Abortable says whether the transaction must be aborted, after which the producer can go on.
func (e *Error) Abortable() bool { return e.has(C.OTTLA_ERROR_FLAG_ABORTABLE) }

// Fatal says whether the producer must be closed.
func (e *Error) Fatal() bool { return e.has(C.OTTLA_ERROR_FLAG_FATAL) }

func (e *Error) has(flag C.uint32_t) bool { return C.ottla_error_flags(C.int32_t(e.Code))&flag != 0 }

// Version of the library that is loaded.
func Version() string { return C.GoString(C.ottla_version()) }

// call makes an error of a call's status. The text of an error is kept by thread, so the goroutine stays on its
// thread between the call and the question.
func call(function func() C.int32_t) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status := function(); status != 0 {
		return failure(status)
	}
	return nil
}

// failure is the error of the last call on this thread.
func failure(status C.int32_t) error {
	if Code(status) == CodeHandle || Code(status) == CodeClosed {
		return errClosed
	}
	size := C.ottla_last_error_message(nil, 0) + 1
	buffer := make([]byte, size)
	C.ottla_last_error_message((*C.char)(unsafe.Pointer(unsafe.SliceData(buffer))), size)
	return &Error{Code: Code(status), Message: string(buffer[:size-1])}
}

var errClosed error = &Error{Code: CodeClosed, Message: "it is closed"}

// text gives C a view of a string for the length of a call.
func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

// field gives C a view of bytes for the length of a call; nil stays NULL, which is null.
//
// The type of the pointer matters: of a *C.char cgo knows that no pointer is behind it, whatever object the
// bytes are part of.
func field(b []byte) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))), C.size_t(len(b))
}

// own copies what C lends; NULL becomes nil.
func own(data unsafe.Pointer, size C.size_t) []byte {
	if data == nil {
		return nil
	}
	return append([]byte{}, unsafe.Slice((*byte)(data), int(size))...)
}
