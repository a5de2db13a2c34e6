"""The C ABI for ctypes: structs, constants, prototypes.

Generated from include/ottla.h by bindings/generate.py: do not edit.
"""

from ctypes import (
    CDLL,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_double,
    c_int16,
    c_int32,
    c_int64,
    c_size_t,
    c_uint16,
    c_uint32,
    c_uint64,
    c_uint8,
    c_void_p,
)
from enum import IntEnum


class ErrorCode(IntEnum):
    """The status numbers: above 0 a broker's, -1 and below ottla's own."""

    UNKNOWN_SERVER_ERROR = -1
    """The broker failed in a way that it has no error code for."""
    NONE = 0
    """No error."""
    OFFSET_OUT_OF_RANGE = 1
    """The log of the partition does not hold the requested offset."""
    CORRUPT_MESSAGE = 2
    """The broker found a wrong checksum or a malformed batch."""
    UNKNOWN_TOPIC_OR_PARTITION = 3
    """The broker asked does not have this topic or partition."""
    INVALID_FETCH_SIZE = 4
    """The requested fetch size is not valid."""
    LEADER_NOT_AVAILABLE = 5
    """The partition has no leader at the moment."""
    NOT_LEADER_OR_FOLLOWER = 6
    """The broker asked is not the leader, or not a replica, of the partition."""
    REQUEST_TIMED_OUT = 7
    """The request did not finish in its time."""
    BROKER_NOT_AVAILABLE = 8
    """The broker is not available."""
    REPLICA_NOT_AVAILABLE = 9
    """The replica that the request needs is not available."""
    MESSAGE_TOO_LARGE = 10
    """The batch is larger than the broker or the topic accepts."""
    STALE_CONTROLLER_EPOCH = 11
    """A newer controller has taken over."""
    OFFSET_METADATA_TOO_LARGE = 12
    """The metadata text of the committed offset is too long."""
    NETWORK_EXCEPTION = 13
    """The connection was lost before the response arrived."""
    COORDINATOR_LOAD_IN_PROGRESS = 14
    """The coordinator is still loading its state."""
    COORDINATOR_NOT_AVAILABLE = 15
    """There is no coordinator at the moment."""
    NOT_COORDINATOR = 16
    """The broker asked is not the coordinator."""
    INVALID_TOPIC_EXCEPTION = 17
    """The topic name is not allowed, or the topic cannot be written by clients."""
    RECORD_LIST_TOO_LARGE = 18
    """The batch is larger than a segment of the log on the broker."""
    NOT_ENOUGH_REPLICAS = 19
    """Fewer replicas are in sync than min.insync.replicas; nothing was written."""
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20
    """The batch was written, but fewer replicas than min.insync.replicas have it."""
    INVALID_REQUIRED_ACKS = 21
    """The broker does not know this value of acks."""
    ILLEGAL_GENERATION = 22
    """The consumer group has moved on to another generation."""
    INCONSISTENT_GROUP_PROTOCOL = 23
    """The member's protocol does not fit the other members of the group."""
    INVALID_GROUP_ID = 24
    """The group id is not valid."""
    UNKNOWN_MEMBER_ID = 25
    """The group coordinator does not know this member."""
    INVALID_SESSION_TIMEOUT = 26
    """The session timeout is outside the range that the broker allows."""
    REBALANCE_IN_PROGRESS = 27
    """The group is being rebalanced."""
    INVALID_COMMIT_OFFSET_SIZE = 28
    """The committed offset is too large to be stored."""
    TOPIC_AUTHORIZATION_FAILED = 29
    """This client may not use the topic in this way."""
    GROUP_AUTHORIZATION_FAILED = 30
    """This client may not use the consumer group."""
    CLUSTER_AUTHORIZATION_FAILED = 31
    """This client may not do this on the cluster; idempotence may need a permission."""
    INVALID_TIMESTAMP = 32
    """The timestamp of a record is outside the range that the topic accepts."""
    UNSUPPORTED_SASL_MECHANISM = 33
    """The broker does not offer this SASL mechanism."""
    ILLEGAL_SASL_STATE = 34
    """The request does not fit the state of the SASL exchange."""
    UNSUPPORTED_VERSION = 35
    """Client and broker have no common version of this request."""
    TOPIC_ALREADY_EXISTS = 36
    """A topic of this name exists already."""
    INVALID_PARTITIONS = 37
    """The number of partitions is not valid."""
    INVALID_REPLICATION_FACTOR = 38
    """The replication factor is below one or above the number of brokers."""
    INVALID_REPLICA_ASSIGNMENT = 39
    """The replica assignment is not valid."""
    INVALID_CONFIG = 40
    """A setting sent to the broker is not valid."""
    NOT_CONTROLLER = 41
    """The broker asked is not the controller."""
    INVALID_REQUEST = 42
    """The broker cannot make sense of the request."""
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    """The message format of the topic cannot store this."""
    POLICY_VIOLATION = 44
    """A policy of the cluster forbids the request."""
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    """The sequence number of the batch does not follow the last one in the log."""
    DUPLICATE_SEQUENCE_NUMBER = 46
    """The batch is in the log already."""
    INVALID_PRODUCER_EPOCH = 47
    """The producer's epoch is older than the one in the log."""
    INVALID_TXN_STATE = 48
    """The transaction is not in a state that allows the request."""
    INVALID_PRODUCER_ID_MAPPING = 49
    """The producer id does not belong to this transactional id."""
    INVALID_TRANSACTION_TIMEOUT = 50
    """transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms."""
    CONCURRENT_TRANSACTIONS = 51
    """The previous transaction of this transactional id is still being finished."""
    TRANSACTION_COORDINATOR_FENCED = 52
    """The transaction coordinator that sent the markers has been replaced."""
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    """This client may not use the transactional id."""
    SECURITY_DISABLED = 54
    """Security features are switched off on the broker."""
    OPERATION_NOT_ATTEMPTED = 55
    """The broker left this part undone because another part of the request failed."""
    KAFKA_STORAGE_ERROR = 56
    """The broker could not reach the disk that holds the log."""
    LOG_DIR_NOT_FOUND = 57
    """The broker has no such log directory."""
    SASL_AUTHENTICATION_FAILED = 58
    """The broker refused the SASL credentials."""
    UNKNOWN_PRODUCER_ID = 59
    """The log holds no state of this producer id any more."""
    REASSIGNMENT_IN_PROGRESS = 60
    """The partition is being reassigned."""
    DELEGATION_TOKEN_AUTH_DISABLED = 61
    """Delegation tokens are switched off."""
    DELEGATION_TOKEN_NOT_FOUND = 62
    """The broker does not know the delegation token."""
    DELEGATION_TOKEN_OWNER_MISMATCH = 63
    """The principal is neither owner nor renewer of the delegation token."""
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64
    """Delegation tokens cannot be requested over this kind of connection."""
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65
    """This client may not use the delegation token."""
    DELEGATION_TOKEN_EXPIRED = 66
    """The delegation token has expired."""
    INVALID_PRINCIPAL_TYPE = 67
    """This type of principal is not supported."""
    NON_EMPTY_GROUP = 68
    """The group still has members."""
    GROUP_ID_NOT_FOUND = 69
    """The group does not exist."""
    FETCH_SESSION_ID_NOT_FOUND = 70
    """The broker does not know the fetch session."""
    INVALID_FETCH_SESSION_EPOCH = 71
    """The epoch of the fetch session is not the expected one."""
    LISTENER_NOT_FOUND = 72
    """The leader has no listener of the kind this client is connected to."""
    TOPIC_DELETION_DISABLED = 73
    """Deleting topics is switched off."""
    FENCED_LEADER_EPOCH = 74
    """The leader epoch in the request is older than the broker's."""
    UNKNOWN_LEADER_EPOCH = 75
    """The leader epoch in the request is newer than the broker's."""
    UNSUPPORTED_COMPRESSION_TYPE = 76
    """The codec cannot be used with this version of the request."""
    STALE_BROKER_EPOCH = 77
    """The broker epoch has changed."""
    OFFSET_NOT_AVAILABLE = 78
    """A new leader has not caught up far enough to answer for offsets."""
    MEMBER_ID_REQUIRED = 79
    """The group member needs a member id before it can join."""
    PREFERRED_LEADER_NOT_AVAILABLE = 80
    """The preferred leader of the partition is not available."""
    GROUP_MAX_SIZE_REACHED = 81
    """The group has as many members as it may have."""
    FENCED_INSTANCE_ID = 82
    """Another member with the same group.instance.id has taken over."""
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83
    """No replica that may lead the partition is available."""
    ELECTION_NOT_NEEDED = 84
    """The partition needs no leader election."""
    NO_REASSIGNMENT_IN_PROGRESS = 85
    """The partition is not being reassigned."""
    GROUP_SUBSCRIBED_TO_TOPIC = 86
    """The group is subscribed to the topic, so its offsets cannot be deleted."""
    INVALID_RECORD = 87
    """The broker refused a record, for example one without key on a compacted topic."""
    UNSTABLE_OFFSET_COMMIT = 88
    """An open transaction holds offsets that were asked for."""
    THROTTLING_QUOTA_EXCEEDED = 89
    """A quota is used up; try again later."""
    PRODUCER_FENCED = 90
    """A newer producer with the same transactional id has taken over."""
    RESOURCE_NOT_FOUND = 91
    """The request names a resource that does not exist."""
    DUPLICATE_RESOURCE = 92
    """The request names a resource twice."""
    UNACCEPTABLE_CREDENTIAL = 93
    """The credential does not meet the broker's requirements."""
    INCONSISTENT_VOTER_SET = 94
    """Not both, or neither, side of the request is a controller voter."""
    INVALID_UPDATE_VERSION = 95
    """The version in the update is not valid."""
    FEATURE_UPDATE_FAILED = 96
    """The features could not be updated."""
    PRINCIPAL_DESERIALIZATION_FAILURE = 97
    """The forwarded principal could not be read."""
    SNAPSHOT_NOT_FOUND = 98
    """The requested snapshot does not exist."""
    POSITION_OUT_OF_RANGE = 99
    """The requested position lies outside the snapshot."""
    UNKNOWN_TOPIC_ID = 100
    """The broker does not know the topic id."""
    DUPLICATE_BROKER_REGISTRATION = 101
    """A broker with this id is registered already."""
    BROKER_ID_NOT_REGISTERED = 102
    """No broker with this id is registered."""
    INCONSISTENT_TOPIC_ID = 103
    """The topic id in the log is not the one in the request."""
    INCONSISTENT_CLUSTER_ID = 104
    """The cluster id in the request is not the broker's."""
    TRANSACTIONAL_ID_NOT_FOUND = 105
    """The coordinator does not know the transactional id."""
    FETCH_SESSION_TOPIC_ID_ERROR = 106
    """The fetch session mixed requests with and without topic ids."""
    INELIGIBLE_REPLICA = 107
    """The replica may not join the in-sync set."""
    NEW_LEADER_ELECTED = 108
    """The change to the partition made another replica the leader."""
    OFFSET_MOVED_TO_TIERED_STORAGE = 109
    """The offset now lies in tiered storage."""
    FENCED_MEMBER_EPOCH = 110
    """The group has fenced the member's epoch."""
    UNRELEASED_INSTANCE_ID = 111
    """Another member still holds the instance id."""
    UNSUPPORTED_ASSIGNOR = 112
    """The group does not support the assignor."""
    STALE_MEMBER_EPOCH = 113
    """The member's epoch is out of date."""
    MISMATCHED_ENDPOINT_TYPE = 114
    """The request came to an endpoint of the wrong type."""
    UNSUPPORTED_ENDPOINT_TYPE = 115
    """The broker does not know this type of endpoint."""
    UNKNOWN_CONTROLLER_ID = 116
    """No controller has this id."""
    UNKNOWN_SUBSCRIPTION_ID = 117
    """The client pushed telemetry under a subscription the broker no longer holds."""
    TELEMETRY_TOO_LARGE = 118
    """The client pushed more telemetry than the broker takes."""
    INVALID_REGISTRATION = 119
    """The controller did not accept the registration."""
    TRANSACTION_ABORTABLE = 120
    """The transaction met an error; abort it to go on."""
    INVALID_RECORD_STATE = 121
    """The state of the shared record does not allow the acknowledgement."""
    SHARE_SESSION_NOT_FOUND = 122
    """The broker does not know the share session."""
    INVALID_SHARE_SESSION_EPOCH = 123
    """The epoch of the share session is not the expected one."""
    FENCED_STATE_EPOCH = 124
    """The share coordinator has a newer epoch than the request."""
    INVALID_VOTER_KEY = 125
    """The key of the voter does not match the receiver's."""
    DUPLICATE_VOTER = 126
    """The voter is in the set of voters already."""
    VOTER_NOT_FOUND = 127
    """The voter is not in the set of voters."""
    INVALID_REGULAR_EXPRESSION = 128
    """The regular expression is not valid."""
    REBOOTSTRAP_REQUIRED = 129
    """The client must start again from its bootstrap servers."""
    STREAMS_INVALID_TOPOLOGY = 130
    """The Streams topology that was sent is not valid."""
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131
    """The epoch of the Streams topology is not valid."""
    STREAMS_TOPOLOGY_FENCED = 132
    """The epoch of the Streams topology is out of date."""
    SHARE_SESSION_LIMIT_REACHED = 133
    """The broker holds as many share sessions as it may."""
    CLOSED = -101
    """The producer is closed."""
    CONFIG = -102
    """A setting is unknown, malformed, out of range, or contradicts another one."""
    ARGUMENT = -103
    """An argument of the call is not valid."""
    QUEUE_FULL = -104
    """No memory or no place in the queue now, and the call was told not to wait."""
    TIMED_OUT = -105
    """The call did not finish in the time it was given."""
    EXPIRED = -106
    """The record was not acknowledged within delivery.timeout.ms."""
    TRANSPORT = -107
    """The connection to the broker could not be made or was lost."""
    UNSUPPORTED = -108
    """Known to Kafka, but not built into this version of ottla."""
    RESOLVE = -109
    """No bootstrap address could be resolved."""
    RECORD_TOO_LARGE = -110
    """The record is larger than max.request.size or buffer.memory."""
    UNKNOWN_TOPIC = -111
    """The topic does not exist in the cluster."""
    UNKNOWN_PARTITION = -112
    """The topic has no such partition."""
    PURGED_QUEUE = -113
    """The record was purged before it was sent."""
    PURGED_IN_FLIGHT = -114
    """The record was purged while a request that holds it was under way."""
    STATE = -115
    """The call is not allowed in the present state of the producer."""
    IN_CALLBACK = -116
    """The call is not allowed inside this callback of the same producer."""
    FORKED = -117
    """The producer belongs to the parent of this process; create one after fork."""
    PANIC = -118
    """A bug in ottla or in a callback was caught before it could end the process."""
    INTERRUPTED = -119
    """The wait was interrupted by a signal or by the caller."""
    BUFFER_TOO_SMALL = -120
    """The caller's buffer cannot hold the result."""
    PROTOCOL = -121
    """The broker answered with bytes that are not a valid response."""
    FATAL = -122
    """An earlier fatal error stopped this producer."""
    AUTHENTICATION = -123
    """The broker and this client could not authenticate each other."""
    HANDLE = -124
    """The handle is null, freed, or of another kind."""
    ABORTED = -125
    """The record was given up because the producer closed without waiting for it or the transaction was aborted."""
    TRUNCATED = -126
    """The result was cut to the size of the caller's buffer."""


