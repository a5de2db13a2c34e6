package native

import "unsafe"

// pending holds, for each record on its way, what the face wants back with its report. A token is a place in pages
// that never move, so that neither a map nor a pointer is needed to find a record, and so that reports are read
// without a lock. Everything else is guarded by the outbox's lock.
type pending[T any] struct {
	pages []*page[T]
	free  []uint64
	left  int
	// flushes counts records by the flush that they are sent after: flushes[i] belongs to generation base+i, the
	// last one is that of now.
	flushes []int
	base    uint32
	waiters []waiter
	copies  arena
}

const (
	pageBits  = 10
	pageSlots = 1 << pageBits
)

// page keeps what every record has apart from what few have: the less memory a record takes here, the more of it is still in
// the processor's caches when its report comes.
type page[T any] struct {
	slots [pageSlots]slot
	// entries is made for the first record of the page that has one.
	entries *[pageSlots]T
}

type slot struct {
	// data holds key and value, one behind the other, if they are wanted back.
	data             *byte
	keyLen, valueLen int32
	generation       uint32
	// filled: the record has an entry.
	filled bool
}

// waiter is a flush: it waits until its generation and all before are empty.
type waiter struct {
	generation uint32
	done       chan struct{}
}

func newPending[T any]() pending[T] { return pending[T]{flushes: []int{0}} }

// place is where a token leads: a page, and an index in it.
func place[T any](pages []*page[T], token uint64) (*page[T], uint64) {
	return pages[token>>pageBits], token & (pageSlots - 1)
}

// add takes a place for a record, whose entry may be nil.
func (p *pending[T]) add(entry *T) (uint64, *slot) {
	if len(p.free) == 0 {
		first := uint64(len(p.pages)) << pageBits
		p.pages = append(p.pages, new(page[T]))
		for token := first + pageSlots; token > first; token-- {
			p.free = append(p.free, token-1)
		}
	}
	token := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	page, index := place(p.pages, token)
	slot := &page.slots[index]
	if entry != nil {
		if page.entries == nil {
			page.entries = new([pageSlots]T)
		}
		page.entries[index], slot.filled = *entry, true
	}
	current := len(p.flushes) - 1
	slot.generation = p.base + uint32(current)
	p.flushes[current]++
	p.left++
	return token, slot
}

// tally is how many records were added in one generation.
type tally struct {
	generation uint32
	count      int
}

// vacate clears the slots of records whose reports were delivered, and counts them. It touches as much memory as all else, so
// the intake does it without the lock: until settle the places are nobody else's.
func vacate[T any](pages []*page[T], tokens []uint64, counted []tally) []tally {
	for _, token := range tokens {
		page, index := place(pages, token)
		vacated := &page.slots[index]
		if last := len(counted) - 1; last >= 0 && counted[last].generation == vacated.generation {
			counted[last].count++
		} else {
			counted = append(counted, tally{vacated.generation, 1})
		}
		if vacated.filled {
			var none T
			page.entries[index] = none
		}
		*vacated = slot{}
	}
	return counted
}

// settle gives places back, which are vacant, and wakes the flushes that waited for them.
func (p *pending[T]) settle(tokens []uint64, counted []tally) {
	for _, tally := range counted {
		p.flushes[tally.generation-p.base] -= tally.count
	}
	p.free = append(p.free, tokens...)
	p.left -= len(tokens)
	p.wake()
}

func (p *pending[T]) wake() {
	for len(p.flushes) > 1 && p.flushes[0] == 0 {
		p.flushes = p.flushes[1:]
		p.base++
	}
	for len(p.waiters) > 0 && p.reached(p.waiters[0].generation) {
		close(p.waiters[0].done)
		p.waiters = p.waiters[1:]
	}
}

// reached says whether nothing of this generation or before is on its way.
func (p *pending[T]) reached(generation uint32) bool {
	return int32(p.base-generation) > 0 || p.left == 0
}

// mark gives a channel that is closed when everything added before is settled.
func (p *pending[T]) mark() <-chan struct{} {
	done := make(chan struct{})
	if p.left == 0 {
		close(done)
		return done
	}
	current := p.base + uint32(len(p.flushes)-1)
	if last := len(p.waiters) - 1; last >= 0 && p.flushes[len(p.flushes)-1] == 0 {
		return p.waiters[last].done // nothing was added since that flush
	}
	p.waiters = append(p.waiters, waiter{current, done})
	p.flushes = append(p.flushes, 0)
	p.wake()
	return done
}

// keep copies key and value of a record so that its report can bring them back.
func (p *pending[T]) keep(place *slot, r *Record) {
	key, value := r.Key, r.Value
	if r.ForgetKey {
		key = nil
	}
	if r.ForgetValue {
		value = nil
	}
	place.keyLen, place.valueLen = int32(len(key)), int32(len(value))
	if key == nil {
		place.keyLen = -1
	}
	if value == nil {
		place.valueLen = -1
	}
	data := p.copies.take(len(key) + len(value))
	copy(data[copy(data, key):], value)
	place.data = unsafe.SliceData(data)
}

// kept gives back what keep copied; nil is null.
func (s *slot) kept() (key, value []byte) {
	at := 0
	if s.keyLen >= 0 {
		key = unsafe.Slice(s.data, s.keyLen)[:s.keyLen:s.keyLen]
		at = int(s.keyLen)
	}
	if s.valueLen >= 0 {
		end := at + int(s.valueLen)
		value = unsafe.Slice(s.data, end)[at:end:end]
	}
	return key, value
}

// arena cuts small copies from shared blocks, for one allocation instead of dozens. A block stays as long as the
// last copy in it, which is why blocks are small.
type arena struct{ left []byte }

const arenaBlock = 4 << 10

func (a *arena) take(size int) []byte {
	if size > arenaBlock/8 {
		return make([]byte, size)
	}
	if size >= len(a.left) {
		a.left = make([]byte, arenaBlock)
	}
	cut := a.left[:size:size]
	a.left = a.left[size:]
	return cut
}
