package ottla

import "sync"

// pending holds the promises of records that are on their way. A token is a place in a slice, so that neither a map
// nor a pointer is needed to find the promise of a report.
type pending struct {
	mu         sync.Mutex
	slots      []slot
	free       []uint64
	generation uint64
	left       int
	waiters    []*waiter
}

type slot struct {
	promise func(Report)
	topic   string
	// generation counts the flushes that began before the record was sent.
	generation uint64
}

// waiter is a flush: it waits for the records of its generation and before.
type waiter struct {
	generation uint64
	left       int
	done       chan struct{}
}

func (p *pending) add(topic string, promise func(Report)) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left++
	entry := slot{promise: promise, topic: topic, generation: p.generation}
	if last := len(p.free) - 1; last >= 0 {
		token := p.free[last]
		p.free = p.free[:last]
		p.slots[token] = entry
		return token
	}
	p.slots = append(p.slots, entry)
	return uint64(len(p.slots) - 1)
}

// take moves the entries of these tokens out; each must be settled when its promise was called.
func (p *pending) take(tokens []uint64, entries []slot) []slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, token := range tokens {
		entries = append(entries, p.slots[token])
		p.slots[token] = slot{}
		p.free = append(p.free, token)
	}
	return entries
}

// drop forgets a record that was refused.
func (p *pending) drop(token uint64) { p.settle(p.take([]uint64{token}, nil)) }

func (p *pending) settle(entries []slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left -= len(entries)
	if len(p.waiters) == 0 {
		return
	}
	kept := p.waiters[:0]
	for _, waiter := range p.waiters {
		for _, entry := range entries {
			if entry.generation <= waiter.generation {
				waiter.left--
			}
		}
		if waiter.left == 0 {
			close(waiter.done)
		} else {
			kept = append(kept, waiter)
		}
	}
	clear(p.waiters[len(kept):])
	p.waiters = kept
}

// mark gives a channel that is closed when everything added before is settled.
func (p *pending) mark() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	mark := &waiter{generation: p.generation, left: p.left, done: make(chan struct{})}
	if mark.left == 0 {
		close(mark.done)
	} else {
		p.generation++
		p.waiters = append(p.waiters, mark)
	}
	return mark.done
}

// forget ends the wait for a mark that nobody waits for any more.
func (p *pending) forget(mark <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, waiter := range p.waiters {
		if waiter.done == mark {
			p.waiters = append(p.waiters[:i], p.waiters[i+1:]...)
			return
		}
	}
}

func (p *pending) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left
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
