//! Owns the table of the brokers' error codes, -1 to 133, under the names of Kafka's protocol and
//! with the families of the Java client (KIP-1050). It never holds a code of ottla's own.
//!
//! FATAL marks what ends an idempotent or transactional producer when a produce request or a
//! transaction call reports it.

use super::table::error_table;

error_table! {
    -1 UNKNOWN_SERVER_ERROR PLAIN,
        "The broker failed in a way that it has no error code for.";
    0 NONE PLAIN,
        "No error.";
    1 OFFSET_OUT_OF_RANGE PLAIN,
        "The log of the partition does not hold the requested offset.";
    2 CORRUPT_MESSAGE RETRIABLE,
        "The broker found a wrong checksum or a malformed batch.";
    3 UNKNOWN_TOPIC_OR_PARTITION REFRESH_METADATA,
        "The broker asked does not have this topic or partition.";
    4 INVALID_FETCH_SIZE PLAIN,
        "The requested fetch size is not valid.";
    5 LEADER_NOT_AVAILABLE REFRESH_METADATA,
        "The partition has no leader at the moment.";
    6 NOT_LEADER_OR_FOLLOWER REFRESH_METADATA,
        "The broker asked is not the leader, or not a replica, of the partition.";
    7 REQUEST_TIMED_OUT RETRIABLE,
        "The request did not finish in its time.";
    8 BROKER_NOT_AVAILABLE PLAIN,
        "The broker is not available.";
    9 REPLICA_NOT_AVAILABLE REFRESH_METADATA,
        "The replica that the request needs is not available.";
    10 MESSAGE_TOO_LARGE PLAIN,
        "The batch is larger than the broker or the topic accepts.";
    11 STALE_CONTROLLER_EPOCH PLAIN,
        "A newer controller has taken over.";
    12 OFFSET_METADATA_TOO_LARGE PLAIN,
        "The metadata text of the committed offset is too long.";
    13 NETWORK_EXCEPTION REFRESH_METADATA,
        "The connection was lost before the response arrived.";
    14 COORDINATOR_LOAD_IN_PROGRESS RETRIABLE,
        "The coordinator is still loading its state.";
    15 COORDINATOR_NOT_AVAILABLE REFRESH_COORDINATOR,
        "There is no coordinator at the moment.";
    16 NOT_COORDINATOR REFRESH_COORDINATOR,
        "The broker asked is not the coordinator.";
    17 INVALID_TOPIC_EXCEPTION INVALID_CONFIGURATION,
        "The topic name is not allowed, or the topic cannot be written by clients.";
    18 RECORD_LIST_TOO_LARGE INVALID_CONFIGURATION,
        "The batch is larger than a segment of the log on the broker.";
    19 NOT_ENOUGH_REPLICAS RETRIABLE,
        "Fewer replicas are in sync than min.insync.replicas; nothing was written.";
    20 NOT_ENOUGH_REPLICAS_AFTER_APPEND RETRIABLE,
        "The batch was written, but fewer replicas than min.insync.replicas have it.";
    21 INVALID_REQUIRED_ACKS INVALID_CONFIGURATION,
        "The broker does not know this value of acks.";
    22 ILLEGAL_GENERATION APPLICATION_RECOVERABLE,
        "The consumer group has moved on to another generation.";
    23 INCONSISTENT_GROUP_PROTOCOL PLAIN,
        "The member's protocol does not fit the other members of the group.";
    24 INVALID_GROUP_ID PLAIN,
        "The group id is not valid.";
    25 UNKNOWN_MEMBER_ID APPLICATION_RECOVERABLE,
        "The group coordinator does not know this member.";
    26 INVALID_SESSION_TIMEOUT PLAIN,
        "The session timeout is outside the range that the broker allows.";
    27 REBALANCE_IN_PROGRESS PLAIN,
        "The group is being rebalanced.";
    28 INVALID_COMMIT_OFFSET_SIZE PLAIN,
        "The committed offset is too large to be stored.";
    29 TOPIC_AUTHORIZATION_FAILED INVALID_CONFIGURATION,
        "This client may not use the topic in this way.";
    30 GROUP_AUTHORIZATION_FAILED INVALID_CONFIGURATION,
        "This client may not use the consumer group.";
    31 CLUSTER_AUTHORIZATION_FAILED INVALID_CONFIGURATION FATAL,
        "This client may not do this on the cluster; idempotence may need a permission.";
    32 INVALID_TIMESTAMP PLAIN,
        "The timestamp of a record is outside the range that the topic accepts.";
    33 UNSUPPORTED_SASL_MECHANISM INVALID_CONFIGURATION,
        "The broker does not offer this SASL mechanism.";
    34 ILLEGAL_SASL_STATE INVALID_CONFIGURATION,
        "The request does not fit the state of the SASL exchange.";
    35 UNSUPPORTED_VERSION INVALID_CONFIGURATION FATAL,
        "Client and broker have no common version of this request.";
    36 TOPIC_ALREADY_EXISTS PLAIN,
        "A topic of this name exists already.";
    37 INVALID_PARTITIONS PLAIN,
        "The number of partitions is not valid.";
    38 INVALID_REPLICATION_FACTOR PLAIN,
        "The replication factor is below one or above the number of brokers.";
    39 INVALID_REPLICA_ASSIGNMENT PLAIN,
        "The replica assignment is not valid.";
    40 INVALID_CONFIG PLAIN,
        "A setting sent to the broker is not valid.";
    41 NOT_CONTROLLER RETRIABLE,
        "The broker asked is not the controller.";
    42 INVALID_REQUEST PLAIN,
        "The broker cannot make sense of the request.";
    43 UNSUPPORTED_FOR_MESSAGE_FORMAT INVALID_CONFIGURATION,
        "The message format of the topic cannot store this.";
    44 POLICY_VIOLATION PLAIN,
        "A policy of the cluster forbids the request.";
    45 OUT_OF_ORDER_SEQUENCE_NUMBER PLAIN,
        "The sequence number of the batch does not follow the last one in the log.";
    46 DUPLICATE_SEQUENCE_NUMBER PLAIN,
        "The batch is in the log already.";
    47 INVALID_PRODUCER_EPOCH APPLICATION_RECOVERABLE,
        "The producer's epoch is older than the one in the log.";
    48 INVALID_TXN_STATE PLAIN,
        "The transaction is not in a state that allows the request.";
    49 INVALID_PRODUCER_ID_MAPPING APPLICATION_RECOVERABLE FATAL,
        "The producer id does not belong to this transactional id.";
    50 INVALID_TRANSACTION_TIMEOUT PLAIN,
        "transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms.";
    51 CONCURRENT_TRANSACTIONS RETRIABLE,
        "The previous transaction of this transactional id is still being finished.";
    52 TRANSACTION_COORDINATOR_FENCED PLAIN,
        "The transaction coordinator that sent the markers has been replaced.";
    53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED INVALID_CONFIGURATION FATAL,
        "This client may not use the transactional id.";
    54 SECURITY_DISABLED PLAIN,
        "Security features are switched off on the broker.";
    55 OPERATION_NOT_ATTEMPTED PLAIN,
        "The broker left this part undone because another part of the request failed.";
    56 KAFKA_STORAGE_ERROR REFRESH_METADATA,
        "The broker could not reach the disk that holds the log.";
    57 LOG_DIR_NOT_FOUND PLAIN,
        "The broker has no such log directory.";
    58 SASL_AUTHENTICATION_FAILED INVALID_CONFIGURATION,
        "The broker refused the SASL credentials.";
    59 UNKNOWN_PRODUCER_ID PLAIN,
        "The log holds no state of this producer id any more.";
    60 REASSIGNMENT_IN_PROGRESS PLAIN,
        "The partition is being reassigned.";
    61 DELEGATION_TOKEN_AUTH_DISABLED PLAIN,
        "Delegation tokens are switched off.";
    62 DELEGATION_TOKEN_NOT_FOUND PLAIN,
        "The broker does not know the delegation token.";
    63 DELEGATION_TOKEN_OWNER_MISMATCH PLAIN,
        "The principal is neither owner nor renewer of the delegation token.";
    64 DELEGATION_TOKEN_REQUEST_NOT_ALLOWED PLAIN,
        "Delegation tokens cannot be requested over this kind of connection.";
    65 DELEGATION_TOKEN_AUTHORIZATION_FAILED PLAIN,
        "This client may not use the delegation token.";
    66 DELEGATION_TOKEN_EXPIRED PLAIN,
        "The delegation token has expired.";
    67 INVALID_PRINCIPAL_TYPE PLAIN,
        "This type of principal is not supported.";
    68 NON_EMPTY_GROUP PLAIN,
        "The group still has members.";
    69 GROUP_ID_NOT_FOUND PLAIN,
        "The group does not exist.";
    70 FETCH_SESSION_ID_NOT_FOUND RETRIABLE,
        "The broker does not know the fetch session.";
    71 INVALID_FETCH_SESSION_EPOCH RETRIABLE,
        "The epoch of the fetch session is not the expected one.";
    72 LISTENER_NOT_FOUND REFRESH_METADATA,
        "The leader has no listener of the kind this client is connected to.";
    73 TOPIC_DELETION_DISABLED PLAIN,
        "Deleting topics is switched off.";
    74 FENCED_LEADER_EPOCH REFRESH_METADATA,
        "The leader epoch in the request is older than the broker's.";
    75 UNKNOWN_LEADER_EPOCH RETRIABLE,
        "The leader epoch in the request is newer than the broker's.";
    76 UNSUPPORTED_COMPRESSION_TYPE PLAIN,
        "The codec cannot be used with this version of the request.";
    77 STALE_BROKER_EPOCH PLAIN,
        "The broker epoch has changed.";
    78 OFFSET_NOT_AVAILABLE RETRIABLE,
        "A new leader has not caught up far enough to answer for offsets.";
    79 MEMBER_ID_REQUIRED PLAIN,
        "The group member needs a member id before it can join.";
    80 PREFERRED_LEADER_NOT_AVAILABLE REFRESH_METADATA,
        "The preferred leader of the partition is not available.";
    81 GROUP_MAX_SIZE_REACHED PLAIN,
        "The group has as many members as it may have.";
    82 FENCED_INSTANCE_ID APPLICATION_RECOVERABLE,
        "Another member with the same group.instance.id has taken over.";
    83 ELIGIBLE_LEADERS_NOT_AVAILABLE REFRESH_METADATA,
        "No replica that may lead the partition is available.";
    84 ELECTION_NOT_NEEDED RETRIABLE,
        "The partition needs no leader election.";
    85 NO_REASSIGNMENT_IN_PROGRESS PLAIN,
        "The partition is not being reassigned.";
    86 GROUP_SUBSCRIBED_TO_TOPIC PLAIN,
        "The group is subscribed to the topic, so its offsets cannot be deleted.";
    87 INVALID_RECORD INVALID_CONFIGURATION,
        "The broker refused a record, for example one without key on a compacted topic.";
    88 UNSTABLE_OFFSET_COMMIT RETRIABLE,
        "An open transaction holds offsets that were asked for.";
    89 THROTTLING_QUOTA_EXCEEDED RETRIABLE,
        "A quota is used up; try again later.";
    90 PRODUCER_FENCED APPLICATION_RECOVERABLE FATAL,
        "A newer producer with the same transactional id has taken over.";
    91 RESOURCE_NOT_FOUND PLAIN,
        "The request names a resource that does not exist.";
    92 DUPLICATE_RESOURCE PLAIN,
        "The request names a resource twice.";
    93 UNACCEPTABLE_CREDENTIAL PLAIN,
        "The credential does not meet the broker's requirements.";
    94 INCONSISTENT_VOTER_SET PLAIN,
        "Not both, or neither, side of the request is a controller voter.";
    95 INVALID_UPDATE_VERSION PLAIN,
        "The version in the update is not valid.";
    96 FEATURE_UPDATE_FAILED PLAIN,
        "The features could not be updated.";
    97 PRINCIPAL_DESERIALIZATION_FAILURE PLAIN,
        "The forwarded principal could not be read.";
    98 SNAPSHOT_NOT_FOUND PLAIN,
        "The requested snapshot does not exist.";
    99 POSITION_OUT_OF_RANGE PLAIN,
        "The requested position lies outside the snapshot.";
    100 UNKNOWN_TOPIC_ID REFRESH_METADATA,
        "The broker does not know the topic id.";
    101 DUPLICATE_BROKER_REGISTRATION PLAIN,
        "A broker with this id is registered already.";
    102 BROKER_ID_NOT_REGISTERED PLAIN,
        "No broker with this id is registered.";
    103 INCONSISTENT_TOPIC_ID REFRESH_METADATA,
        "The topic id in the log is not the one in the request.";
    104 INCONSISTENT_CLUSTER_ID PLAIN,
        "The cluster id in the request is not the broker's.";
    105 TRANSACTIONAL_ID_NOT_FOUND PLAIN,
        "The coordinator does not know the transactional id.";
    106 FETCH_SESSION_TOPIC_ID_ERROR RETRIABLE,
        "The fetch session mixed requests with and without topic ids.";
    107 INELIGIBLE_REPLICA PLAIN,
        "The replica may not join the in-sync set.";
    108 NEW_LEADER_ELECTED PLAIN,
        "The change to the partition made another replica the leader.";
    109 OFFSET_MOVED_TO_TIERED_STORAGE PLAIN,
        "The offset now lies in tiered storage.";
    110 FENCED_MEMBER_EPOCH PLAIN,
        "The group has fenced the member's epoch.";
    111 UNRELEASED_INSTANCE_ID PLAIN,
        "Another member still holds the instance id.";
    112 UNSUPPORTED_ASSIGNOR PLAIN,
        "The group does not support the assignor.";
    113 STALE_MEMBER_EPOCH PLAIN,
        "The member's epoch is out of date.";
    114 MISMATCHED_ENDPOINT_TYPE PLAIN,
        "The request came to an endpoint of the wrong type.";
    115 UNSUPPORTED_ENDPOINT_TYPE PLAIN,
        "The broker does not know this type of endpoint.";
    116 UNKNOWN_CONTROLLER_ID PLAIN,
        "No controller has this id.";
    117 UNKNOWN_SUBSCRIPTION_ID PLAIN,
        "The client pushed telemetry under a subscription the broker no longer holds.";
    118 TELEMETRY_TOO_LARGE PLAIN,
        "The client pushed more telemetry than the broker takes.";
    119 INVALID_REGISTRATION PLAIN,
        "The controller did not accept the registration.";
    120 TRANSACTION_ABORTABLE ABORTABLE,
        "The transaction met an error; abort it to go on.";
    121 INVALID_RECORD_STATE PLAIN,
        "The state of the shared record does not allow the acknowledgement.";
    122 SHARE_SESSION_NOT_FOUND RETRIABLE,
        "The broker does not know the share session.";
    123 INVALID_SHARE_SESSION_EPOCH RETRIABLE,
        "The epoch of the share session is not the expected one.";
    124 FENCED_STATE_EPOCH PLAIN,
        "The share coordinator has a newer epoch than the request.";
    125 INVALID_VOTER_KEY PLAIN,
        "The key of the voter does not match the receiver's.";
    126 DUPLICATE_VOTER PLAIN,
        "The voter is in the set of voters already.";
    127 VOTER_NOT_FOUND PLAIN,
        "The voter is not in the set of voters.";
    128 INVALID_REGULAR_EXPRESSION PLAIN,
        "The regular expression is not valid.";
    129 REBOOTSTRAP_REQUIRED PLAIN,
        "The client must start again from its bootstrap servers.";
    130 STREAMS_INVALID_TOPOLOGY PLAIN,
        "The Streams topology that was sent is not valid.";
    131 STREAMS_INVALID_TOPOLOGY_EPOCH PLAIN,
        "The epoch of the Streams topology is not valid.";
    132 STREAMS_TOPOLOGY_FENCED PLAIN,
        "The epoch of the Streams topology is out of date.";
    133 SHARE_SESSION_LIMIT_REACHED RETRIABLE,
        "The broker holds as many share sessions as it may.";
}
