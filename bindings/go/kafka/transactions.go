package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// ConsumerGroupMetadata names a consumer group and its member, for SendOffsetsToTransaction.
type ConsumerGroupMetadata struct{ group native.Group }

// NewTestConsumerGroupMetadata makes one of a group alone, for tests, and for consumers that assign themselves partitions.
func NewTestConsumerGroupMetadata(groupID string) (*ConsumerGroupMetadata, error) {
	return NewConsumerGroupMetadata(groupID, -1, "", nil)
}

// NewConsumerGroupMetadata makes one of what a consumer of another library says of its group: group.id, generation (or member
// epoch), member id, and group.instance.id of a static member, or nil. Not in confluent-kafka-go, whose Consumer makes it.
func NewConsumerGroupMetadata(groupID string, generationID int32, memberID string, groupInstanceID *string) (*ConsumerGroupMetadata, error) {
	if groupID == "" {
		return nil, Error{code: ErrInvalidArg, str: "Failed to create metadata object"}
	}
	return &ConsumerGroupMetadata{native.Group{ID: groupID, Generation: generationID, Member: memberID, Instance: groupInstanceID}}, nil
}

// InitTransactions gets the producer's id from the coordinator of its transactional.id: once, before the first
// transaction. An older producer with the same transactional.id is shut out from here on. Without a deadline it waits for
// twice transaction.timeout.ms.
//
// Errors of all calls about transactions are an Error: IsRetriable (ErrTimedOut, when ctx ends): make the same call again,
// which goes on; TxnRequiresAbort: call AbortTransaction, then begin again; IsFatal (ErrFenced above all): close the
// producer. ErrState: the call does not fit; ErrNotConfigured: there is no transactional.id. A nil ctx has no limit.
func (p *Producer) InitTransactions(ctx context.Context) error {
	ctx = orBackground(ctx)
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 2*p.transactionTimeout)
		defer cancel()
	}
	return p.transact(func() error { return p.native.InitTransactions(ctx) })
}

// BeginTransaction begins a transaction: messages produced from now on until it ends belong to it. Without one Produce gives
// ErrState. It does not wait.
func (p *Producer) BeginTransaction() error { return p.transact(p.native.BeginTransaction) }

// SendOffsetsToTransaction has offsets of a consumer group committed with the transaction, if and when it is. Each is that of
// the next message to read; partitions without an offset are left out.
func (p *Producer) SendOffsetsToTransaction(ctx context.Context, offsets []TopicPartition,
	consumerMetadata *ConsumerGroupMetadata) error {
	if p.transactional && consumerMetadata == nil {
		return Error{code: ErrInvalidArg, str: "no consumer group metadata"}
	}
	converted := make([]native.GroupOffset, 0, len(offsets))
	for _, offset := range offsets {
		if offset.Offset < 0 {
			continue
		}
		one := native.GroupOffset{Partition: offset.Partition, Offset: int64(offset.Offset), Metadata: offset.Metadata, LeaderEpoch: -1}
		if offset.Topic != nil {
			one.Topic = *offset.Topic
		}
		if offset.LeaderEpoch != nil {
			one.LeaderEpoch = *offset.LeaderEpoch
		}
		converted = append(converted, one)
	}
	return p.transact(func() error {
		return p.native.SendOffsets(orBackground(ctx), converted, consumerMetadata.group)
	})
}

// CommitTransaction delivers what was produced, and commits: readers of committed data see all of the transaction, or
// nothing. A message that failed makes it fail: abort then.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	return p.transact(func() error { return p.native.CommitTransaction(orBackground(ctx)) })
}

// AbortTransaction gives the transaction up. Messages that were not sent are reported with ErrPurgeQueue.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	return p.transact(func() error { return p.native.AbortTransaction(orBackground(ctx)) })
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// transact makes a call about transactions.
func (p *Producer) transact(do func() error) error {
	if p.isClosed.Load() {
		return errClosed
	}
	if !p.transactional {
		return Error{code: ErrNotConfigured, str: "The Transactional API requires transactional.id to be configured"}
	}
	err := do()
	if err == nil {
		return nil
	}
	timedOut := Error{code: ErrTimedOut, str: "Timed out waiting for operation to finish, retry call to resume", retriable: true}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return timedOut
	}
	var failure *native.Failure
	failed, ok := public(err).(Error)
	if !ok || !errors.As(err, &failure) || !failure.Flagged {
		return public(err)
	}
	failed.retriable = failure.Flags&native.FlagRetriable != 0
	failed.txnRequiresAbort = failure.Flags&native.FlagAbortable != 0
	failed.fatal = failure.Flags&native.FlagFatal != 0
	if failed.fatal && (failure.Code == native.CodeProducerFenced || failure.Code == native.CodeInvalidProducerEpoch) {
		failed.code = ErrFenced // librdkafka has one for both
	}
	return failed
}

// milliseconds makes a duration of a setting.
func milliseconds(settings *native.Settings, name string) time.Duration {
	return time.Duration(integer(settings, name)) * time.Millisecond
}
