// Package native is the one place where Go meets libottla: everything cgo stands here, and both packages ottla
// and kafka are built on it. It knows neither of their vocabularies.
//
// Two rules hold in all of it. C never gets Go memory with Go pointers in it, and keeps none: records are written
// into memory of C's, and what belongs to a record on the Go side is found again by its token, a number. And no
// goroutine waits inside C: calls return at once, and who waits, waits in Go.
package native

/*
#cgo CFLAGS: -I${SRCDIR}
#include "ottla.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Failure is a status that is not 0, with its text.
type Failure struct {
	// Code is one of the header's OTTLA_ERROR_ numbers.
	Code int32
	// Message says what happened, for people.
	Message string
	// Flagged: Flags, and not those of the code, tell what can be done.
	Flagged bool
	Flags   uint32
}

func (f *Failure) Error() string { return fmt.Sprintf("%s (%s)", f.Message, Name(f.Code)) }

// Name is the name of a status, "NOT_LEADER_OR_FOLLOWER" for 6; "UNKNOWN" when it has none.
func Name(code int32) string { return C.GoString(C.ottla_error_name(C.int32_t(code))) }

// Description says in one sentence what a status means.
func Description(code int32) string { return C.GoString(C.ottla_error_description(C.int32_t(code))) }

// Flags tells what can be done about a status: the sum of its Flag... values.
func Flags(code int32) uint32 { return uint32(C.ottla_error_flags(C.int32_t(code))) }

// Version of the library that is linked, as text and as major<<24 | minor<<16 | patch<<8.
func Version() (string, uint32) {
	return C.GoString(C.ottla_version()), uint32(C.ottla_version_number())
}

// call makes a failure of a call's status. The text of an error is kept by thread, so the goroutine stays on its
// thread between the call and the question.
func call(function func() C.int32_t) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status := function(); status != 0 {
		return lastFailure(status)
	}
	return nil
}

// lastFailure is the failure of the last call on this thread.
func lastFailure(status C.int32_t) error {
	if int32(status) == CodeHandle || int32(status) == CodeClosed {
		return Closed
	}
	size := C.ottla_last_error_message(nil, 0) + 1
	buffer := make([]byte, size)
	C.ottla_last_error_message((*C.char)(unsafe.Pointer(unsafe.SliceData(buffer))), size)
	return &Failure{Code: int32(status), Message: string(buffer[:size-1])}
}

// Closed is the failure of every call on something that is closed.
var Closed error = &Failure{Code: CodeClosed, Message: "it is closed"}

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
