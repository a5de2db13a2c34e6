package ottla

import (
	"context"
	"log/slog"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// Option changes what NewProducer makes.
type Option func(*Producer)

// WithLogger leads the producer's log to logger. The settings log_level and debug say how much there is. Without
// it there is no log, but panics in promises and hooks, which go to slog's default.
func WithLogger(logger *slog.Logger) Option {
	return func(p *Producer) { p.logger = logger }
}

// Hook is a value that implements one or more of the interfaces HookRecordSend and HookBatchReport.
type Hook any

// HookRecordSend sees every record before it is sent, on the goroutine that sends it, and may change it. It must not
// keep the record.
type HookRecordSend interface {
	OnRecordSend(topic string, record *Record)
}

// HookBatchReport sees the outcome of records of one partition, mostly of a whole batch, before their promises are
// called, on the same goroutine. It must be quick.
type HookBatchReport interface {
	OnBatchReport(report BatchReport)
}

// BatchReport says what became of several records of one partition.
type BatchReport struct {
	Topic string
	// Partition, or -1 when none had been chosen.
	Partition int32
	// BaseOffset is that of the first record, and the others follow; -1 when unknown.
	BaseOffset int64
	// Count of the records.
	Count int
	// Latency from the creation of the batch to this report.
	Latency time.Duration
	// Persistence says whether sending again may duplicate records.
	Persistence Persistence
	// Err is nil when the records were delivered; else an *Error.
	Err error
}

// WithHooks adds hooks, which are called in their order.
func WithHooks(all ...Hook) Option {
	return func(p *Producer) {
		for _, hook := range all {
			if send, ok := hook.(HookRecordSend); ok {
				p.hooks.send = append(p.hooks.send, send)
			}
			if report, ok := hook.(HookBatchReport); ok {
				p.hooks.report = append(p.hooks.report, report)
			}
		}
	}
}

type hooks struct {
	send   []HookRecordSend
	report []HookBatchReport
}

// log leads a line to the logger.
func (p *Producer) log(event native.Event) {
	if !event.Logged {
		return
	}
	level := slog.LevelDebug
	switch {
	case event.Level <= native.LogError:
		level = slog.LevelError
	case event.Level <= native.LogWarning:
		level = slog.LevelWarn
	case event.Level <= native.LogInfo:
		level = slog.LevelInfo
	}
	if event.Code == 0 {
		p.logger.Log(context.Background(), level, event.Text)
		return
	}
	p.logger.Log(context.Background(), level, event.Text, "code", Code(event.Code).String())
}
