"""librdkafka's error numbers and names, as far as they are not Kafka's own, and the texts that programs
compare with.

Facts for generate.py; the numbers and names of brokers' errors come from include/ottla.h.
"""

from typing import Dict, NamedTuple


class Local(NamedTuple):
    """An error that librdkafka makes itself. Where `text` is empty nobody is known to compare with it."""

    number: int
    text: str = ""


#: Errors of brokers that librdkafka calls by another name than Kafka.
RENAMED: Dict[str, str] = {
    "UNKNOWN_SERVER_ERROR": "UNKNOWN",
    "NONE": "NO_ERROR",
    "CORRUPT_MESSAGE": "INVALID_MSG",
    "UNKNOWN_TOPIC_OR_PARTITION": "UNKNOWN_TOPIC_OR_PART",
    "INVALID_FETCH_SIZE": "INVALID_MSG_SIZE",
    "NOT_LEADER_OR_FOLLOWER": "NOT_LEADER_FOR_PARTITION",
    "MESSAGE_TOO_LARGE": "MSG_SIZE_TOO_LARGE",
    "STALE_CONTROLLER_EPOCH": "STALE_CTRL_EPOCH",
    "INVALID_TOPIC_EXCEPTION": "TOPIC_EXCEPTION",
}

#: What librdkafka says of brokers' errors that programs look for by text.
BROKER_TEXTS: Dict[str, str] = {
    "NO_ERROR": "Success",
    "UNKNOWN": "Unknown broker error",
    "UNKNOWN_TOPIC_OR_PART": "Broker: Unknown topic or partition",
    "LEADER_NOT_AVAILABLE": "Broker: Leader not available",
    "NOT_LEADER_FOR_PARTITION": "Broker: Not leader for partition",
    "REQUEST_TIMED_OUT": "Broker: Request timed out",
    "BROKER_NOT_AVAILABLE": "Broker: Broker not available",
    "MSG_SIZE_TOO_LARGE": "Broker: Message size too large",
    "TOPIC_EXCEPTION": "Broker: Invalid topic",
    "NOT_ENOUGH_REPLICAS": "Broker: Not enough in-sync replicas",
    "TOPIC_AUTHORIZATION_FAILED": "Broker: Topic authorization failed",
    "GROUP_AUTHORIZATION_FAILED": "Broker: Group authorization failed",
    "CLUSTER_AUTHORIZATION_FAILED": "Broker: Cluster authorization failed",
    "INVALID_TIMESTAMP": "Broker: Invalid timestamp",
    "POLICY_VIOLATION": "Broker: Policy violation",
    "SASL_AUTHENTICATION_FAILED": "Broker: SASL Authentication failed",
    "UNKNOWN_PRODUCER_ID": "Broker: Unknown Producer Id",
    "INVALID_RECORD": "Broker: Broker failed to validate record",
}