VERSION_MAJOR = 0
VERSION_MINOR = 1
VERSION_PATCH = 0
VERSION = "0.1.0"
ERROR_FLAG_RETRIABLE = 1
ERROR_FLAG_ABORTABLE = 2
ERROR_FLAG_FATAL = 4
ERROR_FLAG_CONFIGURATION = 8
PARTITION_ANY = -1
TIMESTAMP_NOW = -1
PERSISTENCE_NOT_PERSISTED = 0
PERSISTENCE_POSSIBLY_PERSISTED = 1
PERSISTENCE_PERSISTED = 2
EVENT_NONE = 0
EVENT_LOG = 1
EVENT_ERROR = 2
EVENT_THROTTLE = 3
LOG_ERROR = 3
LOG_WARNING = 4
LOG_INFO = 6
PURGE_QUEUED = 1
PURGE_IN_FLIGHT = 2
SEND_NO_WAIT = 1
ISOLATION_READ_UNCOMMITTED = 0
ISOLATION_READ_COMMITTED = 1


class Header(Structure):
    """ottla_header_t."""

    _fields_ = [
        ("key", c_void_p),
        ("key_len", c_size_t),
        ("value", c_void_p),
        ("value_len", c_size_t),
    ]


class Record(Structure):
    """ottla_record_t."""

    _fields_ = [
        ("size", c_uint32),
        ("topic", c_uint32),
        ("partition", c_int32),
        ("reserved", c_uint32),
        ("key", c_void_p),
        ("key_len", c_size_t),
        ("value", c_void_p),
        ("value_len", c_size_t),
        ("headers", POINTER(Header)),
        ("header_count", c_size_t),
        ("timestamp_ms", c_int64),
        ("token", c_uint64),
    ]


