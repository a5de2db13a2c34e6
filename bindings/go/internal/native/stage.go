package native

/*
#cgo noescape ottla_go_send_batch
#cgo nocallback ottla_go_send_batch
#cgo noescape ottla_go_send
#cgo nocallback ottla_go_send
#include "ottla.h"
#include <stdlib.h>

// Sends until a record is refused, and writes what the library says of that: to ask in another call would be to ask on another
// thread.
static int32_t ottla_go_send_batch(ottla_producer_t *producer, const ottla_record_t *records, size_t count, size_t *accepted,
                                   char *text, size_t capacity)
{
    int32_t status = ottla_producer_send_batch(producer, records, count, sizeof *records, OTTLA_SEND_NO_WAIT, accepted, NULL);

    if (status)
        ottla_last_error_message(text, capacity);
    return status;
}

// A record too large to be staged goes straight from Go's memory; its headers lie in C's.
static int32_t ottla_go_send(ottla_producer_t *producer, uint32_t topic, int32_t partition,
                             const char *key, size_t key_len, const char *value, size_t value_len,
                             const ottla_header_t *headers, size_t header_count,
                             int64_t timestamp_ms, uint64_t token, char *text, size_t capacity)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    int32_t status;

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
    if (status)
        ottla_last_error_message(text, capacity);
    return status;
}
*/
import "C"

import "unsafe"

const (
	// stagedRecords is how many records cross into C together at most.
	stagedRecords = 128
	stagedHeaders = 512
	stagedBytes   = 64 << 10
	// sendAtBytes is how full a stage may become while nobody sends.
	sendAtBytes = stagedBytes / 2
	// largeBytes is the size from which on a record is not worth a second copy.
	largeBytes = 16 << 10
	// textBytes is how much is kept of what the library says of a refused record.
	textBytes = 512
)

// Header of a record; a nil value is null.
type Header struct {
	Key   string
	Value []byte
}

// Headers views a face's headers, which have the same fields, as Header.
func Headers[H ~struct {
	Key   string
	Value []byte
}](headers []H) []Header {
	return unsafe.Slice((*Header)(unsafe.Pointer(unsafe.SliceData(headers))), len(headers))
}

// Record is what is sent; nil keys and values are null.
type Record struct {
	// Topic from Producer.Topic.
	Topic     uint32
	Partition int32
	Key       []byte
	Value     []byte
	Headers   []Header
	// TimestampMs since 1970, or TimestampNow.
	TimestampMs int64
	// ForgetKey and ForgetValue: a report that keeps the other need not bring it back.
	ForgetKey, ForgetValue bool
}

func (r *Record) bytes() int {
	size := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		size += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return size
}

// stage is memory of C's in which records lie as the library wants them.
type stage struct {
	memory *stageMemory
	// first is the record to go on with, when the library had no room for all.
	first, records, headers, bytes int
}

type stageMemory struct {
	records  [stagedRecords]C.ottla_record_t
	headers  [stagedHeaders]C.ottla_header_t
	blob     [stagedBytes]byte
	accepted C.size_t
	text     [textBytes]C.char
}

func newStage() *stage {
	return &stage{memory: (*stageMemory)(C.calloc(1, C.size_t(unsafe.Sizeof(stageMemory{}))))}
}

func (s *stage) free() { C.free(unsafe.Pointer(s.memory)) }

func (s *stage) reset() { s.first, s.records, s.headers, s.bytes = 0, 0, 0, 0 }

// fits says whether a record of so many bytes can be added.
func (s *stage) fits(bytes, headers int) bool {
	return s.records < stagedRecords && s.headers+headers <= stagedHeaders && s.bytes+bytes < stagedBytes
}

