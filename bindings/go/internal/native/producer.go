package native

// #include "ottla.h"
import "C"

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Producer is a producer of the library with what a face wants to find again of each record, a T. Any number of
// goroutines may use it at once. It must be closed.
type Producer[T any] struct {
	handle  *C.ottla_producer_t
	wake    wake
	outbox  outbox[T]
	intake  intake[T]
	courier courier
	// refusing is why records are refused at once: CodeState, with a transactional.id outside of a transaction, or the fatal
	// error of a call about transactions. 0: they are not.
	refusing atomic.Int32
	// committing: a commit was asked for that has no outcome yet.
	committing    atomic.Bool
	transactional bool
	events        *events

	lastTopic atomic.Pointer[topic]
	topicsMu  sync.RWMutex
	topics    map[string]*topic
	numbered  map[uint32]*topic

	drained  chan struct{}
	closing  sync.Once
	closeErr [2]error
}

// Face is what a package makes of a producer.
type Face[T any] struct {
	// Deliver gets the records of one outcome, on one goroutine for all. It must not keep the slots. It gives the number of
	// reports that wait for the application, which go on taking a place each until Hold(-1).
	Deliver func(outcome *Outcome, records *Records[T]) (held int)
	// Event gets the log and errors; may be nil. Called on threads of the library's, one call at a time, and first while
	// the producer is being made.
	Event func(Event)
}

// NewProducer makes a producer. Connecting happens in the background.
func NewProducer[T any](settings *Settings, face Face[T]) (*Producer[T], error) {
	p := &Producer[T]{topics: map[string]*topic{}, numbered: map[uint32]*topic{}, drained: make(chan struct{}), events: newEvents(settings, face.Event)}
	var err error
	if p.handle, err = p.events.newProducer(settings); err != nil {
		return nil, err
	}
	if p.wake, err = newWake(p.handle); err != nil {
		C.ottla_producer_free(p.handle)
		return nil, err
	}
	most, _ := settings.Get("queue.buffering.max.messages")
	limit, _ := strconv.Atoi(most)
	transactional, _ := settings.Get("transactional.id")
	if p.transactional = transactional != ""; p.transactional {
		p.refusing.Store(CodeState)
	}
	p.outbox.open(p.handle, limit, p.wake.interrupt)
	p.intake.deliver, p.intake.records.handed = face.Deliver, &p.outbox.handed
	go func() {
		defer close(p.drained)
		p.courier.begin()
		p.wake.each(p.drain)
	}()
	return p, nil
}

// Topic gives a topic its number.
func (p *Producer[T]) Topic(name string) (uint32, error) {
	if last := p.lastTopic.Load(); last != nil && last.name == name {
		return last.number, nil
	}
	p.topicsMu.RLock()
	known := p.topics[name]
	p.topicsMu.RUnlock()
	if known != nil {
		p.lastTopic.Store(known)
		return known.number, nil
	}
	data, size := text(name)
	var made C.uint32_t
	err := call(func() C.int32_t { return C.ottla_producer_topic(p.handle, data, size, &made, nil) })
	if err != nil {
		return 0, err
	}
	p.topicsMu.Lock()
	defer p.topicsMu.Unlock()
	own := &topic{strings.Clone(name), uint32(made)}
	p.topics[own.name] = own
	if p.numbered[own.number] == nil {
		p.numbered[own.number] = own
	}
	return own.number, nil
}

// topicName gives the name back to a number; always the same pointer.
func (p *Producer[T]) topicName(number uint32) *string {
	p.topicsMu.RLock()
	defer p.topicsMu.RUnlock()
	if known := p.numbered[number]; known != nil {
		return &known.name
	}
	return nil
}

type topic struct {
	name   string
	number uint32
}

// Send takes a record without waiting, or says why not: CodeClosed, CodeQueueFull, CodeState outside of a transaction, the
// fatal error of a transaction. What else may be wrong with it is told by its report, which finds the entry again, if it is not
// nil, and with keep brings key and value back.
func (p *Producer[T]) Send(record *Record, entry *T, keep bool) int32 {
	if code := p.refusing.Load(); code != 0 {
		return p.refuse(code)
	}
	return p.outbox.add(record, entry, keep)
}

