package native

// #include "ottla.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"time"
)

// outbox gathers records and hands them over to the library in their order. A record of a quiet moment goes at once;
// when many come, they cross together. Whoever finds a hand-over under way leaves its record to that one.
//
// A record that the library refuses after it was taken here has a report that says so; only what is checked before
// (closed, full, too large) is an error of the call.
type outbox[T any] struct {
	producer *C.ottla_producer_t
	mu       sync.Mutex
	pending  pending[T]
	// closed: no record is taken any more; freed: the stages are gone.
	closed, freed bool
	// filling takes new records; spare is nil while it is being handed over.
	filling, spare *stage
	sending        bool
	// idle wakes who waits for the end of a hand-over; room who waits for room or a lost backlog.
	idle sync.Cond
	room signal
	// backlog is a stage that the library had no room for; while there is one, no record is taken.
	backlog *stage
	// most records may be on their way, those whose reports wait for the application included; 0: no limit.
	most int
	// held counts reports that the face has taken and the application has not.
	held int
	// handed counts reports that the application has while the places of their records are not settled yet.
	handed atomic.Int64
	// refused are the records that the library refused; their reports wait for the next drain.
	refused []refusal
	pace    pace
	stall   stall
	drain   func()
}

// stall notices that there is no room and that nothing moves, because all that takes the room lingers: then what
// lingers is sent. Where reports come all the time, batches are left to fill.
type stall struct {
	timer *time.Timer
	armed bool
	// settled counts records that were reported; seen is what it was when somebody last found no room, and before what
	// it was when the timer last ran.
	settled, seen, before uint64
}

const stallAfter = 5 * time.Millisecond

type refusal struct {
	token     uint64
	status    C.int32_t
	topic     uint32
	partition int32
	message   string
}

// Results of add other than the library's codes.
const taken = 0

func (o *outbox[T]) open(producer *C.ottla_producer_t, most int, drain func()) {
	o.producer, o.most, o.drain = producer, most, drain
	o.pending = newPending[T]()
	o.filling, o.spare = newStage(), newStage()
	o.idle.L = &o.mu
	o.pace.since = time.Now()
	o.pace.timer = time.AfterFunc(time.Hour, o.onTick)
	o.pace.timer.Stop()
	o.stall.timer = time.AfterFunc(time.Hour, o.onStall)
	o.stall.timer.Stop()
}

// full is the answer that there is no room.
func (o *outbox[T]) full() int32 {
	o.stall.seen = o.stall.settled
	if !o.stall.armed {
		o.stall.armed, o.stall.before = true, o.stall.settled
		o.stall.timer.Reset(stallAfter)
	}
	return CodeQueueFull
}

// onStall runs on a goroutine of the timer's. Who found no room is woken by the next report and asks again; so if there
// was one since, nobody depends on this.
func (o *outbox[T]) onStall() {
	o.mu.Lock()
	s := &o.stall
	waiting := !o.closed && s.seen == s.settled
	still := s.before == s.settled
	s.before = s.settled
	s.armed = waiting && !still
	if s.armed {
		s.timer.Reset(stallAfter)
	}
	o.mu.Unlock()
	if waiting && still {
		C.ottla_producer_flush(o.producer, 0, nil)
	}
}

// add takes a record, or says why not: CodeClosed, CodeQueueFull. With keep its report brings key and value back. The entry
// may be nil.
func (o *outbox[T]) add(r *Record, entry *T, keep bool) int32 {
	bytes := r.bytes()
	large := bytes >= largeBytes || len(r.Headers) > stagedHeaders
	o.mu.Lock()
	if refused := o.makeRoom(bytes, len(r.Headers), large); refused != 0 {
		o.mu.Unlock()
		return refused
	}
	token, place := o.pending.add(entry)
	if keep {
		o.pending.keep(place, r)
	}
	answer := int32(taken)
	if large {
		answer = o.addLarge(r, token)
	} else {
		o.filling.add(r, token)
		if !o.sending && (o.pace.now() || o.filling.records == stagedRecords || o.filling.bytes >= sendAtBytes) {
			o.handOver()
		}
	}
	o.mu.Unlock()
	return answer
}

// makeRoom waits until a record can be added, or says why it is not taken.
func (o *outbox[T]) makeRoom(bytes, headers int, large bool) int32 {
	for {
		if o.closed {
			return CodeClosed
		}
		if o.backlog != nil || o.used() {
			return o.full()
		}
		if !large && o.filling.fits(bytes, headers) || large && !o.sending {
			return taken
		}
		if o.sending {
			o.idle.Wait()
		} else {
			o.handOver()
		}
	}
}

// used says whether all places are taken.
func (o *outbox[T]) used() bool {
	taken := o.pending.left + o.held
	return o.most > 0 && taken >= o.most && taken-int(o.handed.Load()) >= o.most
}

// addLarge hands over what stands before a large record, and then the record itself.
func (o *outbox[T]) addLarge(r *Record, token uint64) int32 {
	o.handOver()
	for o.sending {
		o.idle.Wait()
	}
	status, message := C.int32_t(C.OTTLA_ERROR_QUEUE_FULL), ""
	if o.backlog == nil {
		o.sending = true
		o.mu.Unlock()
		status, message = sendLarge(o.producer, r, token)
		o.mu.Lock()
		o.endHandOver()
	}
	switch int32(status) {
	case 0:
		return taken
	case CodeQueueFull, CodeClosed:
		tokens := []uint64{token}
		o.pending.settle(tokens, vacate(o.pending.pages, tokens, nil))
		return int32(status)
	}
	o.refuse(refusal{token, status, r.Topic, r.Partition, message})
	return taken
}

