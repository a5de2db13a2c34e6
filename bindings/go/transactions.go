package ottla

import (
	"context"
	"errors"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// endLimit is how long Transact waits for an abort, or a commit under way, when its own context may have ended.
const endLimit = 30 * time.Second

// GroupMetadata names a consumer group, and the member of it that has read what a transaction is made from (KIP-447): the
// group refuses the offsets of a member that is no longer the reader. All as the consumer's own group metadata has it.
type GroupMetadata struct {
	// Group is its group.id.
	Group string
	// Generation, or member epoch. Without Member it does not count.
	Generation int32
	// Member is the member's id; "" for a consumer that assigns itself partitions.
	Member string
	// Instance is the group.instance.id of a static member, or "".
	Instance string
}

// GroupOffset is how far a consumer group has come in one partition.
type GroupOffset struct {
	Topic     string
	Partition int32
	// Offset of the next record to read.
	Offset int64
	// Metadata is whatever is to be kept with the offset.
	Metadata string
	// LeaderEpoch of the leader that the last record was read from; nil when not known.
	LeaderEpoch *int32
}

// InitTransactions gets the producer's id from the coordinator of its transactional.id: once, before the first
// transaction. An older producer with the same transactional.id is shut out from here on, and what it left open is
// aborted.
//
// What holds for all calls about transactions: an error that is Abortable: AbortTransaction, then begin again. One that is
// Fatal: Close. When ctx ends (its error is returned) the call goes on: make the same call again to wait on; until it has
// returned something else, the others answer CodeState, which is also the answer to calls that do not fit.
func (p *Producer) InitTransactions(ctx context.Context) error {
	return public(p.native.InitTransactions(ctx))
}

// BeginTransaction begins a transaction: what is sent from now on until it ends belongs to it. Without a transaction a producer
// with transactional.id takes no records (CodeState). It does not wait.
func (p *Producer) BeginTransaction() error { return public(p.native.BeginTransaction()) }

// SendOffsetsToTransaction has offsets of a consumer group committed with the transaction, if and when it is.
func (p *Producer) SendOffsetsToTransaction(ctx context.Context, offsets []GroupOffset, group GroupMetadata) error {
	converted := make([]native.GroupOffset, len(offsets))
	for i, offset := range offsets {
		converted[i] = native.GroupOffset{Topic: offset.Topic, Partition: offset.Partition, Offset: offset.Offset, LeaderEpoch: -1}
		if offset.Metadata != "" {
			converted[i].Metadata = &offset.Metadata
		}
		if offset.LeaderEpoch != nil {
			converted[i].LeaderEpoch = *offset.LeaderEpoch
		}
	}
	named := native.Group{ID: group.Group, Generation: -1, Member: group.Member}
	if group.Member != "" {
		named.Generation = group.Generation
	}
	if group.Instance != "" {
		named.Instance = &group.Instance
	}
	return public(p.native.SendOffsets(ctx, converted, named))
}

// CommitTransaction flushes, calling promises, and commits: readers of committed data see all of the transaction, or
// nothing. A record that failed makes it fail: abort then.
func (p *Producer) CommitTransaction(ctx context.Context) error {
	return public(p.native.CommitTransaction(ctx))
}

// AbortTransaction gives the transaction up. Records that were not sent are reported with CodeAborted; the promises of all
// of them have been called when it returns, unless ctx has ended.
func (p *Producer) AbortTransaction(ctx context.Context) error {
	return public(p.native.AbortTransaction(ctx))
}

// Transact runs body in a transaction, and commits when it returns nil. When it returns an error or panics, or when the commit
// fails, the transaction is aborted, for which it waits even if ctx has ended, but not for ever; the error of the body, or of
// the commit, is what comes out (joined with that of the abort, if that failed, too).
//
// A commit that was asked for can no longer be aborted: if ctx ends then, Transact waits for it as for an abort, and returns
// nil if it succeeds. Only if that takes too long, too, it stays open whether the transaction will be committed; the error is
// that of ctx.
func (p *Producer) Transact(ctx context.Context, body func(ctx context.Context) error) (err error) {
	if err := p.BeginTransaction(); err != nil {
		return err
	}
	committed := false
	defer func() {
		if committed {
			return
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
		defer cancel()
		if failed := p.AbortTransaction(limited); failed != nil && !isOf(failed, err) {
			err = errors.Join(err, failed)
		}
	}()
	if err := body(ctx); err != nil {
		return err
	}
	err = p.commitEven(ctx)
	committed = err == nil
	return err
}

// commitEven commits; if ctx ends when that was asked for already, it goes on waiting for a while.
func (p *Producer) commitEven(ctx context.Context) error {
	err := p.CommitTransaction(ctx)
	if err == nil || !p.native.Committing() {
		return err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	if late := p.CommitTransaction(limited); limited.Err() == nil {
		return late
	}
	return err
}

// isOf says whether one failure tells nothing that the other one does not: the same fatal error, or that a commit is under way.
func isOf(failed, first error) bool {
	var one, other *Error
	if !errors.As(failed, &one) {
		return false
	}
	return one.Code == CodeState || errors.As(first, &other) && one.Code == other.Code
}
