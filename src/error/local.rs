//! Owns the table of ottla's own error codes. A number, once released, is never used again for
//! another meaning; it never holds a broker's code.

use super::table::error_table;

error_table! {
    -101 CLOSED PLAIN,
        "The producer is closed.";
    -102 CONFIG INVALID_CONFIGURATION,
        "A setting is unknown, malformed, out of range, or contradicts another one.";
    -103 ARGUMENT PLAIN,
        "An argument of the call is not valid.";
    -104 QUEUE_FULL RETRIABLE,
        "No memory or no place in the queue now, and the call was told not to wait.";
    -105 TIMED_OUT RETRIABLE,
        "The call did not finish in the time it was given.";
    -106 EXPIRED RETRIABLE,
        "The record was not acknowledged within delivery.timeout.ms.";
    -107 TRANSPORT REFRESH_METADATA,
        "The connection to the broker could not be made or was lost.";
    -108 UNSUPPORTED INVALID_CONFIGURATION,
        "Known to Kafka, but not built into this version of ottla.";
    -109 RESOLVE RETRIABLE,
        "No bootstrap address could be resolved.";
    -110 RECORD_TOO_LARGE PLAIN,
        "The record is larger than max.request.size or buffer.memory.";
    -111 UNKNOWN_TOPIC PLAIN,
        "The topic does not exist in the cluster.";
    -112 UNKNOWN_PARTITION PLAIN,
        "The topic has no such partition.";
    -113 PURGED_QUEUE PLAIN,
        "The record was purged before it was sent.";
    -114 PURGED_IN_FLIGHT PLAIN,
        "The record was purged while a request that holds it was under way.";
    -115 STATE PLAIN,
        "The call is not allowed in the present state of the producer.";
    -116 IN_CALLBACK PLAIN,
        "The call is not allowed inside this callback of the same producer.";
    -117 FORKED FATAL,
        "The producer belongs to the parent of this process; create one after fork.";
    -118 PANIC PLAIN,
        "A bug in ottla or in a callback was caught before it could end the process.";
    -119 INTERRUPTED PLAIN,
        "The wait was interrupted by a signal or by the caller.";
    -120 BUFFER_TOO_SMALL PLAIN,
        "The caller's buffer cannot hold the result.";
    -121 PROTOCOL PLAIN,
        "The broker answered with bytes that are not a valid response.";
    -122 FATAL FATAL,
        "An earlier fatal error stopped this producer.";
    -123 AUTHENTICATION INVALID_CONFIGURATION,
        "The broker and this client could not authenticate each other.";
    -124 HANDLE PLAIN,
        "The handle is null, freed, or of another kind.";
    -125 ABORTED PLAIN,
        "The record was given up because the producer closed without waiting for it or the \
         transaction was aborted.";
    -126 TRUNCATED PLAIN,
        "The result was cut to the size of the caller's buffer.";
}
