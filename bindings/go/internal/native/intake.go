package native

/*
#cgo noescape ottla_producer_poll_runs
#cgo nocallback ottla_producer_poll_runs
#include "ottla.h"
*/
import "C"

import (
	"sync/atomic"
	"time"
)

const (
	intakeRuns   = 64
	intakeTokens = 1024
)

// intake is where the library writes reports, and what is made of them. Only drain uses it.
type intake[T any] struct {
	runs    [intakeRuns]C.ottla_run_t
	tokens  [intakeTokens]uint64
	times   [intakeTokens]C.int64_t
	records Records[T]
	counted []tally
	held    int
	deliver func(*Outcome, *Records[T]) int
}

// Outcome is what became of some records of one partition.
type Outcome struct {
	// Topic is its name; the same pointer for all outcomes of a topic.
	Topic     *string
	Partition int32
	// BaseOffset of the first record, the others follow; -1 when unknown.
	BaseOffset  int64
	Latency     time.Duration
	Persistence uint32
	// AppendTimeMs is the broker's time of the append, or -1.
	AppendTimeMs int64
	// Code is 0 when the records are stored; else Message says what went wrong.
	Code    int32
	Message string
}

// Records are those of one outcome, in the order of their offsets. Lent for a call of Deliver.
type Records[T any] struct {
	pages  []*page[T]
	tokens []uint64
	times  []C.int64_t
	handed *atomic.Int64
}

// Len is the number of records.
func (r *Records[T]) Len() int { return len(r.tokens) }

// Entry is what the record was sent with, or nil.
func (r *Records[T]) Entry(i int) *T {
	page, index := place(r.pages, r.tokens[i])
	if !page.slots[index].filled {
		return nil
	}
	return &page.entries[index]
}

// Kept gives key and value, if Send was told to keep them. They are the receiver's own.
func (r *Records[T]) Kept(i int) (key, value []byte) {
	page, index := place(r.pages, r.tokens[i])
	return page.slots[index].kept()
}

// TimestampMs is the time of a record, or -1 when it is not known.
func (r *Records[T]) TimestampMs(i int) int64 { return int64(r.times[i]) }

// Handed is told before the application gets a report, whose place is free from then on, and with -1 if it did not take it.
func (r *Records[T]) Handed(change int) { r.handed.Add(int64(change)) }

// drain takes all reports there are and delivers them.
func (p *Producer[T]) drain() {
	p.takeRefused()
	for p.drainSome() {
	}
}

func (p *Producer[T]) drainSome() bool {
	var runs, tokens C.size_t
	in := &p.intake
	status := C.ottla_producer_poll_runs(p.handle, &in.runs[0], C.size_t(len(in.runs)),
		(*C.uint64_t)(&in.tokens[0]), &in.times[0], C.size_t(len(in.tokens)), 0, &runs, &tokens)
	if status != 0 || tokens == 0 {
		return false // nothing there, or closed and nothing more to come
	}
	in.records.pages = p.outbox.pages()
	for i := range in.runs[:runs] {
		p.deliverRun(&in.runs[i])
	}
	in.settle(&p.outbox, in.tokens[:tokens])
	return true
}

func (in *intake[T]) settle(outbox *outbox[T], tokens []uint64) {
	in.counted = vacate(in.records.pages, tokens, in.counted[:0])
	outbox.settle(tokens, in.counted, in.held)
	in.held = 0
}

func (p *Producer[T]) deliverRun(run *C.ottla_run_t) {
	outcome := Outcome{
		Topic:        p.topicName(uint32(run.topic)),
		Partition:    int32(run.partition),
		BaseOffset:   int64(run.base_offset),
		Latency:      time.Duration(run.latency_us) * time.Microsecond,
		Persistence:  uint32(run.persistence),
		AppendTimeMs: int64(run.log_append_time_ms),
		Code:         int32(run.status),
	}
	if run.status != 0 {
		outcome.Message = p.message(run.message, run.status)
	}
	in := &p.intake
	first, end := int(run.first), int(run.first+run.count)
	in.records.tokens, in.records.times = in.tokens[first:end], in.times[first:end]
	in.held += in.deliver(&outcome, &in.records)
}

// takeRefused delivers the records that the library did not take.
func (p *Producer[T]) takeRefused() {
	refused := p.outbox.takeRefused()
	if len(refused) == 0 {
		return
	}
	in := &p.intake
	in.records.pages = p.outbox.pages()
	in.times[0] = -1
	for _, one := range refused {
		in.tokens[0] = one.token
		in.records.tokens, in.records.times = in.tokens[:1], in.times[:1]
		outcome := Outcome{Topic: p.topicName(one.topic), Partition: one.partition, BaseOffset: -1, AppendTimeMs: -1,
			Code: int32(one.status), Message: one.message}
		in.held = in.deliver(&outcome, &in.records)
		in.settle(&p.outbox, in.tokens[:1])
	}
}
