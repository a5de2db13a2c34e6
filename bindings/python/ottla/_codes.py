"""librdkafka's error numbers, their names and texts, and which of them ottla's own errors are.

Generated from include/ottla.h and bindings/librdkafka_codes.py by bindings/generate.py: do not edit.
"""

from typing import Dict


class Codes:
    """The error numbers; those that begin with _ are not a broker's."""

    _BAD_MSG = -199
    _BAD_COMPRESSION = -198
    _DESTROY = -197
    _FAIL = -196
    _TRANSPORT = -195
    _CRIT_SYS_RESOURCE = -194
    _RESOLVE = -193
    _MSG_TIMED_OUT = -192
    _PARTITION_EOF = -191
    _UNKNOWN_PARTITION = -190
    _FS = -189
    _UNKNOWN_TOPIC = -188
    _ALL_BROKERS_DOWN = -187
    _INVALID_ARG = -186
    _TIMED_OUT = -185
    _QUEUE_FULL = -184
    _ISR_INSUFF = -183
    _NODE_UPDATE = -182
    _SSL = -181
    _WAIT_COORD = -180
    _UNKNOWN_GROUP = -179
    _IN_PROGRESS = -178
    _PREV_IN_PROGRESS = -177
    _EXISTING_SUBSCRIPTION = -176
    _ASSIGN_PARTITIONS = -175
    _REVOKE_PARTITIONS = -174
    _CONFLICT = -173
    _STATE = -172
    _UNKNOWN_PROTOCOL = -171
    _NOT_IMPLEMENTED = -170
    _AUTHENTICATION = -169
    _NO_OFFSET = -168
    _OUTDATED = -167
    _TIMED_OUT_QUEUE = -166
    _UNSUPPORTED_FEATURE = -165
    _WAIT_CACHE = -164
    _INTR = -163
    _KEY_SERIALIZATION = -162
    _VALUE_SERIALIZATION = -161
    _KEY_DESERIALIZATION = -160
    _VALUE_DESERIALIZATION = -159
    _PARTIAL = -158
    _READ_ONLY = -157
    _NOENT = -156
    _UNDERFLOW = -155
    _INVALID_TYPE = -154
    _RETRY = -153
    _PURGE_QUEUE = -152
    _PURGE_INFLIGHT = -151
    _FATAL = -150
    _INCONSISTENT = -149
    _GAPLESS_GUARANTEE = -148
    _MAX_POLL_EXCEEDED = -147
    _UNKNOWN_BROKER = -146
    _NOT_CONFIGURED = -145
    _FENCED = -144
    _APPLICATION = -143
    _ASSIGNMENT_LOST = -142
    _NOOP = -141
    _AUTO_OFFSET_RESET = -140
    _LOG_TRUNCATION = -139
    _INVALID_DIFFERENT_RECORD = -138
    _DESTROY_BROKER = -137
    UNKNOWN = -1
    NO_ERROR = 0
    OFFSET_OUT_OF_RANGE = 1
    INVALID_MSG = 2
    UNKNOWN_TOPIC_OR_PART = 3
    INVALID_MSG_SIZE = 4
    LEADER_NOT_AVAILABLE = 5
    NOT_LEADER_FOR_PARTITION = 6
    REQUEST_TIMED_OUT = 7
    BROKER_NOT_AVAILABLE = 8
    REPLICA_NOT_AVAILABLE = 9
    MSG_SIZE_TOO_LARGE = 10
    STALE_CTRL_EPOCH = 11
    OFFSET_METADATA_TOO_LARGE = 12
    NETWORK_EXCEPTION = 13
    COORDINATOR_LOAD_IN_PROGRESS = 14
    COORDINATOR_NOT_AVAILABLE = 15
    NOT_COORDINATOR = 16
    TOPIC_EXCEPTION = 17
    RECORD_LIST_TOO_LARGE = 18
    NOT_ENOUGH_REPLICAS = 19
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20
    INVALID_REQUIRED_ACKS = 21
    ILLEGAL_GENERATION = 22
    INCONSISTENT_GROUP_PROTOCOL = 23
    INVALID_GROUP_ID = 24
    UNKNOWN_MEMBER_ID = 25
    INVALID_SESSION_TIMEOUT = 26
    REBALANCE_IN_PROGRESS = 27
    INVALID_COMMIT_OFFSET_SIZE = 28
    TOPIC_AUTHORIZATION_FAILED = 29
    GROUP_AUTHORIZATION_FAILED = 30
    CLUSTER_AUTHORIZATION_FAILED = 31
    INVALID_TIMESTAMP = 32
    UNSUPPORTED_SASL_MECHANISM = 33
    ILLEGAL_SASL_STATE = 34
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_REPLICATION_FACTOR = 38
    INVALID_REPLICA_ASSIGNMENT = 39
    INVALID_CONFIG = 40
    NOT_CONTROLLER = 41
    INVALID_REQUEST = 42
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    POLICY_VIOLATION = 44
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    DUPLICATE_SEQUENCE_NUMBER = 46
    INVALID_PRODUCER_EPOCH = 47
    INVALID_TXN_STATE = 48
    INVALID_PRODUCER_ID_MAPPING = 49
    INVALID_TRANSACTION_TIMEOUT = 50
    CONCURRENT_TRANSACTIONS = 51
    TRANSACTION_COORDINATOR_FENCED = 52
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    SECURITY_DISABLED = 54
    OPERATION_NOT_ATTEMPTED = 55
    KAFKA_STORAGE_ERROR = 56
    LOG_DIR_NOT_FOUND = 57
    SASL_AUTHENTICATION_FAILED = 58
    UNKNOWN_PRODUCER_ID = 59
    REASSIGNMENT_IN_PROGRESS = 60
    DELEGATION_TOKEN_AUTH_DISABLED = 61
    DELEGATION_TOKEN_NOT_FOUND = 62
    DELEGATION_TOKEN_OWNER_MISMATCH = 63
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65
    DELEGATION_TOKEN_EXPIRED = 66
    INVALID_PRINCIPAL_TYPE = 67
    NON_EMPTY_GROUP = 68
    GROUP_ID_NOT_FOUND = 69
    FETCH_SESSION_ID_NOT_FOUND = 70
    INVALID_FETCH_SESSION_EPOCH = 71
    LISTENER_NOT_FOUND = 72
    TOPIC_DELETION_DISABLED = 73
    FENCED_LEADER_EPOCH = 74
    UNKNOWN_LEADER_EPOCH = 75
    UNSUPPORTED_COMPRESSION_TYPE = 76
    STALE_BROKER_EPOCH = 77
    OFFSET_NOT_AVAILABLE = 78
    MEMBER_ID_REQUIRED = 79
    PREFERRED_LEADER_NOT_AVAILABLE = 80
    GROUP_MAX_SIZE_REACHED = 81
    FENCED_INSTANCE_ID = 82
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83
    ELECTION_NOT_NEEDED = 84
    NO_REASSIGNMENT_IN_PROGRESS = 85
    GROUP_SUBSCRIBED_TO_TOPIC = 86
    INVALID_RECORD = 87
    UNSTABLE_OFFSET_COMMIT = 88
    THROTTLING_QUOTA_EXCEEDED = 89
    PRODUCER_FENCED = 90
    RESOURCE_NOT_FOUND = 91
    DUPLICATE_RESOURCE = 92
    UNACCEPTABLE_CREDENTIAL = 93
    INCONSISTENT_VOTER_SET = 94
    INVALID_UPDATE_VERSION = 95
    FEATURE_UPDATE_FAILED = 96
    PRINCIPAL_DESERIALIZATION_FAILURE = 97
    SNAPSHOT_NOT_FOUND = 98
    POSITION_OUT_OF_RANGE = 99
    UNKNOWN_TOPIC_ID = 100
    DUPLICATE_BROKER_REGISTRATION = 101
    BROKER_ID_NOT_REGISTERED = 102
    INCONSISTENT_TOPIC_ID = 103
    INCONSISTENT_CLUSTER_ID = 104
    TRANSACTIONAL_ID_NOT_FOUND = 105
    FETCH_SESSION_TOPIC_ID_ERROR = 106
    INELIGIBLE_REPLICA = 107
    NEW_LEADER_ELECTED = 108
    OFFSET_MOVED_TO_TIERED_STORAGE = 109
    FENCED_MEMBER_EPOCH = 110
    UNRELEASED_INSTANCE_ID = 111
    UNSUPPORTED_ASSIGNOR = 112
    STALE_MEMBER_EPOCH = 113
    MISMATCHED_ENDPOINT_TYPE = 114
    UNSUPPORTED_ENDPOINT_TYPE = 115
    UNKNOWN_CONTROLLER_ID = 116
    UNKNOWN_SUBSCRIPTION_ID = 117
    TELEMETRY_TOO_LARGE = 118
    INVALID_REGISTRATION = 119
    TRANSACTION_ABORTABLE = 120
    INVALID_RECORD_STATE = 121
    SHARE_SESSION_NOT_FOUND = 122
    INVALID_SHARE_SESSION_EPOCH = 123
    FENCED_STATE_EPOCH = 124
    INVALID_VOTER_KEY = 125
    DUPLICATE_VOTER = 126
    VOTER_NOT_FOUND = 127
    INVALID_REGULAR_EXPRESSION = 128
    REBOOTSTRAP_REQUIRED = 129
    STREAMS_INVALID_TOPOLOGY = 130
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131
    STREAMS_TOPOLOGY_FENCED = 132
    SHARE_SESSION_LIMIT_REACHED = 133


