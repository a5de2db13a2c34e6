package kafka

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// Producer sends messages. Any number of goroutines may use it at once. It must be closed.
type Producer struct {
	native *native.Producer[entry]
	config goConfig
	name   string
	// largest is the size from which on a message is refused at once (message.max.bytes).
	largest int
	// transactional: there is a transactional.id.
	transactional bool
	// transactionTimeout is the coordinator's.
	transactionTimeout time.Duration

	events   chan Event
	mail     mail
	logs     logSink
	channel  produceChannel
	isClosed atomic.Bool
	// fatal is the fatal error, once there was one.
	fatal atomic.Pointer[Error]
}

// entry is what a report brings back of its message beside key and value; most have nothing of it.
type entry struct {
	delivery chan Event
	opaque   interface{}
	headers  []Header
}

var instances atomic.Int64

// NewProducer makes a producer; conf is copied. Settings of this package beside librdkafka's:
//
//	go.batch.producer (bool, false)             accepted, and without effect: messages cross in batches anyway
//	go.delivery.reports (bool, true)            send reports to Events()
//	go.delivery.report.fields (string, "key,value")  what reports bring back: all, none, or of key, value, headers
//	go.events.channel.size (int, 100000)        what does not fit waits in a list
//	go.produce.channel.size (int, 1000000)
//	go.logs.channel.enable (bool, false)        log to Logs() instead of standard error
//	go.logs.channel (chan LogEvent)             … or to this channel
func NewProducer(conf *ConfigMap) (*Producer, error) {
	if conf == nil {
		conf = &ConfigMap{}
	}
	own := conf.clone()
	config, err := own.read()
	if err != nil {
		return nil, err
	}
	if only, err := own.Get("delivery.report.only.error", false); err != nil || fmt.Sprint(only) == "true" {
		text := "delivery.report.only.error=true is not supported: programs could not tell which messages are left"
		return nil, Error{code: ErrInvalidArg, str: text}
	}
	settings, err := own.settings()
	if err != nil {
		return nil, err
	}
	defer settings.Free()
	p := &Producer{config: config, events: make(chan Event, config.eventsSize)}
	id, _ := settings.Get("client.id")
	p.name = fmt.Sprintf("%s#producer-%d", id, instances.Add(1))
	transactionalID, _ := settings.Get("transactional.id")
	p.transactional = transactionalID != ""
	p.transactionTimeout = milliseconds(settings, "transaction.timeout.ms")
	p.largest = integer(settings, "message.max.bytes")
	p.logs.open(p.name, config)
	p.mail.open()
	face := native.Face[entry]{Deliver: p.deliver, Event: p.event}
	if p.native, err = native.NewProducer(settings, face); err != nil {
		p.logs.close()
		return nil, failedToCreate(err)
	}
	hold := p.native.Hold
	p.mail.hold.Store(&hold)
	return p, nil
}

func failedToCreate(err error) error {
	made, ok := public(err).(Error)
	if !ok {
		return err
	}
	made.code, made.str = ErrInvalidArg, "Failed to create producer: "+made.str
	return made
}

// Produce takes a message and returns at once. Its report comes through deliveryChan, or through Events if that is nil.
//
// An error means that the message was not taken: ErrQueueFull when there is no room now, ErrMsgSizeTooLarge,
// ErrInvalidArg without a topic, ErrFatal after a fatal error. The bytes of the message are copied.
func (p *Producer) Produce(msg *Message, deliveryChan chan Event) error {
	if p.isClosed.Load() {
		return errClosed
	}
	if msg == nil || msg.TopicPartition.Topic == nil || *msg.TopicPartition.Topic == "" {
		return Error{code: ErrInvalidArg}
	}
	if len(msg.Key)+len(msg.Value) > p.largest {
		return Error{code: ErrMsgSizeTooLarge}
	}
	if p.fatal.Load() != nil {
		return Error{code: ErrFatal}
	}
	topic, err := p.native.Topic(*msg.TopicPartition.Topic)
	if err != nil {
		return public(err)
	}
	record := native.Record{Topic: topic, Partition: msg.TopicPartition.Partition, TimestampMs: native.TimestampNow,
		Key: msg.Key, Value: msg.Value, Headers: native.Headers(msg.Headers)}
	if !msg.Timestamp.IsZero() {
		record.TimestampMs = msg.Timestamp.UnixMilli()
	}
	var back *entry
	reported := deliveryChan != nil || p.config.deliveryReports
	if reported {
		withHeaders := p.config.headers && len(msg.Headers) > 0
		if deliveryChan != nil || msg.Opaque != nil || withHeaders {
			back = &entry{delivery: deliveryChan, opaque: msg.Opaque}
		}
		if withHeaders {
			back.headers = copyHeaders(msg.Headers)
		}
		if !p.config.key {
			record.ForgetKey = true
		}
		if !p.config.value {
			record.ForgetValue = true
		}
	}
	switch code := p.native.Send(&record, back, reported && (p.config.key || p.config.value)); code {
	case 0:
		return nil
	case native.CodeClosed:
		return errClosed
	default:
		return Error{code: compatible(code)}
	}
}

func copyHeaders(headers []Header) []Header {
	copied := make([]Header, len(headers))
	for i, header := range headers {
		copied[i].Key = header.Key
		if header.Value != nil {
			copied[i].Value = append([]byte{}, header.Value...)
		}
	}
	return copied
}

// Events is the channel for reports of messages without a channel of their own, and for other events. Close closes it.
func (p *Producer) Events() chan Event { return p.events }

