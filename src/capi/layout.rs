//! The layout of every plain struct, asserted when the library is compiled: a field that moves would
//! break programs that were compiled before. 32-bit systems have their own numbers, which their
//! compilers compute alike.

#[cfg(target_pointer_width = "64")]
mod asserted {
    use std::mem::offset_of;

    use crate::capi::callbacks::ottla_callbacks_t;
    use crate::capi::columns::{ottla_column_t, ottla_columns_t};
    use crate::capi::event::ottla_event_t;
    use crate::capi::record::{ottla_header_t, ottla_record_t};
    use crate::capi::report::{ottla_delivery_t, ottla_report_t, ottla_run_t};
    use crate::capi::transactions::ottla_group_offset_t;

    macro_rules! layout {
        ($type:ident, $size:literal: $($field:ident $offset:literal),+) => {
            const _: () = {
                assert!(size_of::<$type>() == $size && align_of::<$type>() == 8);
                $(assert!(offset_of!($type, $field) == $offset);)+
            };
        };
    }

    layout!(ottla_header_t, 32: key 0, key_len 8, value 16, value_len 24);
    layout!(ottla_record_t, 80: size 0, topic 4, partition 8, reserved 12, key 16, key_len 24, value 32,
        value_len 40, headers 48, header_count 56, timestamp_ms 64, token 72);
    layout!(ottla_group_offset_t, 56: size 0, partition 4, topic 8, topic_len 16, offset 24, metadata 32,
        metadata_len 40, leader_epoch 48, reserved 52);
    layout!(ottla_report_t, 88: size 0, topic 4, partition 8, status 12, persistence 16, reserved 20,
        base_offset 24, log_append_time_ms 32, latency_us 40, count 48, tokens 56, timestamps_ms 64,
        message 72, message_len 80);
    layout!(ottla_delivery_t, 48: token 0, offset 8, timestamp_ms 16, topic 24, partition 28, status 32,
        persistence 36, latency_us 40, message 44);
    layout!(ottla_run_t, 56: first 0, count 8, base_offset 16, log_append_time_ms 24, topic 32,
        partition 36, status 40, persistence 44, latency_us 48, message 52);
    layout!(ottla_column_t, 56: data 0, data_len 8, lengths 16, offsets 24, validity 32, first 40,
        offset_bits 48, width 52);
    layout!(ottla_columns_t, 304: size 0, topic 4, partition 8, reserved 12, timestamp_ms 16, token 24,
        token_step 32, count 40, topics 48, partitions 56, timestamps_ms 64, header_counts 72, key 80,
        value 136, header_key 192, header_value 248);
    layout!(ottla_event_t, 40: size 0, kind 4, level 8, status 12, broker 16, throttle_ms 20, text_len 24,
        dropped 32);
    layout!(ottla_callbacks_t, 136: size 0, reserved 4, on_delivery 8, delivery_env 16,
        delivery_env_free 24, on_log 32, log_env 40, log_env_free 48, on_send 56, on_acknowledgement 64,
        interceptor_env 72, interceptor_env_free 80, partitioner 88, partitioner_env 96,
        partitioner_env_free 104, on_event 112, event_env 120, event_env_free 128);
}
