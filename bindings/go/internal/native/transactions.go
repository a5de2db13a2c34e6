package native

/*
#include "ottla.h"
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// endLimit is how long a transaction that nobody waits for any more may take to end.
const endLimit = 30 * time.Second

// Group is a consumer group as its consumer knows it; a nil Instance is none, and so is a Generation of -1 without Member.
type Group struct {
	ID         string
	Generation int32
	Member     string
	Instance   *string
}

// GroupOffset is how far a group has come in one partition.
type GroupOffset struct {
	Topic     string
	Partition int32
	Offset    int64
	Metadata  *string
	// LeaderEpoch, or -1.
	LeaderEpoch int32
}

// transact makes a call that gives an error object, which says what is to be done about the failure: in a transaction
// that is more than its code says.
func transact(function func(object **C.ottla_error_t) C.int32_t) error {
	var object *C.ottla_error_t
	status := int32(function(&object))
	if status == 0 {
		return nil
	}
	defer C.ottla_error_free(object)
	if status == CodeHandle || status == CodeClosed {
		return Closed
	}
	failure := &Failure{Code: status, Message: C.GoString(C.ottla_error_message(object))}
	failure.flag(bool(C.ottla_error_is_retriable(object)), FlagRetriable)
	failure.flag(bool(C.ottla_error_is_abortable(object)), FlagAbortable)
	failure.flag(bool(C.ottla_error_is_fatal(object)), FlagFatal)
	return failure
}

func (f *Failure) flag(is bool, flag uint32) {
	f.Flagged = true
	if is {
		f.Flags |= flag
	}
}

// InitTransactions gets the producer's id from its coordinator.
func (p *Producer[T]) InitTransactions(ctx context.Context) error {
	return p.heed(inTurns(ctx, func() error {
		return transact(func(object **C.ottla_error_t) C.int32_t {
			return C.ottla_producer_init_transactions(p.handle, 0, object)
		})
	}))
}

// BeginTransaction lets records in again.
func (p *Producer[T]) BeginTransaction() error {
	// What came too early, or had no room before an abort, does not slip in.
	if p.refusing.Load() != 0 {
		p.outbox.clear()
	} else {
		p.outbox.push()
	}
	err := transact(func(object **C.ottla_error_t) C.int32_t {
		return C.ottla_producer_begin_transaction(p.handle, object)
	})
	if err == nil {
		p.refusing.Store(0)
	}
	return p.heed(err)
}

// SendOffsets has offsets of a group committed with the transaction.
func (p *Producer[T]) SendOffsets(ctx context.Context, offsets []GroupOffset, group Group) error {
	handle, err := newGroup(group)
	if err != nil {
		return err
	}
	defer C.ottla_group_metadata_free(handle)
	memory := offsetsInC(offsets)
	defer C.free(memory)
	return p.heed(inTurns(ctx, func() error {
		return transact(func(object **C.ottla_error_t) C.int32_t {
			return C.ottla_producer_send_offsets_to_transaction(p.handle, (*C.ottla_group_offset_t)(memory),
				C.size_t(len(offsets)), C.sizeof_ottla_group_offset_t, handle, 0, object)
		})
	}))
}

// CommitTransaction delivers what was taken, and commits. From then on no records are taken.
func (p *Producer[T]) CommitTransaction(ctx context.Context) error {
	if err := p.Flush(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // a commit that was asked for can no longer be aborted
	}
	return p.commit(ctx)
}

func (p *Producer[T]) commit(ctx context.Context) error {
	p.committing.Store(true)
	err := p.end(ctx, func(object **C.ottla_error_t) C.int32_t {
		return C.ottla_producer_commit_transaction(p.handle, 0, object)
	})
	_, failed := err.(*Failure)
	p.committing.Store(err != nil && !failed)
	return err
}

// Committing says whether a commit was asked for that has no outcome yet.
func (p *Producer[T]) Committing() bool { return p.committing.Load() }

// AbortTransaction gives the transaction up, and delivers the reports of its records, until ctx ends. From then on no records
// are taken.
func (p *Producer[T]) AbortTransaction(ctx context.Context) error {
	if p.courier.here() {
		return errInCallback
	}
	p.outbox.push()
	if err := p.abort(ctx); err != nil {
		return err
	}
	p.outbox.clear()
	if err := p.Flush(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (p *Producer[T]) abort(ctx context.Context) error {
	return p.end(ctx, func(object **C.ottla_error_t) C.int32_t {
		return C.ottla_producer_abort_transaction(p.handle, 0, object)
	})
}

// EndTransaction sees a commit under way to its end and aborts what else is open, which readers would wait for until
// transaction.timeout.ms. Its failures mean that nothing was open, or that this is left to that timeout.
func (p *Producer[T]) EndTransaction(ctx context.Context) {
	if !p.transactional {
		return
	}
	if p.Committing() && p.commit(ctx) == nil {
		return
	}
	_ = p.abort(ctx)
}

func (p *Producer[T]) end(ctx context.Context, call func(object **C.ottla_error_t) C.int32_t) error {
	before := p.refusing.Swap(CodeState)
	err := inTurns(ctx, func() error { return transact(call) })
	if failure, ok := err.(*Failure); ok && failure.Code == CodeState {
		p.refusing.Store(before) // it ended nothing
	}
	return p.heed(err)
}

// heed has records refused from a fatal error on.
func (p *Producer[T]) heed(err error) error {
	if failure, ok := err.(*Failure); ok && failure.Flags&FlagFatal != 0 {
		p.refusing.Store(failure.Code)
	}
	return err
}

func newGroup(group Group) (*C.ottla_group_metadata_t, error) {
	var made *C.ottla_group_metadata_t
	id, idLen := text(group.ID)
	member, memberLen := text(group.Member)
	var instance *C.char
	var instanceLen C.size_t
	if group.Instance != nil {
		instance, instanceLen = field(append([]byte(*group.Instance), 0))
		instanceLen--
	}
	err := transact(func(object **C.ottla_error_t) C.int32_t {
		return C.ottla_group_metadata_new(id, idLen, C.int32_t(group.Generation), member, memberLen, instance, instanceLen,
			&made, object)
	})
	return made, err
}

// offsetsInC lays offsets out in memory of C's, which the caller frees: first the array, then its texts.
func offsetsInC(offsets []GroupOffset) unsafe.Pointer {
	array, bytes := len(offsets)*C.sizeof_ottla_group_offset_t, 0
	for i := range offsets {
		bytes += len(offsets[i].Topic)
		if offsets[i].Metadata != nil {
			bytes += len(*offsets[i].Metadata)
		}
	}
	memory := C.calloc(1, C.size_t(array+bytes+1))
	blob := unsafe.Slice((*byte)(unsafe.Add(memory, array)), bytes+1)
	put := func(s string) (*C.char, C.size_t) {
		at := (*C.char)(unsafe.Pointer(&blob[0]))
		blob = blob[copy(blob, s):]
		return at, C.size_t(len(s))
	}
	native := unsafe.Slice((*C.ottla_group_offset_t)(memory), len(offsets))
	for i := range offsets {
		native[i].size = C.sizeof_ottla_group_offset_t
		native[i].partition = C.int32_t(offsets[i].Partition)
		native[i].topic, native[i].topic_len = put(offsets[i].Topic)
		native[i].offset = C.int64_t(offsets[i].Offset)
		if offsets[i].Metadata != nil {
			native[i].metadata, native[i].metadata_len = put(*offsets[i].Metadata)
		}
		native[i].leader_epoch = C.int32_t(offsets[i].LeaderEpoch)
	}
	return memory
}