// handOver sends what was gathered until nothing is left, or for so many rounds that others may take over.
func (o *outbox[T]) handOver() {
	if o.sending {
		return
	}
	o.sending = true
	const rounds = 8
	for round := 0; o.filling.records > 0 && o.backlog == nil; round++ {
		if round == rounds {
			o.pace.soon()
			break
		}
		full := o.filling
		o.filling, o.spare = o.spare, nil
		if o.give(full) {
			full.reset()
			o.spare = full
		} else {
			o.backlog, o.spare = full, newStage()
		}
	}
	o.endHandOver()
}

func (o *outbox[T]) endHandOver() {
	o.sending = false
	o.idle.Broadcast()
}

// give sends a stage and says whether the library had room for all of it.
func (o *outbox[T]) give(s *stage) bool {
	for s.first < s.records {
		o.mu.Unlock()
		status := s.send(o.producer)
		o.mu.Lock()
		if int32(status) == CodeQueueFull {
			o.full()
			return false
		}
		if status != 0 {
			o.refuse(s.pass(status, s.message()))
		}
	}
	return true
}

// retry goes on with the backlog when there may be room again.
func (o *outbox[T]) retry() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.sending {
		o.idle.Wait()
	}
	if o.backlog == nil {
		return
	}
	o.sending = true
	if o.give(o.backlog) {
		o.backlog.free()
		o.backlog = nil
	}
	o.endHandOver()
	o.handOver()
}

// push hands over everything that was gathered, and waits until it was.
func (o *outbox[T]) push() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for o.sending {
			o.idle.Wait()
		}
		if o.freed || o.filling.records == 0 || o.backlog != nil {
			return
		}
		o.handOver()
	}
}

// clear is push while the library refuses everything, in which case a backlog is no hindrance.
func (o *outbox[T]) clear() {
	o.retry()
	o.push()
}

func (o *outbox[T]) refuse(one refusal) {
	o.refused = append(o.refused, one)
	if len(o.refused) == 1 {
		o.drain()
	}
}

// abandon refuses what the library never took, when the producer is closed.
func (o *outbox[T]) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.sending {
		o.idle.Wait()
	}
	for _, s := range []*stage{o.backlog, o.filling} {
		if s == nil {
			continue
		}
		for s.first < s.records {
			o.refuse(s.pass(C.int32_t(CodeAborted), Description(CodeAborted)))
		}
		s.reset()
	}
}

// settle gives back the places of records that were delivered, which are vacant; so many of their reports are held.
func (o *outbox[T]) settle(tokens []uint64, counted []tally, held int) {
	o.mu.Lock()
	o.pending.settle(tokens, counted)
	o.held += held
	o.handed.Store(0)
	o.stall.settled += uint64(len(tokens))
	lagging := o.backlog != nil
	o.mu.Unlock()
	if lagging {
		o.retry()
	}
	o.room.raise()
}

func (o *outbox[T]) takeRefused() []refusal {
	o.mu.Lock()
	defer o.mu.Unlock()
	refused := o.refused
	o.refused = nil
	return refused
}

// pages is where the records are that were added before. Holding the lock for a moment also lets the caller see
// what was written there.
func (o *outbox[T]) pages() []*page[T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pending.pages
}

// lagging says whether something waits here for room.
func (o *outbox[T]) lagging() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.freed && (o.backlog != nil || o.filling.records > 0)
}

// shut takes no more records.
func (o *outbox[T]) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.pace.timer.Stop()
	o.stall.timer.Stop()
	o.idle.Broadcast()
}

func (o *outbox[T]) free() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.sending {
		o.idle.Wait()
	}
	o.freed = true
	for _, s := range []*stage{o.backlog, o.filling, o.spare} {
		if s != nil {
			s.free()
		}
	}
	o.filling, o.spare, o.backlog = nil, nil, nil
	o.idle.Broadcast()
}

// pace decides whether records go at once or gather: they gather while so many come that the next ones are at most
// a millisecond away, and a timer sees to it that none waits longer. In quiet times there is no timer.
type pace struct {
	gathering bool
	count     int
	last      int
	since     time.Time
	quiet     int
	timer     *time.Timer
}

const (
	paceSample = 64
	// paceFast is how long a sample takes when records come fast: 200,000 a second.
	paceFast = paceSample * 5 * time.Microsecond
	paceTick = time.Millisecond
	// paceFew is how many records a tick must bring, else it counts as quiet.
	paceFew = 64
)

// now counts a record and says whether it is to go at once.
func (p *pace) now() bool {
	p.count++
	if p.gathering {
		return false
	}
	if p.count%paceSample == 0 {
		now := time.Now()
		if now.Sub(p.since) < paceFast {
			p.gathering, p.last, p.quiet = true, p.count, 0
			p.timer.Reset(paceTick)
		}
		p.since = now
	}
	return !p.gathering
}

// soon has the timer do what the caller leaves undone.
func (p *pace) soon() { p.timer.Reset(0) }

// tick says whether the timer is wanted again.
func (p *pace) tick() bool {
	few := p.count-p.last < paceFew
	p.last = p.count
	if !few {
		p.quiet = 0
	} else if p.quiet++; p.quiet > 1 {
		p.gathering = false
	}
	return p.gathering
}

// onTick runs on a goroutine of the timer's.
func (o *outbox[T]) onTick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	again := o.pace.tick()
	o.handOver()
	if again {
		o.pace.timer.Reset(paceTick)
	}
}

// signal wakes everybody who waits for a next time.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
