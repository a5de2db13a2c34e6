package kafka

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// slabReports is how many reports share an allocation: whoever keeps one of them keeps at most so many.
const slabReports = 8

// deliver makes the reports of the messages of one outcome.
func (p *Producer) deliver(outcome *native.Outcome, records *native.Records[entry]) {
	var failure error
	if outcome.Code != 0 {
		failure = Error{code: compatible(outcome.Code)}
		if native.Flags(outcome.Code)&native.FlagFatal != 0 {
			p.stop(Error{code: compatible(outcome.Code), str: outcome.Message, fatal: true})
		}
	}
	var slab []Message
	for i := range records.Len() {
		back := records.Entry(i)
		to := back.delivery
		if to == nil {
			if !p.config.deliveryReports {
				continue
			}
			to = p.events
		}
		if len(slab) == 0 {
			slab = make([]Message, min(slabReports, records.Len()-i))
		}
		report := &slab[0]
		slab = slab[1:]
		report.Opaque = back.opaque
		if back.headers != nil {
			report.Headers = *back.headers
		}
		report.TopicPartition = TopicPartition{Topic: outcome.Topic, Partition: outcome.Partition, Offset: OffsetInvalid,
			Error: failure}
		if outcome.BaseOffset >= 0 {
			report.TopicPartition.Offset = Offset(outcome.BaseOffset + int64(i))
		}
		if p.config.key || p.config.value {
			report.Key, report.Value = records.Kept(i)
		}
		p.mail.post(to, report)
	}
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

// post brings an event into a channel or its list. A channel that the application has closed gets nothing.
func (m *mail) post(to chan Event, event Event) {
	defer m.caught()
	if m.waiting.Load() == 0 {
		select {
		case to <- event:
			return
		default:
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := m.lists[to]
	if waiting == nil {
		select {
		case to <- event:
			return
		case <-m.ended:
			return
		default:
		}
		waiting = &list{}
		m.lists[to] = waiting
		m.pumps.Add(1)
		go m.pump(to, waiting)
	}
	waiting.events = append(waiting.events, event)
	m.waiting.Add(1)
	m.tell(1)
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