class Report(Structure):
    """ottla_report_t."""

    _fields_ = [
        ("size", c_uint32),
        ("topic", c_uint32),
        ("partition", c_int32),
        ("status", c_int32),
        ("persistence", c_uint32),
        ("reserved", c_uint32),
        ("base_offset", c_int64),
        ("log_append_time_ms", c_int64),
        ("latency_us", c_uint64),
        ("count", c_size_t),
        ("tokens", POINTER(c_uint64)),
        ("timestamps_ms", POINTER(c_int64)),
        ("message", c_void_p),
        ("message_len", c_size_t),
    ]


class Delivery(Structure):
    """ottla_delivery_t."""

    _fields_ = [
        ("token", c_uint64),
        ("offset", c_int64),
        ("timestamp_ms", c_int64),
        ("topic", c_uint32),
        ("partition", c_int32),
        ("status", c_int32),
        ("persistence", c_uint32),
        ("latency_us", c_uint32),
        ("message", c_uint32),
    ]


class Run(Structure):
    """ottla_run_t."""

    _fields_ = [
        ("first", c_size_t),
        ("count", c_size_t),
        ("base_offset", c_int64),
        ("log_append_time_ms", c_int64),
        ("topic", c_uint32),
        ("partition", c_int32),
        ("status", c_int32),
        ("persistence", c_uint32),
        ("latency_us", c_uint32),
        ("message", c_uint32),
    ]


