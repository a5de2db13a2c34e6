package ottla

/*
#cgo noescape ottla_go_send
#cgo nocallback ottla_go_send
#cgo noescape ottla_producer_poll_runs
#cgo nocallback ottla_producer_poll_runs
#include <ottla.h>
#include <stdlib.h>

// Lengths of a header in the blob, where its key stands before its value; value_len -1 is null.
typedef struct {
    int32_t key_len;
    int32_t value_len;
} ottla_go_header_t;

// Structs that hold pointers are made here: C may not be given Go memory with Go pointers in it.
static int32_t ottla_go_send(ottla_producer_t *producer, uint32_t topic, int32_t partition,
                             const char *key, size_t key_len, const char *value, size_t value_len,
                             const char *blob, const ottla_go_header_t *given, size_t header_count,
                             int64_t timestamp_ms, uint64_t token)
{
    enum { FEW = 16 };
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_header_t few[FEW];
    ottla_header_t *headers = few;
    int32_t status;

    if (header_count > FEW && !(headers = malloc(header_count * sizeof *headers)))
        return OTTLA_ERROR_QUEUE_FULL;
    for (size_t i = 0; i < header_count; i++) {
        headers[i].key = blob;
        headers[i].key_len = (size_t)given[i].key_len;
        blob += headers[i].key_len;
        headers[i].value = given[i].value_len < 0 ? NULL : blob;
        headers[i].value_len = given[i].value_len < 0 ? 0 : (size_t)given[i].value_len;
        blob += headers[i].value_len;
    }
    record.topic = topic;
    record.partition = partition;
    record.key = key;
    record.key_len = key_len;
    record.value = value;
    record.value_len = value_len;
    record.headers = headers;
    record.header_count = header_count;
    record.timestamp_ms = timestamp_ms;
    record.token = token;
    status = ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT);
    if (headers != few)
        free(headers);
    return status;
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Producer sends records. Any number of goroutines may use it at once. It must be closed.
type Producer struct {
	handle  *C.ottla_producer_t
	wake    wake
	pending pending
	// room is raised when reports were taken, which gives memory back.
	room signal

	topicsMu sync.RWMutex
	topics   map[string]C.uint32_t

	place   place
	drained chan struct{}
	// openMu is held for reading while a record is handed over, so that close leaves none behind.
	openMu   sync.RWMutex
	closed   bool
	closing  sync.Once
	closeErr error
}

// place is where the library writes reports, and what is made of them. Only drain uses it.
type place struct {
	runs    [64]C.ottla_run_t
	tokens  [1024]uint64
	times   [1024]C.int64_t
	entries []slot
}

// NewProducer makes a producer from settings with Kafka's or librdkafka's names. Connecting happens in the
// background. With test.mock.num.brokers it runs on an embedded cluster and needs no server.
func NewProducer(settings map[string]string) (*Producer, error) {
	var config *C.ottla_config_t
	if err := call(func() C.int32_t { return C.ottla_config_new(&config) }); err != nil {
		return nil, err
	}
	defer C.ottla_config_free(config)
	for name, value := range settings {
		key, keyLen := text(name)
		data, dataLen := text(value)
		err := call(func() C.int32_t {
			return C.ottla_config_set(config, key, keyLen, data, dataLen, nil)
		})
		if err != nil {
			return nil, err
		}
	}
	p := &Producer{topics: map[string]C.uint32_t{}, drained: make(chan struct{})}
	var handle *C.ottla_producer_t
	err := call(func() C.int32_t { return C.ottla_producer_new(config, nil, &handle, nil) })
	if err != nil {
		return nil, err
	}
	if p.wake, err = newWake(handle); err != nil {
		C.ottla_producer_free(handle)
		return nil, err
	}
	p.handle = handle
	go func() {
		defer close(p.drained)
		p.wake.each(p.drain)
	}()
	return p, nil
}

// Send sends a record and never waits. The promise (nil: none) is called once, with the report, on the goroutine
// that takes the reports: it must be quick, and may send but neither flush nor close.
//
// An error means that the record was not taken and that the promise will not be called. CodeQueueFull: the memory
// of buffer.memory is used up; see Produce, which waits for room.
func (p *Producer) Send(topic string, record Record, promise func(Report)) error {
	p.openMu.RLock()
	defer p.openMu.RUnlock()
	if p.closed {
		return errClosed
	}
	number, err := p.topic(topic)
	if err != nil {
		return err
	}
	blob, headers, err := pack(record.Headers)
	if err != nil {
		return err
	}
	partition, timestamp := C.int32_t(C.OTTLA_PARTITION_ANY), C.int64_t(C.OTTLA_TIMESTAMP_NOW)
	if record.Partition != nil {
		partition = C.int32_t(*record.Partition)
	}
	if !record.Timestamp.IsZero() {
		timestamp = C.int64_t(record.Timestamp.UnixMilli())
	}
	key, keyLen := field(record.Key)
	value, valueLen := field(record.Value)
	blobData, _ := field(blob)
	token := p.pending.add(topic, promise)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := C.ottla_go_send(p.handle, number, partition, key, keyLen, value, valueLen,
		blobData, unsafe.SliceData(headers), C.size_t(len(headers)), timestamp, C.uint64_t(token))
	if status == 0 {
		return nil
	}
	p.pending.drop(token)
	return failure(status)
}

// Produce sends a record and gives the promise of its report. It waits for room if the memory of
// buffer.memory is used up, until ctx ends; nothing else makes it wait.
func (p *Producer) Produce(ctx context.Context, topic string, record Record) (*Future, error) {
	future := newFuture()
	err := p.Send(topic, record, future.complete)
	for errors.Is(err, &Error{Code: CodeQueueFull}) {
		// From here on no memory that is given back goes unnoticed.
		room := p.room.next()
		if err = p.Send(topic, record, future.complete); err == nil || !errors.Is(err, &Error{Code: CodeQueueFull}) {
			break
		}
		// What lingers keeps memory that is needed now.
		if err := p.hurry(); err != nil {
			return nil, err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return future, nil
}

// Len is the number of records sent whose promise has not been called, or is being called just now. After a Flush
// while nobody sends it is 0.
func (p *Producer) Len() int { return p.pending.count() }

// Flush sends what lingers and waits until every record sent before has its report and its promise was called, or
// until ctx ends. Records that other goroutines send meanwhile are not waited for.
func (p *Producer) Flush(ctx context.Context) error {
	done := p.pending.mark()
	if err := p.hurry(); err != nil {
		p.pending.forget(done)
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		p.pending.forget(done)
		return ctx.Err()
	}
}

// hurry has everything sent that was accepted so far, without lingering and without waiting for it.
func (p *Producer) hurry() error {
	return call(func() C.int32_t {
		status := C.ottla_producer_flush(p.handle, 0, nil)
		if Code(status) == CodeTimedOut {
			return 0 // not done yet, which nobody expected
		}
		return status
	})
}

// Close takes no more records, waits until the others have their reports or ctx ends, fails what is left then, and
// frees the producer. It returns an error, the one of ctx among others, if records had to be failed. Further calls
// wait for the first one and return the same.
func (p *Producer) Close(ctx context.Context) error {
	p.closing.Do(func() { p.closeErr = p.shutDown(ctx) })
	return p.closeErr
}

func (p *Producer) shutDown(ctx context.Context) error {
	p.openMu.Lock()
	p.closed = true
	p.openMu.Unlock()
	err := p.Flush(ctx)
	closed := call(func() C.int32_t { return C.ottla_producer_close(p.handle, 0, nil) })
	p.wake.close()
	<-p.drained
	p.drain() // what was failed just now
	C.ottla_producer_free(p.handle)
	p.room.raise()
	return errors.Join(err, closed)
}

// drain takes all reports there are and calls the promises.
func (p *Producer) drain() {
	for p.drainSome() {
	}
}

func (p *Producer) drainSome() bool {
	var runCount, tokenCount C.size_t
	place := &p.place
	status := C.ottla_producer_poll_runs(p.handle, &place.runs[0], C.size_t(len(place.runs)),
		(*C.uint64_t)(&place.tokens[0]), &place.times[0], C.size_t(len(place.tokens)), 0,
		&runCount, &tokenCount)
	if status != 0 || tokenCount == 0 {
		return false // nothing there, or closed and nothing more to come
	}
	p.room.raise()
	for i := range place.runs[:runCount] {
		p.deliver(&place.runs[i])
	}
	return true
}

func (p *Producer) deliver(run *C.ottla_run_t) {
	place := &p.place
	first, count := int(run.first), int(run.count)
	var err error
	if run.status != 0 {
		err = &Error{Code: Code(run.status), Message: p.message(run)}
	}
	entries := p.pending.take(place.tokens[first:first+count], place.entries[:0])
	for i, entry := range entries {
		if entry.promise == nil {
			continue
		}
		report := Report{
			Topic:       entry.topic,
			Partition:   int32(run.partition),
			Offset:      -1,
			Latency:     time.Duration(run.latency_us) * time.Microsecond,
			Persistence: Persistence(run.persistence),
			Err:         err,
		}
		if run.base_offset >= 0 {
			report.Offset = int64(run.base_offset) + int64(i)
		}
		if ms := int64(place.times[first+i]); ms >= 0 {
			report.Timestamp = time.UnixMilli(ms)
		}
		entry.promise(report)
	}
	p.pending.settle(entries)
	clear(entries)
	place.entries = entries
}

// message is the text of a failed run.
func (p *Producer) message(run *C.ottla_run_t) string {
	var size C.size_t
	C.ottla_producer_message(p.handle, run.message, nil, 0, &size)
	if run.message == 0 || size == 0 {
		return C.GoString(C.ottla_error_description(run.status))
	}
	buffer := make([]byte, size+1)
	data, capacity := field(buffer)
	C.ottla_producer_message(p.handle, run.message, data, capacity, nil)
	return string(buffer[:size])
}

func (p *Producer) topic(name string) (C.uint32_t, error) {
	p.topicsMu.RLock()
	number, known := p.topics[name]
	p.topicsMu.RUnlock()
	if known {
		return number, nil
	}
	data, size := text(name)
	err := call(func() C.int32_t {
		return C.ottla_producer_topic(p.handle, data, size, &number, nil)
	})
	if err != nil {
		return 0, err
	}
	p.topicsMu.Lock()
	p.topics[name] = number
	p.topicsMu.Unlock()
	return number, nil
}

// pack lays headers out for C: all bytes in one blob, the lengths beside it.
func pack(headers []Header) (blob []byte, lengths []C.ottla_go_header_t, err error) {
	if len(headers) == 0 {
		return nil, nil, nil
	}
	lengths = make([]C.ottla_go_header_t, 0, len(headers))
	for _, header := range headers {
		if len(header.Key) > math.MaxInt32 || len(header.Value) > math.MaxInt32 {
			text := fmt.Sprintf("header %.40q is too large", header.Key)
			return nil, nil, &Error{Code: CodeRecordTooLarge, Message: text}
		}
		length := C.ottla_go_header_t{C.int32_t(len(header.Key)), -1}
		if header.Value != nil {
			length.value_len = C.int32_t(len(header.Value))
		}
		blob = append(append(blob, header.Key...), header.Value...)
		lengths = append(lengths, length)
	}
	if blob == nil {
		blob = []byte{} // not NULL: empty is not null
	}
	return blob, lengths, nil
}
