package ottla

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// Producer sends records. Any number of goroutines may use it at once. It must be closed.
type Producer struct {
	native *native.Producer[entry]
	hooks  hooks
	logger *slog.Logger
}

// entry is what a report finds its record's promise in; at most one of them is set.
type entry struct {
	promise func(Report)
	future  *Future
}

// NewProducer makes a producer from settings with Kafka's or librdkafka's names. Connecting happens in the
// background. With test.mock.num.brokers it runs on an embedded cluster and needs no server.
func NewProducer(settings map[string]string, options ...Option) (*Producer, error) {
	p := &Producer{}
	for _, option := range options {
		option(p)
	}
	config, err := native.NewSettings()
	if err != nil {
		return nil, public(err)
	}
	defer config.Free()
	for name, value := range settings {
		if err := config.Set(name, value); err != nil {
			return nil, public(err)
		}
	}
	face := native.Face[entry]{Deliver: p.deliver}
	if p.logger != nil {
		face.Event = p.log
	}
	if p.native, err = native.NewProducer(config, face); err != nil {
		return nil, public(err)
	}
	return p, nil
}

// Produce sends a record and gives the promise of its report. It waits for room if the memory of buffer.memory or the
// places of queue.buffering.max.messages are used up, until ctx ends; nothing else makes it wait.
//
// An error means that the record was not taken. What is wrong with the record itself (a partition that the topic does
// not have, a header whose name is not UTF-8, ...) is told by its report.
func (p *Producer) Produce(ctx context.Context, topic string, record Record) (*Future, error) {
	future := &Future{producer: p}
	if err := p.produce(ctx, topic, &record, entry{future: future}); err != nil {
		return nil, err
	}
	return future, nil
}

// ProduceFunc is Produce with a function for the report, which is cheaper than a Future. The promise (nil: none) is
// called once, on the goroutine that takes the reports, one after another: it must be quick. It may send, which then
// does not wait; Flush, Close and Future.Wait answer CodeInCallback instead of waiting. A promise that panics is logged, and
// the others are still called.
func (p *Producer) ProduceFunc(ctx context.Context, topic string, record Record, promise func(Report)) error {
	return p.produce(ctx, topic, &record, entry{promise: promise})
}

// TryProduce is ProduceFunc that never waits: an error with CodeQueueFull means that there is no room now.
func (p *Producer) TryProduce(topic string, record Record, promise func(Report)) error {
	number, err := p.prepare(topic, &record)
	if err != nil {
		return err
	}
	sent := convert(number, &record)
	if code := p.native.Send(&sent, &entry{promise: promise}, false); code != 0 {
		return refusal(code)
	}
	return nil
}

// ProduceSync sends records, without lingering, and waits for their reports. A record that was not taken, or whose
// report did not come before ctx ended, has an error that says so.
func (p *Producer) ProduceSync(ctx context.Context, topic string, records ...Record) Reports {
	reports := make(Reports, len(records))
	futures := make([]*Future, len(records))
	for i := range records {
		future, err := p.Produce(ctx, topic, records[i])
		if err != nil {
			reports[i] = Report{Topic: topic, Partition: -1, Offset: -1, Err: err}
			continue
		}
		futures[i] = future
	}
	hurried := p.native.Hurry()
	for i, future := range futures {
		if future == nil {
			continue
		}
		report, err := future.Wait(ctx)
		if report.Err == nil && err != nil {
			report = Report{Topic: topic, Partition: -1, Offset: -1, Persistence: PossiblyPersisted,
				Err: errors.Join(err, public(hurried))}
		}
		reports[i] = report
	}
	return reports
}