func (p *Producer[T]) refuse(code int32) int32 {
	p.outbox.mu.Lock()
	defer p.outbox.mu.Unlock()
	if p.outbox.closed {
		return CodeClosed
	}
	return code
}

// Room gives a channel that is closed when records have been reported, after which Send may succeed again.
func (p *Producer[T]) Room() <-chan struct{} { return p.outbox.room.next() }

// Hold changes the number of reports that wait for the application, which count as records on their way.
func (p *Producer[T]) Hold(change int) {
	p.outbox.mu.Lock()
	p.outbox.held += change
	p.outbox.mu.Unlock()
	if change < 0 {
		p.outbox.room.raise()
	}
}

// Len is the number of records that were taken and whose Deliver has not returned.
func (p *Producer[T]) Len() int {
	p.outbox.mu.Lock()
	defer p.outbox.mu.Unlock()
	return p.outbox.pending.left
}

// Push hands over what was gathered, now.
func (p *Producer[T]) Push() { p.outbox.push() }

// Hurry has everything sent that was taken so far, without lingering and without waiting for it.
func (p *Producer[T]) Hurry() error {
	_, err := p.hurry()
	return err
}

// hurry is Hurry; it also says whether something was left on this side, which will linger when there is room for it.
func (p *Producer[T]) hurry() (left bool, err error) {
	p.outbox.push()
	left = p.outbox.lagging()
	return left, call(func() C.int32_t {
		status := C.ottla_producer_flush(p.handle, 0, nil)
		if int32(status) == CodeTimedOut {
			return 0 // not done yet, which nobody expected
		}
		return status
	})
}

// Flush sends what lingers and waits until everything taken before is delivered, or until ctx ends.
func (p *Producer[T]) Flush(ctx context.Context) error {
	if p.courier.here() {
		return errInCallback
	}
	p.outbox.mu.Lock()
	done := p.outbox.pending.mark()
	p.outbox.mu.Unlock()
	for left := true; ; {
		room := p.outbox.room.next()
		if left {
			var err error
			if left, err = p.hurry(); err != nil {
				return err
			}
		}
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-room:
		}
	}
}

// Purge fails records of these flags, PurgeQueued and PurgeInFlight, instead of waiting for them.
func (p *Producer[T]) Purge(flags uint32) error {
	p.outbox.push()
	return call(func() C.int32_t { return C.ottla_producer_purge(p.handle, C.uint32_t(flags)) })
}

// Close takes no more records, waits until the others are delivered or ctx ends, fails what is left then, and frees the
// producer. It gives the error of waiting and that of closing. Further calls wait for the first one and return the
// same.
func (p *Producer[T]) Close(ctx context.Context) (waiting, closing error) {
	if p.courier.here() {
		return nil, errInCallback
	}
	p.closing.Do(func() { p.closeErr[0], p.closeErr[1] = p.shutDown(ctx) })
	return p.closeErr[0], p.closeErr[1]
}

func (p *Producer[T]) shutDown(ctx context.Context) (waiting, closing error) {
	p.outbox.shut()
	waiting = p.Flush(ctx)
	ending, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	p.EndTransaction(ending)
	closing = call(func() C.int32_t { return C.ottla_producer_close(p.handle, 0, nil) })
	p.outbox.abandon()
	p.wake.close()
	<-p.drained
	p.drain() // what was failed just now
	C.ottla_producer_free(p.handle)
	p.events.close()
	p.outbox.free()
	p.outbox.room.raise()
	return waiting, closing
}

// message is the text of a failed run.
func (p *Producer[T]) message(number C.uint32_t, status C.int32_t) string {
	var size C.size_t
	C.ottla_producer_message(p.handle, number, nil, 0, &size)
	if number == 0 || size == 0 {
		return Description(int32(status))
	}
	buffer := make([]byte, size+1)
	data, capacity := field(buffer)
	C.ottla_producer_message(p.handle, number, data, capacity, nil)
	return string(buffer[:size])
}

// milliseconds of what is left of ctx, rounded up; -1 without a deadline.
func milliseconds(ctx context.Context) C.int64_t {
	deadline, limited := ctx.Deadline()
	if !limited {
		return -1
	}
	left := time.Until(deadline)
	return C.int64_t(max(0, (left + time.Millisecond - 1).Milliseconds()))
}