NAMES: Dict[int, str] = {
    -199: "_BAD_MSG",
    -198: "_BAD_COMPRESSION",
    -197: "_DESTROY",
    -196: "_FAIL",
    -195: "_TRANSPORT",
    -194: "_CRIT_SYS_RESOURCE",
    -193: "_RESOLVE",
    -192: "_MSG_TIMED_OUT",
    -191: "_PARTITION_EOF",
    -190: "_UNKNOWN_PARTITION",
    -189: "_FS",
    -188: "_UNKNOWN_TOPIC",
    -187: "_ALL_BROKERS_DOWN",
    -186: "_INVALID_ARG",
    -185: "_TIMED_OUT",
    -184: "_QUEUE_FULL",
    -183: "_ISR_INSUFF",
    -182: "_NODE_UPDATE",
    -181: "_SSL",
    -180: "_WAIT_COORD",
    -179: "_UNKNOWN_GROUP",
    -178: "_IN_PROGRESS",
    -177: "_PREV_IN_PROGRESS",
    -176: "_EXISTING_SUBSCRIPTION",
    -175: "_ASSIGN_PARTITIONS",
    -174: "_REVOKE_PARTITIONS",
    -173: "_CONFLICT",
    -172: "_STATE",
    -171: "_UNKNOWN_PROTOCOL",
    -170: "_NOT_IMPLEMENTED",
    -169: "_AUTHENTICATION",
    -168: "_NO_OFFSET",
    -167: "_OUTDATED",
    -166: "_TIMED_OUT_QUEUE",
    -165: "_UNSUPPORTED_FEATURE",
    -164: "_WAIT_CACHE",
    -163: "_INTR",
    -162: "_KEY_SERIALIZATION",
    -161: "_VALUE_SERIALIZATION",
    -160: "_KEY_DESERIALIZATION",
    -159: "_VALUE_DESERIALIZATION",
    -158: "_PARTIAL",
    -157: "_READ_ONLY",
    -156: "_NOENT",
    -155: "_UNDERFLOW",
    -154: "_INVALID_TYPE",
    -153: "_RETRY",
    -152: "_PURGE_QUEUE",
    -151: "_PURGE_INFLIGHT",
    -150: "_FATAL",
    -149: "_INCONSISTENT",
    -148: "_GAPLESS_GUARANTEE",
    -147: "_MAX_POLL_EXCEEDED",
    -146: "_UNKNOWN_BROKER",
    -145: "_NOT_CONFIGURED",
    -144: "_FENCED",
    -143: "_APPLICATION",
    -142: "_ASSIGNMENT_LOST",
    -141: "_NOOP",
    -140: "_AUTO_OFFSET_RESET",
    -139: "_LOG_TRUNCATION",
    -138: "_INVALID_DIFFERENT_RECORD",
    -137: "_DESTROY_BROKER",
    -1: "UNKNOWN",
    0: "NO_ERROR",
    1: "OFFSET_OUT_OF_RANGE",
    2: "INVALID_MSG",
    3: "UNKNOWN_TOPIC_OR_PART",
    4: "INVALID_MSG_SIZE",
    5: "LEADER_NOT_AVAILABLE",
    6: "NOT_LEADER_FOR_PARTITION",
    7: "REQUEST_TIMED_OUT",
    8: "BROKER_NOT_AVAILABLE",
    9: "REPLICA_NOT_AVAILABLE",
    10: "MSG_SIZE_TOO_LARGE",
    11: "STALE_CTRL_EPOCH",
    12: "OFFSET_METADATA_TOO_LARGE",
    13: "NETWORK_EXCEPTION",
    14: "COORDINATOR_LOAD_IN_PROGRESS",
    15: "COORDINATOR_NOT_AVAILABLE",
    16: "NOT_COORDINATOR",
    17: "TOPIC_EXCEPTION",
    18: "RECORD_LIST_TOO_LARGE",
    19: "NOT_ENOUGH_REPLICAS",
    20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    21: "INVALID_REQUIRED_ACKS",
    22: "ILLEGAL_GENERATION",
    23: "INCONSISTENT_GROUP_PROTOCOL",
    24: "INVALID_GROUP_ID",
    25: "UNKNOWN_MEMBER_ID",
    26: "INVALID_SESSION_TIMEOUT",
    27: "REBALANCE_IN_PROGRESS",
    28: "INVALID_COMMIT_OFFSET_SIZE",
    29: "TOPIC_AUTHORIZATION_FAILED",
    30: "GROUP_AUTHORIZATION_FAILED",
    31: "CLUSTER_AUTHORIZATION_FAILED",
    32: "INVALID_TIMESTAMP",
    33: "UNSUPPORTED_SASL_MECHANISM",
    34: "ILLEGAL_SASL_STATE",
    35: "UNSUPPORTED_VERSION",
    36: "TOPIC_ALREADY_EXISTS",
    37: "INVALID_PARTITIONS",
    38: "INVALID_REPLICATION_FACTOR",
    39: "INVALID_REPLICA_ASSIGNMENT",
    40: "INVALID_CONFIG",
    41: "NOT_CONTROLLER",
    42: "INVALID_REQUEST",
    43: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    44: "POLICY_VIOLATION",
    45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
    46: "DUPLICATE_SEQUENCE_NUMBER",
    47: "INVALID_PRODUCER_EPOCH",
    48: "INVALID_TXN_STATE",
    49: "INVALID_PRODUCER_ID_MAPPING",
    50: "INVALID_TRANSACTION_TIMEOUT",
    51: "CONCURRENT_TRANSACTIONS",
    52: "TRANSACTION_COORDINATOR_FENCED",
    53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    54: "SECURITY_DISABLED",
    55: "OPERATION_NOT_ATTEMPTED",
    56: "KAFKA_STORAGE_ERROR",
    57: "LOG_DIR_NOT_FOUND",
    58: "SASL_AUTHENTICATION_FAILED",
    59: "UNKNOWN_PRODUCER_ID",
    60: "REASSIGNMENT_IN_PROGRESS",
    61: "DELEGATION_TOKEN_AUTH_DISABLED",
    62: "DELEGATION_TOKEN_NOT_FOUND",
    63: "DELEGATION_TOKEN_OWNER_MISMATCH",
    64: "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
    65: "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
    66: "DELEGATION_TOKEN_EXPIRED",
    67: "INVALID_PRINCIPAL_TYPE",
    68: "NON_EMPTY_GROUP",
    69: "GROUP_ID_NOT_FOUND",
    70: "FETCH_SESSION_ID_NOT_FOUND",
    71: "INVALID_FETCH_SESSION_EPOCH",
    72: "LISTENER_NOT_FOUND",
    73: "TOPIC_DELETION_DISABLED",
    74: "FENCED_LEADER_EPOCH",
    75: "UNKNOWN_LEADER_EPOCH",
    76: "UNSUPPORTED_COMPRESSION_TYPE",
    77: "STALE_BROKER_EPOCH",
    78: "OFFSET_NOT_AVAILABLE",
    79: "MEMBER_ID_REQUIRED",
    80: "PREFERRED_LEADER_NOT_AVAILABLE",
    81: "GROUP_MAX_SIZE_REACHED",
    82: "FENCED_INSTANCE_ID",
    83: "ELIGIBLE_LEADERS_NOT_AVAILABLE",
    84: "ELECTION_NOT_NEEDED",
    85: "NO_REASSIGNMENT_IN_PROGRESS",
    86: "GROUP_SUBSCRIBED_TO_TOPIC",
    87: "INVALID_RECORD",
    88: "UNSTABLE_OFFSET_COMMIT",
    89: "THROTTLING_QUOTA_EXCEEDED",
    90: "PRODUCER_FENCED",
    91: "RESOURCE_NOT_FOUND",
    92: "DUPLICATE_RESOURCE",
    93: "UNACCEPTABLE_CREDENTIAL",
    94: "INCONSISTENT_VOTER_SET",
    95: "INVALID_UPDATE_VERSION",
    96: "FEATURE_UPDATE_FAILED",
    97: "PRINCIPAL_DESERIALIZATION_FAILURE",
    98: "SNAPSHOT_NOT_FOUND",
    99: "POSITION_OUT_OF_RANGE",
    100: "UNKNOWN_TOPIC_ID",
    101: "DUPLICATE_BROKER_REGISTRATION",
    102: "BROKER_ID_NOT_REGISTERED",
    103: "INCONSISTENT_TOPIC_ID",
    104: "INCONSISTENT_CLUSTER_ID",
    105: "TRANSACTIONAL_ID_NOT_FOUND",
    106: "FETCH_SESSION_TOPIC_ID_ERROR",
    107: "INELIGIBLE_REPLICA",
    108: "NEW_LEADER_ELECTED",
    109: "OFFSET_MOVED_TO_TIERED_STORAGE",
    110: "FENCED_MEMBER_EPOCH",
    111: "UNRELEASED_INSTANCE_ID",
    112: "UNSUPPORTED_ASSIGNOR",
    113: "STALE_MEMBER_EPOCH",
    114: "MISMATCHED_ENDPOINT_TYPE",
    115: "UNSUPPORTED_ENDPOINT_TYPE",
    116: "UNKNOWN_CONTROLLER_ID",
    117: "UNKNOWN_SUBSCRIPTION_ID",
    118: "TELEMETRY_TOO_LARGE",
    119: "INVALID_REGISTRATION",
    120: "TRANSACTION_ABORTABLE",
    121: "INVALID_RECORD_STATE",
    122: "SHARE_SESSION_NOT_FOUND",
    123: "INVALID_SHARE_SESSION_EPOCH",
    124: "FENCED_STATE_EPOCH",
    125: "INVALID_VOTER_KEY",
    126: "DUPLICATE_VOTER",
    127: "VOTER_NOT_FOUND",
    128: "INVALID_REGULAR_EXPRESSION",
    129: "REBOOTSTRAP_REQUIRED",
    130: "STREAMS_INVALID_TOPOLOGY",
    131: "STREAMS_INVALID_TOPOLOGY_EPOCH",
    132: "STREAMS_TOPOLOGY_FENCED",
    133: "SHARE_SESSION_LIMIT_REACHED",
}