// add copies a record that fits.
func (s *stage) add(r *Record, token uint64) {
	record := &s.memory.records[s.records]
	s.records++
	record.size = C.sizeof_ottla_record_t
	record.topic = C.uint32_t(r.Topic)
	record.partition = C.int32_t(r.Partition)
	record.key, record.key_len = s.copy(r.Key)
	record.value, record.value_len = s.copy(r.Value)
	record.headers, record.header_count = nil, 0
	record.timestamp_ms = C.int64_t(r.TimestampMs)
	record.token = C.uint64_t(token)
	if len(r.Headers) > 0 {
		record.headers = &s.memory.headers[s.headers]
		record.header_count = C.size_t(len(r.Headers))
		s.addHeaders(r.Headers)
	}
}

func (s *stage) addHeaders(headers []Header) {
	for i := range headers {
		header := &s.memory.headers[s.headers]
		s.headers++
		key, size := s.copy(unsafe.Slice(unsafe.StringData(headers[i].Key), len(headers[i].Key)))
		header.key, header.key_len = (*C.char)(key), size
		header.value, header.value_len = s.copy(headers[i].Value)
	}
}

// copy puts bytes into the blob; nil becomes NULL. There is always a byte left for something empty to point to.
func (s *stage) copy(b []byte) (unsafe.Pointer, C.size_t) {
	if b == nil {
		return nil, 0
	}
	start := s.bytes
	s.bytes += copy(s.memory.blob[start:], b)
	return unsafe.Pointer(&s.memory.blob[start]), C.size_t(len(b))
}

// send hands over what is left of the stage without waiting, up to a record that the library refuses: that is the first then,
// and its status is returned.
func (s *stage) send(producer *C.ottla_producer_t) C.int32_t {
	memory := s.memory
	memory.accepted = 0
	status := C.ottla_go_send_batch(producer, &memory.records[s.first], C.size_t(s.records-s.first), &memory.accepted,
		&memory.text[0], textBytes)
	s.first += int(memory.accepted)
	return status
}

// pass leaves out the first record, which is refused.
func (s *stage) pass(status C.int32_t, message string) refusal {
	record := &s.memory.records[s.first]
	s.first++
	return refusal{uint64(record.token), status, uint32(record.topic), int32(record.partition), message}
}

// message is what the library said of the record that it refused last.
func (s *stage) message() string { return C.GoString(&s.memory.text[0]) }

// sendLarge hands over one record straight from Go's memory; message says why it is refused.
func sendLarge(producer *C.ottla_producer_t, r *Record, token uint64) (status C.int32_t, message string) {
	var text [textBytes]C.char
	var headers *C.ottla_header_t
	if len(r.Headers) > 0 {
		copied := headersInC(r.Headers)
		defer C.free(copied)
		headers = (*C.ottla_header_t)(copied)
	}
	key, keyLen := field(r.Key)
	value, valueLen := field(r.Value)
	status = C.ottla_go_send(producer, C.uint32_t(r.Topic), C.int32_t(r.Partition), key, keyLen, value, valueLen,
		headers, C.size_t(len(r.Headers)), C.int64_t(r.TimestampMs), C.uint64_t(token), &text[0], textBytes)
	if status != 0 {
		message = C.GoString(&text[0])
	}
	return status, message
}

// headersInC lays headers out in memory of C's, which the caller frees: first the array, then its bytes.
func headersInC(headers []Header) unsafe.Pointer {
	array := len(headers) * C.sizeof_ottla_header_t
	bytes := (&Record{Headers: headers}).bytes()
	memory := C.calloc(1, C.size_t(array+bytes+1))
	blob := unsafe.Slice((*byte)(unsafe.Add(memory, array)), bytes+1)
	for i, header := range unsafe.Slice((*C.ottla_header_t)(memory), len(headers)) {
		header.key, header.key_len = (*C.char)(unsafe.Pointer(&blob[0])), C.size_t(len(headers[i].Key))
		blob = blob[copy(blob, headers[i].Key):]
		if headers[i].Value != nil {
			header.value, header.value_len = unsafe.Pointer(&blob[0]), C.size_t(len(headers[i].Value))
			blob = blob[copy(blob, headers[i].Value):]
		}
		unsafe.Slice((*C.ottla_header_t)(memory), len(headers))[i] = header
	}
	return memory
}
