// Code generated from include/ottla.h by bindings/generate.py. DO NOT EDIT.

package native

/*
#include <stddef.h>
#include "ottla.h"

// What the C compiler says; in the order of Layout below.
static size_t ottla_go_place(size_t index)
{
    static const size_t places[] = {
        offsetof(ottla_header_t, key),
        offsetof(ottla_header_t, key_len),
        offsetof(ottla_header_t, value),
        offsetof(ottla_header_t, value_len),
        sizeof(ottla_header_t),
        offsetof(ottla_record_t, size),
        offsetof(ottla_record_t, topic),
        offsetof(ottla_record_t, partition),
        offsetof(ottla_record_t, reserved),
        offsetof(ottla_record_t, key),
        offsetof(ottla_record_t, key_len),
        offsetof(ottla_record_t, value),
        offsetof(ottla_record_t, value_len),
        offsetof(ottla_record_t, headers),
        offsetof(ottla_record_t, header_count),
        offsetof(ottla_record_t, timestamp_ms),
        offsetof(ottla_record_t, token),
        sizeof(ottla_record_t),
        offsetof(ottla_report_t, size),
        offsetof(ottla_report_t, topic),
        offsetof(ottla_report_t, partition),
        offsetof(ottla_report_t, status),
        offsetof(ottla_report_t, persistence),
        offsetof(ottla_report_t, reserved),
        offsetof(ottla_report_t, base_offset),
        offsetof(ottla_report_t, log_append_time_ms),
        offsetof(ottla_report_t, latency_us),
        offsetof(ottla_report_t, count),
        offsetof(ottla_report_t, tokens),
        offsetof(ottla_report_t, timestamps_ms),
        offsetof(ottla_report_t, message),
        offsetof(ottla_report_t, message_len),
        sizeof(ottla_report_t),
        offsetof(ottla_delivery_t, token),
        offsetof(ottla_delivery_t, offset),
        offsetof(ottla_delivery_t, timestamp_ms),
        offsetof(ottla_delivery_t, topic),
        offsetof(ottla_delivery_t, partition),
        offsetof(ottla_delivery_t, status),
        offsetof(ottla_delivery_t, persistence),
        offsetof(ottla_delivery_t, latency_us),
        offsetof(ottla_delivery_t, message),
        sizeof(ottla_delivery_t),
        offsetof(ottla_run_t, first),
        offsetof(ottla_run_t, count),
        offsetof(ottla_run_t, base_offset),
        offsetof(ottla_run_t, log_append_time_ms),
        offsetof(ottla_run_t, topic),
        offsetof(ottla_run_t, partition),
        offsetof(ottla_run_t, status),
        offsetof(ottla_run_t, persistence),
        offsetof(ottla_run_t, latency_us),
        offsetof(ottla_run_t, message),
        sizeof(ottla_run_t),
        offsetof(ottla_callbacks_t, size),
        offsetof(ottla_callbacks_t, reserved),
        offsetof(ottla_callbacks_t, on_delivery),
        offsetof(ottla_callbacks_t, delivery_env),
        offsetof(ottla_callbacks_t, delivery_env_free),
        offsetof(ottla_callbacks_t, on_log),
        offsetof(ottla_callbacks_t, log_env),
        offsetof(ottla_callbacks_t, log_env_free),
        offsetof(ottla_callbacks_t, on_send),
        offsetof(ottla_callbacks_t, on_acknowledgement),
        offsetof(ottla_callbacks_t, interceptor_env),
        offsetof(ottla_callbacks_t, interceptor_env_free),
        offsetof(ottla_callbacks_t, partitioner),
        offsetof(ottla_callbacks_t, partitioner_env),
        offsetof(ottla_callbacks_t, partitioner_env_free),
        sizeof(ottla_callbacks_t),
    };
    return places[index];
}
*/
import "C"

import "unsafe"

// Place is where a field of a struct lies, or how large the struct is (no field).
type Place struct {
	Struct, Field string
	// Header is what the header's text gives where pointers have 64 bits, C what its compiler says, Go what cgo says.
	Header, C, Go uintptr
}