TEXTS: Dict[int, str] = {
    -199: "Local: Bad message format",
    -198: "Local: Bad compression",
    -197: "Local: Broker handle destroyed for termination",
    -196: "Local: Communication failure with broker",
    -195: "Local: Broker transport failure",
    -194: "Local: Critical system resource failure",
    -193: "Local: Host resolution failure",
    -192: "Local: Message timed out",
    -191: "Local: Partition eof",
    -190: "Local: Unknown partition",
    -189: "Local: Fs",
    -188: "Local: Unknown topic",
    -187: "Local: All broker connections are down",
    -186: "Local: Invalid argument or configuration",
    -185: "Local: Timed out",
    -184: "Local: Queue full",
    -183: "Local: Isr insuff",
    -182: "Local: Node update",
    -181: "Local: SSL error",
    -180: "Local: Wait coord",
    -179: "Local: Unknown group",
    -178: "Local: Operation in progress",
    -177: "Local: Prev in progress",
    -176: "Local: Existing subscription",
    -175: "Local: Assign partitions",
    -174: "Local: Revoke partitions",
    -173: "Local: Conflicting use",
    -172: "Local: Erroneous state",
    -171: "Local: Unknown protocol",
    -170: "Local: Not implemented",
    -169: "Local: Authentication failure",
    -168: "Local: No offset",
    -167: "Local: Outdated",
    -166: "Local: Timed out queue",
    -165: "Local: Unsupported feature",
    -164: "Local: Wait cache",
    -163: "Local: Intr",
    -162: "Local: Key serialization",
    -161: "Local: Value serialization",
    -160: "Local: Key deserialization",
    -159: "Local: Value deserialization",
    -158: "Local: Partial",
    -157: "Local: Read only",
    -156: "Local: Noent",
    -155: "Local: Underflow",
    -154: "Local: Invalid type",
    -153: "Local: Retry",
    -152: "Local: Purged in queue",
    -151: "Local: Purged in flight",
    -150: "Local: Fatal error",
    -149: "Local: Inconsistent",
    -148: "Local: Gapless guarantee",
    -147: "Local: Max poll exceeded",
    -146: "Local: Unknown broker",
    -145: "Local: Functionality not configured",
    -144: "Local: This instance has been fenced by a newer instance",
    -143: "Local: Application",
    -142: "Local: Assignment lost",
    -141: "Local: Noop",
    -140: "Local: Auto offset reset",
    -139: "Local: Log truncation",
    -138: "Local: Invalid different record",
    -137: "Local: Destroy broker",
    -1: "Unknown broker error",
    0: "Success",
    1: "Broker: The log of the partition does not hold the requested offset",
    2: "Broker: The broker found a wrong checksum or a malformed batch",
    3: "Broker: Unknown topic or partition",
    4: "Broker: The requested fetch size is not valid",
    5: "Broker: Leader not available",
    6: "Broker: Not leader for partition",
    7: "Broker: Request timed out",
    8: "Broker: Broker not available",
    9: "Broker: The replica that the request needs is not available",
    10: "Broker: Message size too large",
    11: "Broker: A newer controller has taken over",
    12: "Broker: The metadata text of the committed offset is too long",
    13: "Broker: The connection was lost before the response arrived",
    14: "Broker: The coordinator is still loading its state",
    15: "Broker: There is no coordinator at the moment",
    16: "Broker: The broker asked is not the coordinator",
    17: "Broker: Invalid topic",
    18: "Broker: The batch is larger than a segment of the log on the broker",
    19: "Broker: Not enough in-sync replicas",
    20: "Broker: The batch was written, but fewer replicas than min.insync.replicas have it",
    21: "Broker: The broker does not know this value of acks",
    22: "Broker: The consumer group has moved on to another generation",
    23: "Broker: The member's protocol does not fit the other members of the group",
    24: "Broker: The group id is not valid",
    25: "Broker: The group coordinator does not know this member",
    26: "Broker: The session timeout is outside the range that the broker allows",
    27: "Broker: The group is being rebalanced",
    28: "Broker: The committed offset is too large to be stored",
    29: "Broker: Topic authorization failed",
    30: "Broker: Group authorization failed",
    31: "Broker: Cluster authorization failed",
    32: "Broker: Invalid timestamp",
    33: "Broker: The broker does not offer this SASL mechanism",
    34: "Broker: The request does not fit the state of the SASL exchange",
    35: "Broker: Client and broker have no common version of this request",
    36: "Broker: A topic of this name exists already",
    37: "Broker: The number of partitions is not valid",
    38: "Broker: The replication factor is below one or above the number of brokers",
    39: "Broker: The replica assignment is not valid",
    40: "Broker: A setting sent to the broker is not valid",
    41: "Broker: The broker asked is not the controller",
    42: "Broker: The broker cannot make sense of the request",
    43: "Broker: The message format of the topic cannot store this",
    44: "Broker: Policy violation",
    45: "Broker: The sequence number of the batch does not follow the last one in the log",
    46: "Broker: The batch is in the log already",
    47: "Broker: The producer's epoch is older than the one in the log",
    48: "Broker: The transaction is not in a state that allows the request",
    49: "Broker: The producer id does not belong to this transactional id",
    50: "Broker: transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms",
    51: "Broker: The previous transaction of this transactional id is still being finished",
    52: "Broker: The transaction coordinator that sent the markers has been replaced",
    53: "Broker: This client may not use the transactional id",
    54: "Broker: Security features are switched off on the broker",
    55: "Broker: The broker left this part undone because another part of the request failed",
    56: "Broker: The broker could not reach the disk that holds the log",
    57: "Broker: The broker has no such log directory",
    58: "Broker: SASL Authentication failed",
    59: "Broker: Unknown Producer Id",
    60: "Broker: The partition is being reassigned",
    61: "Broker: Delegation tokens are switched off",
    62: "Broker: The broker does not know the delegation token",
    63: "Broker: The principal is neither owner nor renewer of the delegation token",
    64: "Broker: Delegation tokens cannot be requested over this kind of connection",
    65: "Broker: This client may not use the delegation token",
    66: "Broker: The delegation token has expired",
    67: "Broker: This type of principal is not supported",
    68: "Broker: The group still has members",
    69: "Broker: The group does not exist",
    70: "Broker: The broker does not know the fetch session",
    71: "Broker: The epoch of the fetch session is not the expected one",
    72: "Broker: The leader has no listener of the kind this client is connected to",
    73: "Broker: Deleting topics is switched off",
    74: "Broker: The leader epoch in the request is older than the broker's",
    75: "Broker: The leader epoch in the request is newer than the broker's",
    76: "Broker: The codec cannot be used with this version of the request",
    77: "Broker: The broker epoch has changed",
    78: "Broker: A new leader has not caught up far enough to answer for offsets",
    79: "Broker: The group member needs a member id before it can join",
    80: "Broker: The preferred leader of the partition is not available",
    81: "Broker: The group has as many members as it may have",
    82: "Broker: Another member with the same group.instance.id has taken over",
    83: "Broker: No replica that may lead the partition is available",
    84: "Broker: The partition needs no leader election",
    85: "Broker: The partition is not being reassigned",
    86: "Broker: The group is subscribed to the topic, so its offsets cannot be deleted",
    87: "Broker: Broker failed to validate record",
    88: "Broker: An open transaction holds offsets that were asked for",
    89: "Broker: A quota is used up; try again later",
    90: "Broker: A newer producer with the same transactional id has taken over",
    91: "Broker: The request names a resource that does not exist",
    92: "Broker: The request names a resource twice",
    93: "Broker: The credential does not meet the broker's requirements",
    94: "Broker: Not both, or neither, side of the request is a controller voter",
    95: "Broker: The version in the update is not valid",
    96: "Broker: The features could not be updated",
    97: "Broker: The forwarded principal could not be read",
    98: "Broker: The requested snapshot does not exist",
    99: "Broker: The requested position lies outside the snapshot",
    100: "Broker: The broker does not know the topic id",
    101: "Broker: A broker with this id is registered already",
    102: "Broker: No broker with this id is registered",
    103: "Broker: The topic id in the log is not the one in the request",
    104: "Broker: The cluster id in the request is not the broker's",
    105: "Broker: The coordinator does not know the transactional id",
    106: "Broker: The fetch session mixed requests with and without topic ids",
    107: "Broker: The replica may not join the in-sync set",
    108: "Broker: The change to the partition made another replica the leader",
    109: "Broker: The offset now lies in tiered storage",
    110: "Broker: The group has fenced the member's epoch",
    111: "Broker: Another member still holds the instance id",
    112: "Broker: The group does not support the assignor",
    113: "Broker: The member's epoch is out of date",
    114: "Broker: The request came to an endpoint of the wrong type",
    115: "Broker: The broker does not know this type of endpoint",
    116: "Broker: No controller has this id",
    117: "Broker: The client pushed telemetry under a subscription the broker no longer holds",
    118: "Broker: The client pushed more telemetry than the broker takes",
    119: "Broker: The controller did not accept the registration",
    120: "Broker: The transaction met an error; abort it to go on",
    121: "Broker: The state of the shared record does not allow the acknowledgement",
    122: "Broker: The broker does not know the share session",
    123: "Broker: The epoch of the share session is not the expected one",
    124: "Broker: The share coordinator has a newer epoch than the request",
    125: "Broker: The key of the voter does not match the receiver's",
    126: "Broker: The voter is in the set of voters already",
    127: "Broker: The voter is not in the set of voters",
    128: "Broker: The regular expression is not valid",
    129: "Broker: The client must start again from its bootstrap servers",
    130: "Broker: The Streams topology that was sent is not valid",
    131: "Broker: The epoch of the Streams topology is not valid",
    132: "Broker: The epoch of the Streams topology is out of date",
    133: "Broker: The broker holds as many share sessions as it may",
}

#: Status of the library to number.
OF_STATUS: Dict[int, int] = {
    -101: -197,
    -102: -186,
    -103: -186,
    -104: -184,
    -105: -185,
    -106: -192,
    -107: -195,
    -108: -170,
    -109: -193,
    -110: 10,
    -111: -188,
    -112: -190,
    -113: -152,
    -114: -151,
    -115: -172,
    -116: -173,
    -117: -172,
    -118: -196,
    -119: -163,
    -120: -155,
    -121: -199,
    -122: -150,
    -123: -169,
    -124: -197,
    -125: -152,
    -126: -158,
}
