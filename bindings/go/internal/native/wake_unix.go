//go:build unix

package native

// #include "ottla.h"
import "C"

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// wake is a copy of the producer's event descriptor in Go's poller.
type wake struct {
	file   *os.File
	closed *atomic.Bool
}

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
	return wake{os.NewFile(uintptr(copied), "ottla-events"), new(atomic.Bool)}, nil
}

// each calls drain at once, whenever reports have come, and after interrupt, until close. Only drain empties the
// descriptor, so that no wake-up is lost.
func (w wake) each(drain func()) {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	for {
		// Ends with the error of a deadline in the past, or of a closed file.
		err := conn.Read(func(uintptr) bool {
			drain()
			return false
		})
		if w.closed.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		// Interrupted again from here on, the next round ends at once; before, drain sees what there is.
		_ = w.file.SetReadDeadline(time.Time{})
	}
}

// interrupt has drain called once more.
func (w wake) interrupt() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) }

func (w wake) close() {
	w.closed.Store(true)
	_ = w.file.Close()
}
