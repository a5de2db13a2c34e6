//! The application's own partitioner in C: a function that the library asks where a record goes. Never asked
//! for a record that names its partition; what it may call is in the table of `guard`.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};

use crate::capi::callbacks::{ottla_callbacks_t, Armed, Env};
use crate::capi::guard::{self, Callback};
use crate::capi::record::parts;
use crate::record::Record;

/// Chooses the partition of a record that is sent with OTTLA_PARTITION_ANY, instead of the setting
/// `partitioner`: a number from 0 to `partition_count` - 1, which is at least 1. Any other number refuses
/// the record: the send answers OTTLA_ERROR_ARGUMENT, with the number in its error text; a record that was
/// parked is reported with that status.
///
/// `topic` is its name, not NUL-terminated. `key` and `value` are NULL when they are null, else not, even
/// if empty. All of them are lent for the call.
///
/// Called after on_send, on the thread that sends, several at a time if several send. A record that was
/// accepted before its topic was known (see send.wait and OTTLA_SEND_NO_WAIT) was parked: for those it is
/// called on the sender thread, which waits for it; again if there was no memory, and after
/// ottla_producer_close() has begun, too.
///
/// Must be quick. What may be called inside: see Callbacks at the head of this header. Must not throw or
/// longjmp.
pub type ottla_partitioner_fn = Option<
    unsafe extern "C" fn(
        topic: *const c_char,
        topic_len: usize,
        key: *const c_void,
        key_len: usize,
        value: *const c_void,
        value_len: usize,
        partition_count: u32,
        env: *mut c_void,
    ) -> i32,
>;

impl ottla_callbacks_t {
    /// The partitioner as the core wants it, if there is one.
    pub(super) fn partitioner(
        &self,
        identity: u64,
        armed: &Armed,
    ) -> Option<impl Fn(&str, &Record<'_>, u32) -> i32 + Send + Sync + 'static> {
        let callback = self.partitioner?;
        let env = Env::new(self.partitioner_env, self.partitioner_env_free, armed);
        Some(move |topic: &str, record: &Record<'_>, count: u32| {
            let ((key, key_len), (value, value_len)) = (parts(record.key), parts(record.value));
            let topic_text = topic.as_ptr().cast();
            guard::in_callback_of(identity, Callback::Other, || {
                // SAFETY: the bytes live through the call; the rest is the header's contract.
                unsafe {
                    let (topic_len, env) = (topic.len(), env.get());
                    callback(topic_text, topic_len, key, key_len, value, value_len, count, env)
                }
            })
        })
    }
}
