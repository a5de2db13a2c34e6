package ottla

import (
	"context"
	"sync"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// Header is a name and a value that travel with a record. A nil value is null; an empty one is empty.
type Header struct {
	Key   string
	Value []byte
}

// Record is what is sent. Its bytes are copied before the call returns.
type Record struct {
	// Key and Value: nil is null, and an empty slice is empty.
	Key   []byte
	Value []byte
	// Headers in order. Names are UTF-8.
	Headers []Header
	// Partition to send to; nil lets the partitioner choose. See To.
	Partition *int32
	// Timestamp of the record, in milliseconds when sent; the zero time is now.
	Timestamp time.Time
}

// To makes a value for Record.Partition.
func To(partition int32) *int32 { return &partition }

// Persistence says whether a record is in the log: what may be sent again without making a duplicate.
type Persistence int

const (
	// NotPersisted: the record is surely not in the log.
	NotPersisted Persistence = native.PersistenceNotPersisted
	// PossiblyPersisted: it was sent and the answer is not known (with acks=0 there never is one).
	PossiblyPersisted Persistence = native.PersistencePossiblyPersisted
	// Persisted: the broker said that it is in the log.
	Persisted Persistence = native.PersistencePersisted
)

// Report says what became of a record.
type Report struct {
	Topic string
	// Partition, or -1 when none had been chosen.
	Partition int32
	// Offset, or -1 when unknown.
	Offset int64
	// Timestamp is the broker's, or the record's own when report.timestamps is on; else zero.
	Timestamp time.Time
	// Latency from the creation of the record's batch to this report.
	Latency time.Duration
	// Persistence says whether sending again may duplicate the record.
	Persistence Persistence
	// Err is nil when the record was delivered; else an *Error.
	Err error
}

// Reports of several records, in the order in which they were given.
type Reports []Report

// FirstErr is the error of the first record that failed, or nil.
func (r Reports) FirstErr() error {
	for i := range r {
		if r[i].Err != nil {
			return r[i].Err
		}
	}
	return nil
}

// Future is the promise of a report. Any number of goroutines may wait for it.
type Future struct {
	producer *Producer
	mu       sync.Mutex
	done     chan struct{}
	ready    bool
	report   Report
}

func (f *Future) complete(report Report) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report, f.ready = report, true
	if f.done != nil {
		close(f.done)
	}
}

// Done is closed when the report is there.
func (f *Future) Done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = make(chan struct{})
		if f.ready {
			close(f.done)
		}
	}
	return f.done
}

// Wait returns the report, and its error, or the error of ctx if that ends first. The record stays on its way then.
func (f *Future) Wait(ctx context.Context) (Report, error) {
	done := f.Done()
	select {
	case <-done:
		return f.report, f.report.Err
	default:
	}
	if f.producer.native.Delivering() {
		return Report{}, refusal(native.CodeInCallback)
	}
	f.producer.native.Push()
	select {
	case <-done:
		return f.report, f.report.Err
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
}