// Logs is the channel for the log, or nil if go.logs.channel.enable is not set.
func (p *Producer) Logs() chan LogEvent { return p.logs.channel }

// String gives the name of the producer.
func (p *Producer) String() string { return p.name }

// Len is the number of messages on their way, reports that wait for the application, and messages in ProduceChannel.
func (p *Producer) Len() int {
	return p.channel.len() + len(p.events) + p.mail.len() + p.native.Len()
}

// Flush sends what lingers and waits until Len is 0, at most timeoutMs milliseconds; it returns what Len is then.
// Meanwhile somebody must read Events.
func (p *Producer) Flush(timeoutMs int) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(timeoutMs)*time.Millisecond)
	defer cancel()
	const shortest, longest = 100 * time.Microsecond, 10 * time.Millisecond
	for pause := shortest; ; pause = min(2*pause, longest) {
		_ = p.native.Flush(ctx)
		left := p.Len()
		if left == 0 || p.isClosed.Load() {
			return 0
		}
		// What is left is being read by others, who do not say when they have.
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return p.Len()
		}
	}
}

// Flags of Purge.
const (
	// PurgeQueue fails messages that were not sent yet.
	PurgeQueue = 1
	// PurgeInFlight fails messages whose answer is missing: whether they are stored stays unknown.
	PurgeInFlight = 2
	// PurgeNonBlocking is accepted; Purge never waits.
	PurgeNonBlocking = 4
)

// Purge fails messages instead of waiting for them; the reports follow, with ErrPurgeQueue or ErrPurgeInflight.
func (p *Producer) Purge(flags int) error {
	if p.isClosed.Load() {
		return errClosed
	}
	const known = PurgeQueue | PurgeInFlight | PurgeNonBlocking
	if flags&^known != 0 {
		return Error{code: ErrInvalidArg}
	}
	return public(p.native.Purge(uint32(flags &^ PurgeNonBlocking)))
}

// closeLimit is how long Close may wait for the end of an open transaction.
const closeLimit = 5 * time.Second

// Close ends the producer. It does not wait for messages, so Flush before; those on their way are failed. An open transaction
// is aborted, one whose commit timed out is committed; that may take 5 seconds, and is then left to transaction.timeout.ms.
// Later calls give an ErrState.
func (p *Producer) Close() {
	if !p.isClosed.CompareAndSwap(false, true) {
		return
	}
	p.channel.close()
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	p.native.EndTransaction(ctx)
	cancel()
	p.native.Close(ctx)
	p.mail.close()
	p.logs.close()
	close(p.events)
}

// IsClosed says whether Close was called.
func (p *Producer) IsClosed() bool { return p.isClosed.Load() }

// GetFatalError gives the fatal error that stopped the producer, or nil.
func (p *Producer) GetFatalError() error {
	if p.isClosed.Load() {
		return errClosed
	}
	if fatal := p.fatal.Load(); fatal != nil {
		return *fatal
	}
	return nil
}

// TestFatalError makes as if there had been a fatal error, for tests: messages are purged, Produce gives ErrFatal, and
// the error comes through Events. It gives ErrPrevInProgress if there was one before.
func (p *Producer) TestFatalError(code ErrorCode, str string) ErrorCode {
	if !p.stop(Error{code: code, str: str, fatal: true}) {
		return ErrPrevInProgress
	}
	_ = p.native.Purge(native.PurgeQueued | native.PurgeInFlight)
	return ErrNoError
}

// event takes what happens in the library, on a thread of its.
func (p *Producer) event(event native.Event) {
	if event.Logged {
		p.logs.line(event.Level, event.Text)
	}
	if event.Code == 0 {
		return
	}
	happened := Error{code: compatible(event.Code), str: event.Text}
	if native.Flags(event.Code)&native.FlagFatal != 0 {
		happened.fatal = true
		p.stop(happened)
		return
	}
	p.mail.tidings(p.events, happened)
}

// stop takes the first fatal error.
func (p *Producer) stop(fatal Error) bool {
	first := p.fatal.CompareAndSwap(nil, &fatal)
	if first {
		p.mail.tidings(p.events, fatal)
	}
	return first
}

// SetOAuthBearerToken is not built: it gives ErrNotImplemented.
func (p *Producer) SetOAuthBearerToken(oauthBearerToken OAuthBearerToken) error {
	return p.notBuilt("SASL")
}

// SetOAuthBearerTokenFailure is not built: it gives ErrNotImplemented.
func (p *Producer) SetOAuthBearerTokenFailure(errstr string) error { return p.notBuilt("SASL") }

// SetSaslCredentials is not built: it gives ErrNotImplemented.
func (p *Producer) SetSaslCredentials(username, password string) error { return p.notBuilt("SASL") }

// QueryWatermarkOffsets is not built: it gives ErrNotImplemented.
func (p *Producer) QueryWatermarkOffsets(topic string, partition int32, timeoutMs int) (low, high int64, err error) {
	return -1, -1, p.notBuilt("QueryWatermarkOffsets")
}

// OffsetsForTimes is not built: it gives ErrNotImplemented.
func (p *Producer) OffsetsForTimes(times []TopicPartition, timeoutMs int) (offsets []TopicPartition, err error) {
	return nil, p.notBuilt("OffsetsForTimes")
}

func (p *Producer) notBuilt(what string) error {
	if p.isClosed.Load() {
		return errClosed
	}
	return notBuilt(what)
}

// integer is the value of a setting that is a number, or 0.
func integer(settings *native.Settings, name string) int {
	text, _ := settings.Get(name)
	value, _ := strconv.Atoi(text)
	return value
}
