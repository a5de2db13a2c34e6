package native

// #include "ottla.h"
import "C"

import (
	"context"
	"time"
)

// WaitReady waits until a broker has answered, or until ctx ends; it fails at once when every broker refuses.
func (p *Producer[T]) WaitReady(ctx context.Context) error {
	return inTurns(ctx, func() error {
		return call(func() C.int32_t { return C.ottla_producer_wait_ready(p.handle, 0, nil) })
	})
}

const (
	shortestTurn = time.Millisecond
	longestTurn  = 16 * time.Millisecond
)

// goesOn says whether the same call is to be made again. A record that was not delivered in time makes a transaction fail
// with the same code, which is then for good.
func (f *Failure) goesOn() bool {
	return f.Code == CodeTimedOut && f.Flags&(FlagAbortable|FlagFatal) == 0
}

// inTurns repeats a call that would wait inside C, without letting it, until it has not timed out: it is for
// questions that are rare and whose answers come from the network. An end of ctx ends it at once.
func inTurns(ctx context.Context, ask func() error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for turn := shortestTurn; ; turn = min(2*turn, longestTurn) {
		err := ask()
		failure, ok := err.(*Failure)
		if !ok || !failure.goesOn() {
			return err
		}
		timer.Reset(turn)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
