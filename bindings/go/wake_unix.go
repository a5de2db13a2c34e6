//go:build unix

package ottla

// #include <ottla.h>
import "C"

import (
	"os"
	"syscall"
)

// wake is a copy of the producer's event descriptor in Go's poller.
type wake struct{ file *os.File }

func newWake(producer *C.ottla_producer_t) (wake, error) {
	var fd C.int32_t
	err := call(func() C.int32_t { return C.ottla_producer_event_fd(producer, &fd, nil) })
	if err != nil {
		return wake{}, err
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copied, err := syscall.Dup(int(fd))
	if err != nil {
		return wake{}, err
	}
	syscall.CloseOnExec(copied)
	return wake{os.NewFile(uintptr(copied), "ottla-events")}, nil
}

// each calls drain at once and whenever reports have come, until close. Only drain empties the descriptor, so
// that no wake-up is lost.
func (w wake) each(drain func()) {
	conn, err := w.file.SyscallConn()
	if err == nil {
		// Ends with the error of a closed file.
		_ = conn.Read(func(uintptr) bool {
			drain()
			return false
		})
	}
}

func (w wake) close() { _ = w.file.Close() }