class Event(Structure):
    """ottla_event_t."""

    _fields_ = [
        ("size", c_uint32),
        ("kind", c_int32),
        ("level", c_int32),
        ("status", c_int32),
        ("broker", c_int32),
        ("throttle_ms", c_uint32),
        ("text_len", c_size_t),
        ("dropped", c_uint64),
    ]


class Callbacks(Structure):
    """ottla_callbacks_t."""

    _fields_ = [
        ("size", c_uint32),
        ("reserved", c_uint32),
        ("on_delivery", c_void_p),
        ("delivery_env", c_void_p),
        ("delivery_env_free", c_void_p),
        ("on_log", c_void_p),
        ("log_env", c_void_p),
        ("log_env_free", c_void_p),
        ("on_send", c_void_p),
        ("on_acknowledgement", c_void_p),
        ("interceptor_env", c_void_p),
        ("interceptor_env_free", c_void_p),
        ("partitioner", c_void_p),
        ("partitioner_env", c_void_p),
        ("partitioner_env_free", c_void_p),
        ("on_event", c_void_p),
        ("event_env", c_void_p),
        ("event_env_free", c_void_p),
    ]


class Column(Structure):
    """ottla_column_t."""

    _fields_ = [
        ("data", c_void_p),
        ("data_len", c_size_t),
        ("lengths", POINTER(c_int32)),
        ("offsets", c_void_p),
        ("validity", POINTER(c_uint8)),
        ("first", c_size_t),
        ("offset_bits", c_uint32),
        ("width", c_uint32),
    ]