LOCAL: Dict[str, Local] = {
    "_BAD_MSG": Local(-199, "Local: Bad message format"),
    "_BAD_COMPRESSION": Local(-198),
    "_DESTROY": Local(-197, "Local: Broker handle destroyed for termination"),
    "_FAIL": Local(-196, "Local: Communication failure with broker"),
    "_TRANSPORT": Local(-195, "Local: Broker transport failure"),
    "_CRIT_SYS_RESOURCE": Local(-194, "Local: Critical system resource failure"),
    "_RESOLVE": Local(-193, "Local: Host resolution failure"),
    "_MSG_TIMED_OUT": Local(-192, "Local: Message timed out"),
    "_PARTITION_EOF": Local(-191),
    "_UNKNOWN_PARTITION": Local(-190, "Local: Unknown partition"),
    "_FS": Local(-189),
    "_UNKNOWN_TOPIC": Local(-188, "Local: Unknown topic"),
    "_ALL_BROKERS_DOWN": Local(-187, "Local: All broker connections are down"),
    "_INVALID_ARG": Local(-186, "Local: Invalid argument or configuration"),
    "_TIMED_OUT": Local(-185, "Local: Timed out"),
    "_QUEUE_FULL": Local(-184, "Local: Queue full"),
    "_ISR_INSUFF": Local(-183),
    "_NODE_UPDATE": Local(-182),
    "_SSL": Local(-181, "Local: SSL error"),
    "_WAIT_COORD": Local(-180),
    "_UNKNOWN_GROUP": Local(-179),
    "_IN_PROGRESS": Local(-178, "Local: Operation in progress"),
    "_PREV_IN_PROGRESS": Local(-177),
    "_EXISTING_SUBSCRIPTION": Local(-176),
    "_ASSIGN_PARTITIONS": Local(-175),
    "_REVOKE_PARTITIONS": Local(-174),
    "_CONFLICT": Local(-173, "Local: Conflicting use"),
    "_STATE": Local(-172, "Local: Erroneous state"),
    "_UNKNOWN_PROTOCOL": Local(-171),
    "_NOT_IMPLEMENTED": Local(-170, "Local: Not implemented"),
    "_AUTHENTICATION": Local(-169, "Local: Authentication failure"),
    "_NO_OFFSET": Local(-168),
    "_OUTDATED": Local(-167),
    "_TIMED_OUT_QUEUE": Local(-166),
    "_UNSUPPORTED_FEATURE": Local(-165),
    "_WAIT_CACHE": Local(-164),
    "_INTR": Local(-163),
    "_KEY_SERIALIZATION": Local(-162),
    "_VALUE_SERIALIZATION": Local(-161),
    "_KEY_DESERIALIZATION": Local(-160),
    "_VALUE_DESERIALIZATION": Local(-159),
    "_PARTIAL": Local(-158),
    "_READ_ONLY": Local(-157),
    "_NOENT": Local(-156),
    "_UNDERFLOW": Local(-155),
    "_INVALID_TYPE": Local(-154),
    "_RETRY": Local(-153),
    "_PURGE_QUEUE": Local(-152, "Local: Purged in queue"),
    "_PURGE_INFLIGHT": Local(-151, "Local: Purged in flight"),
    "_FATAL": Local(-150, "Local: Fatal error"),
    "_INCONSISTENT": Local(-149),
    "_GAPLESS_GUARANTEE": Local(-148),
    "_MAX_POLL_EXCEEDED": Local(-147),
    "_UNKNOWN_BROKER": Local(-146),
    "_NOT_CONFIGURED": Local(-145, "Local: Functionality not configured"),
    "_FENCED": Local(-144, "Local: This instance has been fenced by a newer instance"),
    "_APPLICATION": Local(-143),
    "_ASSIGNMENT_LOST": Local(-142),
    "_NOOP": Local(-141),
    "_AUTO_OFFSET_RESET": Local(-140),
    "_LOG_TRUNCATION": Local(-139),
    "_INVALID_DIFFERENT_RECORD": Local(-138),
    "_DESTROY_BROKER": Local(-137),
}

#: ottla's own errors, and what librdkafka's programs know them as.
FROM_OTTLA: Dict[str, str] = {
    "CLOSED": "_DESTROY",
    "CONFIG": "_INVALID_ARG",
    "ARGUMENT": "_INVALID_ARG",
    "QUEUE_FULL": "_QUEUE_FULL",
    "TIMED_OUT": "_TIMED_OUT",
    "EXPIRED": "_MSG_TIMED_OUT",
    "TRANSPORT": "_TRANSPORT",
    "UNSUPPORTED": "_NOT_IMPLEMENTED",
    "RESOLVE": "_RESOLVE",
    "RECORD_TOO_LARGE": "MSG_SIZE_TOO_LARGE",
    "UNKNOWN_TOPIC": "_UNKNOWN_TOPIC",
    "UNKNOWN_PARTITION": "_UNKNOWN_PARTITION",
    "PURGED_QUEUE": "_PURGE_QUEUE",
    "PURGED_IN_FLIGHT": "_PURGE_INFLIGHT",
    "STATE": "_STATE",
    "IN_CALLBACK": "_CONFLICT",
    "FORKED": "_STATE",
    "PANIC": "_FAIL",
    "INTERRUPTED": "_INTR",
    "BUFFER_TOO_SMALL": "_UNDERFLOW",
    "PROTOCOL": "_BAD_MSG",
    "FATAL": "_FATAL",
    "AUTHENTICATION": "_AUTHENTICATION",
    "HANDLE": "_DESTROY",
    "ABORTED": "_PURGE_QUEUE",
    "TRUNCATED": "_PARTIAL",
}
