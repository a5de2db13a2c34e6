package kafka

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// slab cuts reports from shared allocations, whose cost is what a report costs most. Whoever keeps one report keeps its
// neighbours: many, where they are small and hold nothing of the application's, else few.
type slab struct{ plain, full []Message }

const (
	plainReports = 32
	fullReports  = 8
	// plainBytes is how much key and value of a plain report may be together.
	plainBytes = 512
)

// take gives an empty report; so many are wanted, with this one.
func (s *slab) take(plain bool, wanted int) *Message {
	from, size := &s.full, fullReports
	if plain {
		from, size = &s.plain, plainReports
	}
	if len(*from) == 0 {
		*from = make([]Message, min(size, wanted))
	}
	taken := &(*from)[0]
	*from = (*from)[1:]
	return taken
}

// deliver makes the reports of the messages of one outcome, and gives the number of those that wait for the application.
func (p *Producer) deliver(outcome *native.Outcome, records *native.Records[entry]) (held int) {
	var failure error
	if outcome.Code != 0 {
		failure = Error{code: compatible(outcome.Code)}
		if native.Flags(outcome.Code)&native.FlagFatal != 0 {
			p.stop(Error{code: compatible(outcome.Code), str: outcome.Message, fatal: true})
		}
	}
	var slab slab
	handed := records.Handed
	for i := range records.Len() {
		back, to := records.Entry(i), p.events
		if back != nil && back.delivery != nil {
			to = back.delivery
		} else if !p.config.deliveryReports {
			continue
		}
		var key, value []byte
		if p.config.key || p.config.value {
			key, value = records.Kept(i)
		}
		report := slab.take(back == nil && len(key)+len(value) <= plainBytes, records.Len()-i)
		report.Key, report.Value = key, value
		if back != nil {
			report.Opaque, report.Headers = back.opaque, back.headers
		}
		report.TopicPartition = TopicPartition{Topic: outcome.Topic, Partition: outcome.Partition, Offset: OffsetInvalid,
			Error: failure}
		if outcome.BaseOffset >= 0 {
			report.TopicPartition.Offset = Offset(outcome.BaseOffset + int64(i))
		}
		if p.mail.post(to, report, handed) {
			held++
		}
	}
	return held
}

// mail brings events into channels without waiting for anybody: what does not fit waits in a list per channel, in
// order, and counts as on its way, so that one channel that nobody reads neither stops the others nor takes all memory.
type mail struct {
	// waiting is the number of events in lists.
	waiting atomic.Int64
	// hold tells the producer of them, once there is one.
	hold   atomic.Pointer[func(int)]
	mu     sync.Mutex
	lists  map[chan Event]*list
	ended  chan struct{}
	pumps  sync.WaitGroup
	warned sync.Once
}

type list struct{ events []Event }

func (m *mail) open() {
	m.lists = map[chan Event]*list{}
	m.ended = make(chan struct{})
}

func (m *mail) tell(change int) {
	if hold := m.hold.Load(); hold != nil {
		(*hold)(change)
	}
}

func (m *mail) len() int { return int(m.waiting.Load()) }

// tidings posts an event that is no report.
func (m *mail) tidings(to chan Event, event Event) {
	if m.post(to, event, func(int) {}) {
		m.tell(1)
	}
}

// post brings an event into a channel or its list, and says whether it waits in the list. A channel that the application has
// closed gets nothing. Handed is told before the application can have the event, and told off if it does not take it.
func (m *mail) post(to chan Event, event Event, handed func(int)) (waits bool) {
	defer m.caught()
	if m.waiting.Load() == 0 && offer(to, event, handed) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := m.lists[to]
	if waiting == nil {
		if offer(to, event, handed) {
			return false
		}
		select {
		case <-m.ended:
			return false
		default:
		}
		waiting = &list{}
		m.lists[to] = waiting
		m.pumps.Add(1)
		go m.pump(to, waiting)
	}
	waiting.events = append(waiting.events, event)
	m.waiting.Add(1)
	return true
}

// offer brings an event into a channel that has room.
func offer(to chan Event, event Event, handed func(int)) bool {
	handed(1)
	select {
	case to <- event:
		return true
	default:
		handed(-1)
		return false
	}
}

// pump empties a list into its channel, and ends with it.
func (m *mail) pump(to chan Event, from *list) {
	defer m.pumps.Done()
	for {
		m.mu.Lock()
		events := from.events
		from.events = nil
		if len(events) == 0 {
			delete(m.lists, to)
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		for _, event := range events {
			m.put(to, event)
		}
		m.waiting.Add(int64(-len(events)))
	}
}

func (m *mail) put(to chan Event, event Event) {
	defer m.tell(-1)
	defer m.caught()
	select {
	case to <- event:
	case <-m.ended:
	}
}

// caught takes the panic of a channel that was closed.
func (m *mail) caught() {
	if reason := recover(); reason != nil {
		m.warned.Do(func() {
			fmt.Fprintln(os.Stderr, "ottla: a delivery channel was closed before its reports came:", reason)
		})
	}
}

// close ends the pumps; what is in lists is lost.
func (m *mail) close() {
	close(m.ended)
	m.pumps.Wait()
}
