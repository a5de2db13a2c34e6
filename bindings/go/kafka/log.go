package kafka

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// logSink takes the log: to a channel, if one is wanted, else to standard error as librdkafka writes it.
type logSink struct {
	name    string
	channel chan LogEvent
	own     bool
	dropped atomic.Int64
}

const logsSize = 10_000

func (l *logSink) open(name string, config goConfig) {
	l.name = name
	if !config.logsEnabled {
		return
	}
	l.channel = config.logs
	if l.channel == nil {
		l.channel, l.own = make(chan LogEvent, logsSize), true
	}
}

// line takes a line on a thread of the library, which must not wait: what does not fit into the channel is dropped.
func (l *logSink) line(level int, text string) {
	const tag = "OTTLA"
	now := time.Now()
	if l.channel == nil {
		fmt.Fprintf(os.Stderr, "%%%d|%.3f|%s|%s| %s\n", level, float64(now.UnixMilli())/1000, tag, l.name, text)
		return
	}
	select {
	case l.channel <- LogEvent{Name: l.name, Tag: tag, Message: text, Level: level, Timestamp: now}:
	default:
		l.dropped.Add(1)
	}
}

// close closes the channel, unless it is the application's. No line comes any more.
func (l *logSink) close() {
	if l.own {
		close(l.channel)
	}
}