class Columns(Structure):
    """ottla_columns_t."""

    _fields_ = [
        ("size", c_uint32),
        ("topic", c_uint32),
        ("partition", c_int32),
        ("reserved", c_uint32),
        ("timestamp_ms", c_int64),
        ("token", c_uint64),
        ("token_step", c_uint64),
        ("count", c_size_t),
        ("topics", POINTER(c_uint32)),
        ("partitions", POINTER(c_int32)),
        ("timestamps_ms", POINTER(c_int64)),
        ("header_counts", POINTER(c_uint32)),
        ("key", Column),
        ("value", Column),
        ("header_key", Column),
        ("header_value", Column),
    ]


class GroupOffset(Structure):
    """ottla_group_offset_t."""

    _fields_ = [
        ("size", c_uint32),
        ("partition", c_int32),
        ("topic", c_void_p),
        ("topic_len", c_size_t),
        ("offset", c_int64),
        ("metadata", c_void_p),
        ("metadata_len", c_size_t),
        ("leader_epoch", c_int32),
        ("reserved", c_int32),
    ]


PROTOTYPES = {
    "ottla_version": (c_char_p, ()),
    "ottla_version_number": (c_uint32, ()),
    "ottla_error_name": (c_char_p, (c_int32,)),
    "ottla_error_description": (c_char_p, (c_int32,)),
    "ottla_error_flags": (c_uint32, (c_int32,)),
    "ottla_last_error_message": (c_size_t, (c_char_p, c_size_t)),
    "ottla_error_code": (c_int32, (c_void_p,)),
    "ottla_error_message": (c_char_p, (c_void_p,)),
    "ottla_error_is_retriable": (c_bool, (c_void_p,)),
    "ottla_error_is_abortable": (c_bool, (c_void_p,)),
    "ottla_error_is_fatal": (c_bool, (c_void_p,)),
    "ottla_error_free": (c_int32, (c_void_p,)),
    "ottla_config_new": (c_int32, (POINTER(c_void_p),)),
    "ottla_config_set": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_char_p,
            c_size_t,
            POINTER(c_void_p),
        ),
    ),
    "ottla_config_get": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_char_p,
            c_size_t,
            POINTER(c_size_t),
        ),
    ),
    "ottla_config_free": (c_int32, (c_void_p,)),
    "ottla_config_reference": (c_char_p, ()),
    "ottla_intercepted_get": (c_int32, (c_void_p, POINTER(Record), POINTER(c_char_p))),
    "ottla_intercepted_set_key": (c_int32, (c_void_p, c_void_p, c_size_t)),
    "ottla_intercepted_set_value": (c_int32, (c_void_p, c_void_p, c_size_t)),
    "ottla_intercepted_set_timestamp": (c_int32, (c_void_p, c_int64)),
    "ottla_intercepted_add_header": (c_int32, (c_void_p, c_char_p, c_size_t, c_void_p, c_size_t)),
    "ottla_intercepted_remove_headers": (c_int32, (c_void_p, c_char_p, c_size_t)),
    "ottla_producer_new": (
        c_int32,
        (
            c_void_p,
            POINTER(Callbacks),
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "ottla_producer_topic": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            POINTER(c_uint32),
            POINTER(c_void_p),
        ),
    ),
    "ottla_producer_topic_name": (
        c_int32,
        (
            c_void_p,
            c_uint32,
            c_char_p,
            c_size_t,
            POINTER(c_size_t),
        ),
    ),
    "ottla_producer_wait_ready": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "ottla_producer_outstanding": (c_int32, (c_void_p, POINTER(c_size_t))),
    "ottla_producer_flush": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "ottla_producer_purge": (c_int32, (c_void_p, c_uint32)),
    "ottla_producer_close": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "ottla_producer_free": (c_int32, (c_void_p,)),
    "ottla_producer_send": (
        c_int32,
        (
            c_void_p,
            c_uint32,
            c_int32,
            c_void_p,
            c_size_t,
            c_void_p,
            c_size_t,
            c_int64,
            c_uint64,
        ),
    ),
    "ottla_producer_send_record": (c_int32, (c_void_p, POINTER(Record), c_uint32)),
    "ottla_producer_send_batch": (
        c_int32,
        (
            c_void_p,
            POINTER(Record),
            c_size_t,
            c_size_t,
            c_uint32,
            POINTER(c_size_t),
            POINTER(c_int32),
        ),
    ),
    "ottla_producer_send_columns": (
        c_int32,
        (
            c_void_p,
            POINTER(Columns),
            c_uint32,
            POINTER(c_size_t),
            POINTER(c_int32),
        ),
    ),
    "ottla_producer_poll": (
        c_int32,
        (
            c_void_p,
            POINTER(Delivery),
            c_size_t,
            c_int64,
            POINTER(c_size_t),
        ),
    ),
    "ottla_producer_poll_runs": (
        c_int32,
        (
            c_void_p,
            POINTER(Run),
            c_size_t,
            POINTER(c_uint64),
            POINTER(c_int64),
            c_size_t,
            c_int64,
            POINTER(c_size_t),
            POINTER(c_size_t),
        ),
    ),
    "ottla_producer_message": (
        c_int32,
        (
            c_void_p,
            c_uint32,
            c_char_p,
            c_size_t,
            POINTER(c_size_t),
        ),
    ),
    "ottla_producer_event_fd": (c_int32, (c_void_p, POINTER(c_int32), POINTER(c_void_p))),
    "ottla_producer_next_event": (c_int32, (c_void_p, POINTER(Event), c_char_p, c_size_t)),
    "ottla_producer_waiting": (c_int32, (c_void_p, POINTER(POINTER(c_uint32)))),
    "ottla_group_metadata_new": (
        c_int32,
        (
            c_char_p,
            c_size_t,
            c_int32,
            c_char_p,
            c_size_t,
            c_char_p,
            c_size_t,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "ottla_group_metadata_free": (c_int32, (c_void_p,)),
    "ottla_producer_init_transactions": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "ottla_producer_begin_transaction": (c_int32, (c_void_p, POINTER(c_void_p))),
    "ottla_producer_send_offsets_to_transaction": (
        c_int32,
        (
            c_void_p,
            POINTER(GroupOffset),
            c_size_t,
            c_size_t,
            c_void_p,
            c_int64,
            POINTER(c_void_p),
        ),
    ),
    "ottla_producer_commit_transaction": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "ottla_producer_abort_transaction": (c_int32, (c_void_p, c_int64, POINTER(c_void_p))),
    "ottla_producer_metadata": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "ottla_producer_topic_metadata": (
        c_int32,
        (
            c_void_p,
            c_uint32,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "ottla_producer_survey": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_int64,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "ottla_metadata_cluster_id": (c_char_p, (c_void_p,)),
    "ottla_metadata_controller": (c_int32, (c_void_p,)),
    "ottla_metadata_broker_count": (c_size_t, (c_void_p,)),
    "ottla_metadata_broker": (
        c_int32,
        (
            c_void_p,
            c_size_t,
            POINTER(c_int32),
            POINTER(c_char_p),
            POINTER(c_uint16),
            POINTER(c_char_p),
        ),
    ),
    "ottla_metadata_topic_count": (c_size_t, (c_void_p,)),
    "ottla_metadata_topic": (
        c_int32,
        (
            c_void_p,
            c_size_t,
            POINTER(c_char_p),
            POINTER(c_uint8),
            POINTER(c_int32),
            POINTER(c_size_t),
        ),
    ),
    "ottla_metadata_partition": (
        c_int32,
        (
            c_void_p,
            c_size_t,
            c_int32,
            POINTER(c_int32),
            POINTER(c_int32),
            POINTER(c_int32),
        ),
    ),
    "ottla_metadata_replicas": (
        c_int32,
        (
            c_void_p,
            c_size_t,
            c_int32,
            POINTER(POINTER(c_int32)),
            POINTER(c_size_t),
            POINTER(POINTER(c_int32)),
            POINTER(c_size_t),
        ),
    ),
    "ottla_metadata_free": (c_int32, (c_void_p,)),
    "ottla_producer_metrics": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "ottla_metrics_count": (c_size_t, (c_void_p,)),
    "ottla_metrics_at": (c_int32, (c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_double))),
    "ottla_metrics_get": (c_int32, (c_void_p, c_char_p, c_size_t, POINTER(c_double))),
    "ottla_metrics_free": (c_int32, (c_void_p,)),
    "ottla_mock_cluster_new": (c_int32, (c_uint32, POINTER(c_void_p), POINTER(c_void_p))),
    "ottla_producer_mock_cluster": (c_int32, (c_void_p, POINTER(c_void_p), POINTER(c_void_p))),
    "ottla_mock_cluster_bootstrap_servers": (c_char_p, (c_void_p,)),
    "ottla_mock_cluster_create_topic": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_uint32,
            c_uint32,
        ),
    ),
    "ottla_mock_cluster_partition_count": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            POINTER(c_size_t),
        ),
    ),
    "ottla_mock_cluster_broker_down": (c_int32, (c_void_p, c_int32)),
    "ottla_mock_cluster_broker_up": (c_int32, (c_void_p, c_int32)),
    "ottla_mock_cluster_set_leader": (c_int32, (c_void_p, c_char_p, c_size_t, c_int32, c_int32)),
    "ottla_mock_cluster_push_errors": (c_int32, (c_void_p, c_int16, POINTER(c_int32), c_size_t)),
    "ottla_mock_cluster_push_partition_errors": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_int32,
            POINTER(c_int32),
            c_size_t,
        ),
    ),
    "ottla_mock_cluster_set_delay": (c_int32, (c_void_p, c_int32, c_int16, c_uint64)),
    "ottla_mock_cluster_clear_faults": (c_int32, (c_void_p,)),
    "ottla_mock_cluster_request_count": (c_int32, (c_void_p, c_int32, c_int16, POINTER(c_uint64))),
    "ottla_mock_cluster_end_offset": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_int32,
            POINTER(c_int64),
        ),
    ),
    "ottla_mock_cluster_free": (c_int32, (c_void_p,)),
    "ottla_mock_cluster_records": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_int32,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "ottla_mock_records_count": (c_size_t, (c_void_p,)),
    "ottla_mock_records_at": (c_int32, (c_void_p, c_size_t, POINTER(Record), POINTER(c_int64))),
    "ottla_mock_records_free": (c_int32, (c_void_p,)),
    "ottla_mock_cluster_records_isolated": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_int32,
            c_int32,
            POINTER(c_void_p),
            POINTER(c_void_p),
        ),
    ),
    "ottla_mock_cluster_committed_offset": (
        c_int32,
        (
            c_void_p,
            c_char_p,
            c_size_t,
            c_char_p,
            c_size_t,
            c_int32,
            POINTER(c_int64),
        ),
    ),
    "ottla_mock_cluster_set_kafka_version": (c_int32, (c_void_p, c_char_p, c_size_t)),
    "ottla_mock_cluster_set_transaction_version": (c_int32, (c_void_p, c_int32)),
    "ottla_mock_cluster_set_marker_delay": (c_int32, (c_void_p, c_uint64)),
}


def declare(library: CDLL) -> None:
    """Tells ctypes what every function takes and gives."""
    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