func (p *Producer) produce(ctx context.Context, topic string, record *Record, promised entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	number, err := p.prepare(topic, record)
	if err != nil {
		return err
	}
	sent := convert(number, record)
	code := p.native.Send(&sent, &promised, false)
	for code == native.CodeQueueFull {
		// From here on no room that is made goes unnoticed.
		room := p.native.Room()
		if code = p.native.Send(&sent, &promised, false); code != native.CodeQueueFull {
			break
		}
		if p.native.Delivering() {
			break
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if code != 0 {
		return refusal(code)
	}
	return nil
}

func (p *Producer) prepare(topic string, record *Record) (uint32, error) {
	for _, hook := range p.hooks.send {
		hook.OnRecordSend(topic, record)
	}
	number, err := p.native.Topic(topic)
	return number, public(err)
}

func convert(topic uint32, record *Record) native.Record {
	sent := native.Record{Topic: topic, Partition: native.PartitionAny, TimestampMs: native.TimestampNow,
		Key: record.Key, Value: record.Value, Headers: native.Headers(record.Headers)}
	if record.Partition != nil {
		sent.Partition = *record.Partition
	}
	if !record.Timestamp.IsZero() {
		sent.TimestampMs = record.Timestamp.UnixMilli()
	}
	return sent
}

// Len is the number of records taken whose promise has not been called, or is being called just now. After a Flush
// while nobody sends it is 0.
func (p *Producer) Len() int { return p.native.Len() }

// Flush sends what lingers and waits until every record taken before has its report and its promise was called, or
// until ctx ends. Records that other goroutines send meanwhile are not waited for.
func (p *Producer) Flush(ctx context.Context) error { return public(p.native.Flush(ctx)) }

// Purge fails records instead of waiting for them: those not sent yet with CodePurgedQueue, and with inFlight also those
// under way with CodePurgedInFlight, which may be stored all the same. It returns at once; the reports follow.
func (p *Producer) Purge(inFlight bool) error {
	flags := uint32(native.PurgeQueued)
	if inFlight {
		flags |= native.PurgeInFlight
	}
	return public(p.native.Purge(flags))
}

// Metrics gives every metric now, by its name. Totals run since the producer was made; an average or maximum of nothing is
// NaN.
func (p *Producer) Metrics() (map[string]float64, error) {
	metrics, err := p.native.Metrics()
	return metrics, public(err)
}

// Ping waits until a broker has answered, or until ctx ends. It fails at once when every broker refuses, so that
// wrong addresses show before the first record.
func (p *Producer) Ping(ctx context.Context) error { return public(p.native.WaitReady(ctx)) }

// Close takes no more records, waits until the others have their reports or ctx ends, fails what is left then, and
// frees the producer. It returns an error, the one of ctx among others, if records had to be failed. Further calls
// wait for the first one and return the same. An open transaction is aborted, one that is being committed is committed, until
// ctx ends, and 30 seconds at most.
func (p *Producer) Close(ctx context.Context) error {
	waiting, closing := p.native.Close(ctx)
	return errors.Join(public(waiting), public(closing))
}

// deliver calls the promises of the records of one outcome.
func (p *Producer) deliver(outcome *native.Outcome, records *native.Records[entry]) (held int) {
	report := Report{Topic: *outcome.Topic, Partition: outcome.Partition, Offset: -1,
		Latency: outcome.Latency, Persistence: Persistence(outcome.Persistence)}
	if outcome.Code != 0 {
		report.Err = &Error{Code: Code(outcome.Code), Message: outcome.Message}
	}
	if len(p.hooks.report) > 0 {
		p.deliverBatch(BatchReport{Topic: report.Topic, Partition: report.Partition, BaseOffset: outcome.BaseOffset,
			Count: records.Len(), Latency: report.Latency, Persistence: report.Persistence, Err: report.Err})
	}
	for next := 0; next < records.Len(); {
		next = p.deliverFrom(next, report, outcome.BaseOffset, records)
	}
	return 0
}

// deliverFrom goes on from one record; it returns early, with the next one, if a promise panics.
func (p *Producer) deliverFrom(first int, report Report, base int64, records *native.Records[entry]) (next int) {
	next = first
	defer p.caught("a promise panicked")
	for next < records.Len() {
		i := next
		next++
		if base >= 0 {
			report.Offset = base + int64(i)
		}
		if ms := records.TimestampMs(i); ms >= 0 {
			report.Timestamp = time.UnixMilli(ms)
		}
		records.Handed(1)
		if promised := records.Entry(i); promised.future != nil {
			promised.future.complete(report)
		} else if promised.promise != nil {
			promised.promise(report)
		}
	}
	return next
}

func (p *Producer) deliverBatch(report BatchReport) {
	for _, hook := range p.hooks.report {
		func() {
			defer p.caught("a hook panicked")
			hook.OnBatchReport(report)
		}()
	}
}

// caught keeps a panic of the application's from ending the delivery of what others wait for.
func (p *Producer) caught(what string) {
	if reason := recover(); reason != nil {
		logger := p.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.Error("ottla: "+what, "reason", reason, "stack", string(debug.Stack()))
	}
}
