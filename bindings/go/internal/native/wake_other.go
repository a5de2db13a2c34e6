//go:build !unix

package native

// #include "ottla.h"
import "C"

// wake waits inside the library, in turns, where there is no descriptor to wait for.
type wake struct {
	producer    *C.ottla_producer_t
	ended       chan struct{}
	interrupted chan struct{}
}

const turnMs = 100

func newWake(producer *C.ottla_producer_t) (wake, error) {
	return wake{producer, make(chan struct{}), make(chan struct{}, 1)}, nil
}

func (w wake) each(drain func()) {
	for {
		drain()
		select {
		case <-w.ended:
			return
		case <-w.interrupted:
		default:
			// With no room for a report the call only waits.
			var count C.size_t
			C.ottla_producer_poll(w.producer, nil, 0, turnMs, &count)
		}
	}
}

func (w wake) interrupt() {
	select {
	case w.interrupted <- struct{}{}:
	default:
	}
}

func (w wake) close() { close(w.ended) }
