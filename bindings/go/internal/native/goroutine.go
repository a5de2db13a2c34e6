package native

import (
	"bytes"
	"runtime"
	"strconv"
	"sync/atomic"
)

// courier knows the goroutine that delivers reports, so that a call that would wait for it, made on it, fails instead
// of waiting for ever. Go tells a goroutine's number only in its stack, which is read where a call is about to wait.
type courier struct{ number atomic.Uint64 }

func (c *courier) begin() { c.number.Store(goroutine()) }

// here says whether the caller runs on it, which is to say in a promise, a hook or a delivery of the face's.
func (c *courier) here() bool { return c.number.Load() == goroutine() }

func goroutine() uint64 {
	var buffer [64]byte
	stack := bytes.TrimPrefix(buffer[:runtime.Stack(buffer[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(stack, []byte(" "))
	number, _ := strconv.ParseUint(string(digits), 10, 64)
	return number
}

// errInCallback is the failure of a call that would wait for its own goroutine.
var errInCallback error = &Failure{Code: CodeInCallback, Message: "it would wait for the goroutine that it was called on"}

// Delivering says whether the caller runs inside Deliver.
func (p *Producer[T]) Delivering() bool { return p.courier.here() }