// Layout of every struct that crosses the border.
func Layout() []Place {
	places := []Place{
		{"ottla_header_t", "key", 0, 0, unsafe.Offsetof(C.ottla_header_t{}.key)},
		{"ottla_header_t", "key_len", 8, 0, unsafe.Offsetof(C.ottla_header_t{}.key_len)},
		{"ottla_header_t", "value", 16, 0, unsafe.Offsetof(C.ottla_header_t{}.value)},
		{"ottla_header_t", "value_len", 24, 0, unsafe.Offsetof(C.ottla_header_t{}.value_len)},
		{"ottla_header_t", "", 32, 0, unsafe.Sizeof(C.ottla_header_t{})},
		{"ottla_record_t", "size", 0, 0, unsafe.Offsetof(C.ottla_record_t{}.size)},
		{"ottla_record_t", "topic", 4, 0, unsafe.Offsetof(C.ottla_record_t{}.topic)},
		{"ottla_record_t", "partition", 8, 0, unsafe.Offsetof(C.ottla_record_t{}.partition)},
		{"ottla_record_t", "reserved", 12, 0, unsafe.Offsetof(C.ottla_record_t{}.reserved)},
		{"ottla_record_t", "key", 16, 0, unsafe.Offsetof(C.ottla_record_t{}.key)},
		{"ottla_record_t", "key_len", 24, 0, unsafe.Offsetof(C.ottla_record_t{}.key_len)},
		{"ottla_record_t", "value", 32, 0, unsafe.Offsetof(C.ottla_record_t{}.value)},
		{"ottla_record_t", "value_len", 40, 0, unsafe.Offsetof(C.ottla_record_t{}.value_len)},
		{"ottla_record_t", "headers", 48, 0, unsafe.Offsetof(C.ottla_record_t{}.headers)},
		{"ottla_record_t", "header_count", 56, 0, unsafe.Offsetof(C.ottla_record_t{}.header_count)},
		{"ottla_record_t", "timestamp_ms", 64, 0, unsafe.Offsetof(C.ottla_record_t{}.timestamp_ms)},
		{"ottla_record_t", "token", 72, 0, unsafe.Offsetof(C.ottla_record_t{}.token)},
		{"ottla_record_t", "", 80, 0, unsafe.Sizeof(C.ottla_record_t{})},
		{"ottla_report_t", "size", 0, 0, unsafe.Offsetof(C.ottla_report_t{}.size)},
		{"ottla_report_t", "topic", 4, 0, unsafe.Offsetof(C.ottla_report_t{}.topic)},
		{"ottla_report_t", "partition", 8, 0, unsafe.Offsetof(C.ottla_report_t{}.partition)},
		{"ottla_report_t", "status", 12, 0, unsafe.Offsetof(C.ottla_report_t{}.status)},
		{"ottla_report_t", "persistence", 16, 0, unsafe.Offsetof(C.ottla_report_t{}.persistence)},
		{"ottla_report_t", "reserved", 20, 0, unsafe.Offsetof(C.ottla_report_t{}.reserved)},
		{"ottla_report_t", "base_offset", 24, 0, unsafe.Offsetof(C.ottla_report_t{}.base_offset)},
		{"ottla_report_t", "log_append_time_ms", 32, 0, unsafe.Offsetof(C.ottla_report_t{}.log_append_time_ms)},
		{"ottla_report_t", "latency_us", 40, 0, unsafe.Offsetof(C.ottla_report_t{}.latency_us)},
		{"ottla_report_t", "count", 48, 0, unsafe.Offsetof(C.ottla_report_t{}.count)},
		{"ottla_report_t", "tokens", 56, 0, unsafe.Offsetof(C.ottla_report_t{}.tokens)},
		{"ottla_report_t", "timestamps_ms", 64, 0, unsafe.Offsetof(C.ottla_report_t{}.timestamps_ms)},
		{"ottla_report_t", "message", 72, 0, unsafe.Offsetof(C.ottla_report_t{}.message)},
		{"ottla_report_t", "message_len", 80, 0, unsafe.Offsetof(C.ottla_report_t{}.message_len)},
		{"ottla_report_t", "", 88, 0, unsafe.Sizeof(C.ottla_report_t{})},
		{"ottla_delivery_t", "token", 0, 0, unsafe.Offsetof(C.ottla_delivery_t{}.token)},
		{"ottla_delivery_t", "offset", 8, 0, unsafe.Offsetof(C.ottla_delivery_t{}.offset)},
		{"ottla_delivery_t", "timestamp_ms", 16, 0, unsafe.Offsetof(C.ottla_delivery_t{}.timestamp_ms)},
		{"ottla_delivery_t", "topic", 24, 0, unsafe.Offsetof(C.ottla_delivery_t{}.topic)},
		{"ottla_delivery_t", "partition", 28, 0, unsafe.Offsetof(C.ottla_delivery_t{}.partition)},
		{"ottla_delivery_t", "status", 32, 0, unsafe.Offsetof(C.ottla_delivery_t{}.status)},
		{"ottla_delivery_t", "persistence", 36, 0, unsafe.Offsetof(C.ottla_delivery_t{}.persistence)},
		{"ottla_delivery_t", "latency_us", 40, 0, unsafe.Offsetof(C.ottla_delivery_t{}.latency_us)},
		{"ottla_delivery_t", "message", 44, 0, unsafe.Offsetof(C.ottla_delivery_t{}.message)},
		{"ottla_delivery_t", "", 48, 0, unsafe.Sizeof(C.ottla_delivery_t{})},
		{"ottla_run_t", "first", 0, 0, unsafe.Offsetof(C.ottla_run_t{}.first)},
		{"ottla_run_t", "count", 8, 0, unsafe.Offsetof(C.ottla_run_t{}.count)},
		{"ottla_run_t", "base_offset", 16, 0, unsafe.Offsetof(C.ottla_run_t{}.base_offset)},
		{"ottla_run_t", "log_append_time_ms", 24, 0, unsafe.Offsetof(C.ottla_run_t{}.log_append_time_ms)},
		{"ottla_run_t", "topic", 32, 0, unsafe.Offsetof(C.ottla_run_t{}.topic)},
		{"ottla_run_t", "partition", 36, 0, unsafe.Offsetof(C.ottla_run_t{}.partition)},
		{"ottla_run_t", "status", 40, 0, unsafe.Offsetof(C.ottla_run_t{}.status)},
		{"ottla_run_t", "persistence", 44, 0, unsafe.Offsetof(C.ottla_run_t{}.persistence)},
		{"ottla_run_t", "latency_us", 48, 0, unsafe.Offsetof(C.ottla_run_t{}.latency_us)},
		{"ottla_run_t", "message", 52, 0, unsafe.Offsetof(C.ottla_run_t{}.message)},
		{"ottla_run_t", "", 56, 0, unsafe.Sizeof(C.ottla_run_t{})},
		{"ottla_callbacks_t", "size", 0, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.size)},
		{"ottla_callbacks_t", "reserved", 4, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.reserved)},
		{"ottla_callbacks_t", "on_delivery", 8, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.on_delivery)},
		{"ottla_callbacks_t", "delivery_env", 16, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.delivery_env)},
		{"ottla_callbacks_t", "delivery_env_free", 24, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.delivery_env_free)},
		{"ottla_callbacks_t", "on_log", 32, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.on_log)},
		{"ottla_callbacks_t", "log_env", 40, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.log_env)},
		{"ottla_callbacks_t", "log_env_free", 48, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.log_env_free)},
		{"ottla_callbacks_t", "on_send", 56, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.on_send)},
		{"ottla_callbacks_t", "on_acknowledgement", 64, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.on_acknowledgement)},
		{"ottla_callbacks_t", "interceptor_env", 72, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.interceptor_env)},
		{"ottla_callbacks_t", "interceptor_env_free", 80, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.interceptor_env_free)},
		{"ottla_callbacks_t", "partitioner", 88, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.partitioner)},
		{"ottla_callbacks_t", "partitioner_env", 96, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.partitioner_env)},
		{"ottla_callbacks_t", "partitioner_env_free", 104, 0, unsafe.Offsetof(C.ottla_callbacks_t{}.partitioner_env_free)},
		{"ottla_callbacks_t", "", 112, 0, unsafe.Sizeof(C.ottla_callbacks_t{})},
	}
	for i := range places {
		places[i].C = uintptr(C.ottla_go_place(C.size_t(i)))
	}
	return places
}
