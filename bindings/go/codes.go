// Code generated from include/ottla.h by bindings/generate.py. DO NOT EDIT.

package ottla

// #include <ottla.h>
import "C"

// The status numbers: above 0 a broker's, -1 and below ottla's own.
const (
	// CodeUnknownServerError: The broker failed in a way that it has no error code for.
	CodeUnknownServerError Code = C.OTTLA_ERROR_UNKNOWN_SERVER_ERROR
	// CodeNone: No error.
	CodeNone Code = C.OTTLA_ERROR_NONE
	// CodeOffsetOutOfRange: The log of the partition does not hold the requested offset.
	CodeOffsetOutOfRange Code = C.OTTLA_ERROR_OFFSET_OUT_OF_RANGE
	// CodeCorruptMessage: The broker found a wrong checksum or a malformed batch.
	CodeCorruptMessage Code = C.OTTLA_ERROR_CORRUPT_MESSAGE
	// CodeUnknownTopicOrPartition: The broker asked does not have this topic or partition.
	CodeUnknownTopicOrPartition Code = C.OTTLA_ERROR_UNKNOWN_TOPIC_OR_PARTITION
	// CodeInvalidFetchSize: The requested fetch size is not valid.
	CodeInvalidFetchSize Code = C.OTTLA_ERROR_INVALID_FETCH_SIZE
	// CodeLeaderNotAvailable: The partition has no leader at the moment.
	CodeLeaderNotAvailable Code = C.OTTLA_ERROR_LEADER_NOT_AVAILABLE
	// CodeNotLeaderOrFollower: The broker asked is not the leader, or not a replica, of the partition.
	CodeNotLeaderOrFollower Code = C.OTTLA_ERROR_NOT_LEADER_OR_FOLLOWER
	// CodeRequestTimedOut: The request did not finish in its time.
	CodeRequestTimedOut Code = C.OTTLA_ERROR_REQUEST_TIMED_OUT
	// CodeBrokerNotAvailable: The broker is not available.
	CodeBrokerNotAvailable Code = C.OTTLA_ERROR_BROKER_NOT_AVAILABLE
	// CodeReplicaNotAvailable: The replica that the request needs is not available.
	CodeReplicaNotAvailable Code = C.OTTLA_ERROR_REPLICA_NOT_AVAILABLE
	// CodeMessageTooLarge: The batch is larger than the broker or the topic accepts.
	CodeMessageTooLarge Code = C.OTTLA_ERROR_MESSAGE_TOO_LARGE
	// CodeStaleControllerEpoch: A newer controller has taken over.
	CodeStaleControllerEpoch Code = C.OTTLA_ERROR_STALE_CONTROLLER_EPOCH
	// CodeOffsetMetadataTooLarge: The metadata text of the committed offset is too long.
	CodeOffsetMetadataTooLarge Code = C.OTTLA_ERROR_OFFSET_METADATA_TOO_LARGE
	// CodeNetworkException: The connection was lost before the response arrived.
	CodeNetworkException Code = C.OTTLA_ERROR_NETWORK_EXCEPTION
	// CodeCoordinatorLoadInProgress: The coordinator is still loading its state.
	CodeCoordinatorLoadInProgress Code = C.OTTLA_ERROR_COORDINATOR_LOAD_IN_PROGRESS
	// CodeCoordinatorNotAvailable: There is no coordinator at the moment.
	CodeCoordinatorNotAvailable Code = C.OTTLA_ERROR_COORDINATOR_NOT_AVAILABLE
	// CodeNotCoordinator: The broker asked is not the coordinator.
	CodeNotCoordinator Code = C.OTTLA_ERROR_NOT_COORDINATOR
	// CodeInvalidTopicException: The topic name is not allowed, or the topic cannot be written by clients.
	CodeInvalidTopicException Code = C.OTTLA_ERROR_INVALID_TOPIC_EXCEPTION
	// CodeRecordListTooLarge: The batch is larger than a segment of the log on the broker.
	CodeRecordListTooLarge Code = C.OTTLA_ERROR_RECORD_LIST_TOO_LARGE
	// CodeNotEnoughReplicas: Fewer replicas are in sync than min.insync.replicas; nothing was written.
	CodeNotEnoughReplicas Code = C.OTTLA_ERROR_NOT_ENOUGH_REPLICAS
	// CodeNotEnoughReplicasAfterAppend: The batch was written, but fewer replicas than min.insync.replicas have it.
	CodeNotEnoughReplicasAfterAppend Code = C.OTTLA_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND
	// CodeInvalidRequiredAcks: The broker does not know this value of acks.
	CodeInvalidRequiredAcks Code = C.OTTLA_ERROR_INVALID_REQUIRED_ACKS
	// CodeIllegalGeneration: The consumer group has moved on to another generation.
	CodeIllegalGeneration Code = C.OTTLA_ERROR_ILLEGAL_GENERATION
	// CodeInconsistentGroupProtocol: The member's protocol does not fit the other members of the group.
	CodeInconsistentGroupProtocol Code = C.OTTLA_ERROR_INCONSISTENT_GROUP_PROTOCOL
	// CodeInvalidGroupId: The group id is not valid.
	CodeInvalidGroupId Code = C.OTTLA_ERROR_INVALID_GROUP_ID
	// CodeUnknownMemberId: The group coordinator does not know this member.
	CodeUnknownMemberId Code = C.OTTLA_ERROR_UNKNOWN_MEMBER_ID
	// CodeInvalidSessionTimeout: The session timeout is outside the range that the broker allows.
	CodeInvalidSessionTimeout Code = C.OTTLA_ERROR_INVALID_SESSION_TIMEOUT
	// CodeRebalanceInProgress: The group is being rebalanced.
	CodeRebalanceInProgress Code = C.OTTLA_ERROR_REBALANCE_IN_PROGRESS
	// CodeInvalidCommitOffsetSize: The committed offset is too large to be stored.
	CodeInvalidCommitOffsetSize Code = C.OTTLA_ERROR_INVALID_COMMIT_OFFSET_SIZE
	// CodeTopicAuthorizationFailed: This client may not use the topic in this way.
	CodeTopicAuthorizationFailed Code = C.OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED
	// CodeGroupAuthorizationFailed: This client may not use the consumer group.
	CodeGroupAuthorizationFailed Code = C.OTTLA_ERROR_GROUP_AUTHORIZATION_FAILED
	// CodeClusterAuthorizationFailed: This client may not do this on the cluster; idempotence may need a permission.
	CodeClusterAuthorizationFailed Code = C.OTTLA_ERROR_CLUSTER_AUTHORIZATION_FAILED
	// CodeInvalidTimestamp: The timestamp of a record is outside the range that the topic accepts.
	CodeInvalidTimestamp Code = C.OTTLA_ERROR_INVALID_TIMESTAMP
	// CodeUnsupportedSaslMechanism: The broker does not offer this SASL mechanism.
	CodeUnsupportedSaslMechanism Code = C.OTTLA_ERROR_UNSUPPORTED_SASL_MECHANISM
	// CodeIllegalSaslState: The request does not fit the state of the SASL exchange.
	CodeIllegalSaslState Code = C.OTTLA_ERROR_ILLEGAL_SASL_STATE
	// CodeUnsupportedVersion: Client and broker have no common version of this request.
	CodeUnsupportedVersion Code = C.OTTLA_ERROR_UNSUPPORTED_VERSION
	// CodeTopicAlreadyExists: A topic of this name exists already.
	CodeTopicAlreadyExists Code = C.OTTLA_ERROR_TOPIC_ALREADY_EXISTS
	// CodeInvalidPartitions: The number of partitions is not valid.
	CodeInvalidPartitions Code = C.OTTLA_ERROR_INVALID_PARTITIONS
	// CodeInvalidReplicationFactor: The replication factor is below one or above the number of brokers.
	CodeInvalidReplicationFactor Code = C.OTTLA_ERROR_INVALID_REPLICATION_FACTOR
	// CodeInvalidReplicaAssignment: The replica assignment is not valid.
	CodeInvalidReplicaAssignment Code = C.OTTLA_ERROR_INVALID_REPLICA_ASSIGNMENT
	// CodeInvalidConfig: A setting sent to the broker is not valid.
	CodeInvalidConfig Code = C.OTTLA_ERROR_INVALID_CONFIG
	// CodeNotController: The broker asked is not the controller.
	CodeNotController Code = C.OTTLA_ERROR_NOT_CONTROLLER
	// CodeInvalidRequest: The broker cannot make sense of the request.
	CodeInvalidRequest Code = C.OTTLA_ERROR_INVALID_REQUEST
	// CodeUnsupportedForMessageFormat: The message format of the topic cannot store this.
	CodeUnsupportedForMessageFormat Code = C.OTTLA_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT
	// CodePolicyViolation: A policy of the cluster forbids the request.
	CodePolicyViolation Code = C.OTTLA_ERROR_POLICY_VIOLATION
	// CodeOutOfOrderSequenceNumber: The sequence number of the batch does not follow the last one in the log.
	CodeOutOfOrderSequenceNumber Code = C.OTTLA_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER
	// CodeDuplicateSequenceNumber: The batch is in the log already.
	CodeDuplicateSequenceNumber Code = C.OTTLA_ERROR_DUPLICATE_SEQUENCE_NUMBER
	// CodeInvalidProducerEpoch: The producer's epoch is older than the one in the log.
	CodeInvalidProducerEpoch Code = C.OTTLA_ERROR_INVALID_PRODUCER_EPOCH
	// CodeInvalidTxnState: The transaction is not in a state that allows the request.
	CodeInvalidTxnState Code = C.OTTLA_ERROR_INVALID_TXN_STATE
	// CodeInvalidProducerIdMapping: The producer id does not belong to this transactional id.
	CodeInvalidProducerIdMapping Code = C.OTTLA_ERROR_INVALID_PRODUCER_ID_MAPPING
	// CodeInvalidTransactionTimeout: transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms.
	CodeInvalidTransactionTimeout Code = C.OTTLA_ERROR_INVALID_TRANSACTION_TIMEOUT
	// CodeConcurrentTransactions: The previous transaction of this transactional id is still being finished.
	CodeConcurrentTransactions Code = C.OTTLA_ERROR_CONCURRENT_TRANSACTIONS
	// CodeTransactionCoordinatorFenced: The transaction coordinator that sent the markers has been replaced.
	CodeTransactionCoordinatorFenced Code = C.OTTLA_ERROR_TRANSACTION_COORDINATOR_FENCED
	// CodeTransactionalIdAuthorizationFailed: This client may not use the transactional id.
	CodeTransactionalIdAuthorizationFailed Code = C.OTTLA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
	// CodeSecurityDisabled: Security features are switched off on the broker.
	CodeSecurityDisabled Code = C.OTTLA_ERROR_SECURITY_DISABLED
	// CodeOperationNotAttempted: The broker left this part undone because another part of the request failed.
	CodeOperationNotAttempted Code = C.OTTLA_ERROR_OPERATION_NOT_ATTEMPTED
	// CodeKafkaStorageError: The broker could not reach the disk that holds the log.
	CodeKafkaStorageError Code = C.OTTLA_ERROR_KAFKA_STORAGE_ERROR
	// CodeLogDirNotFound: The broker has no such log directory.
	CodeLogDirNotFound Code = C.OTTLA_ERROR_LOG_DIR_NOT_FOUND
	// CodeSaslAuthenticationFailed: The broker refused the SASL credentials.
	CodeSaslAuthenticationFailed Code = C.OTTLA_ERROR_SASL_AUTHENTICATION_FAILED
	// CodeUnknownProducerId: The log holds no state of this producer id any more.
	CodeUnknownProducerId Code = C.OTTLA_ERROR_UNKNOWN_PRODUCER_ID
	// CodeReassignmentInProgress: The partition is being reassigned.
	CodeReassignmentInProgress Code = C.OTTLA_ERROR_REASSIGNMENT_IN_PROGRESS
	// CodeDelegationTokenAuthDisabled: Delegation tokens are switched off.
	CodeDelegationTokenAuthDisabled Code = C.OTTLA_ERROR_DELEGATION_TOKEN_AUTH_DISABLED
	// CodeDelegationTokenNotFound: The broker does not know the delegation token.
	CodeDelegationTokenNotFound Code = C.OTTLA_ERROR_DELEGATION_TOKEN_NOT_FOUND
	// CodeDelegationTokenOwnerMismatch: The principal is neither owner nor renewer of the delegation token.
	CodeDelegationTokenOwnerMismatch Code = C.OTTLA_ERROR_DELEGATION_TOKEN_OWNER_MISMATCH
	// CodeDelegationTokenRequestNotAllowed: Delegation tokens cannot be requested over this kind of connection.
	CodeDelegationTokenRequestNotAllowed Code = C.OTTLA_ERROR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
	// CodeDelegationTokenAuthorizationFailed: This client may not use the delegation token.
	CodeDelegationTokenAuthorizationFailed Code = C.OTTLA_ERROR_DELEGATION_TOKEN_AUTHORIZATION_FAILED
	// CodeDelegationTokenExpired: The delegation token has expired.
	CodeDelegationTokenExpired Code = C.OTTLA_ERROR_DELEGATION_TOKEN_EXPIRED
	// CodeInvalidPrincipalType: This type of principal is not supported.
	CodeInvalidPrincipalType Code = C.OTTLA_ERROR_INVALID_PRINCIPAL_TYPE
	// CodeNonEmptyGroup: The group still has members.
	CodeNonEmptyGroup Code = C.OTTLA_ERROR_NON_EMPTY_GROUP
	// CodeGroupIdNotFound: The group does not exist.
	CodeGroupIdNotFound Code = C.OTTLA_ERROR_GROUP_ID_NOT_FOUND
	// CodeFetchSessionIdNotFound: The broker does not know the fetch session.
	CodeFetchSessionIdNotFound Code = C.OTTLA_ERROR_FETCH_SESSION_ID_NOT_FOUND
	// CodeInvalidFetchSessionEpoch: The epoch of the fetch session is not the expected one.
	CodeInvalidFetchSessionEpoch Code = C.OTTLA_ERROR_INVALID_FETCH_SESSION_EPOCH
	// CodeListenerNotFound: The leader has no listener of the kind this client is connected to.
	CodeListenerNotFound Code = C.OTTLA_ERROR_LISTENER_NOT_FOUND
	// CodeTopicDeletionDisabled: Deleting topics is switched off.
	CodeTopicDeletionDisabled Code = C.OTTLA_ERROR_TOPIC_DELETION_DISABLED
	// CodeFencedLeaderEpoch: The leader epoch in the request is older than the broker's.
	CodeFencedLeaderEpoch Code = C.OTTLA_ERROR_FENCED_LEADER_EPOCH
	// CodeUnknownLeaderEpoch: The leader epoch in the request is newer than the broker's.
	CodeUnknownLeaderEpoch Code = C.OTTLA_ERROR_UNKNOWN_LEADER_EPOCH
	// CodeUnsupportedCompressionType: The codec cannot be used with this version of the request.
	CodeUnsupportedCompressionType Code = C.OTTLA_ERROR_UNSUPPORTED_COMPRESSION_TYPE
	// CodeStaleBrokerEpoch: The broker epoch has changed.
	CodeStaleBrokerEpoch Code = C.OTTLA_ERROR_STALE_BROKER_EPOCH
	// CodeOffsetNotAvailable: A new leader has not caught up far enough to answer for offsets.
	CodeOffsetNotAvailable Code = C.OTTLA_ERROR_OFFSET_NOT_AVAILABLE
	// CodeMemberIdRequired: The group member needs a member id before it can join.
	CodeMemberIdRequired Code = C.OTTLA_ERROR_MEMBER_ID_REQUIRED
	// CodePreferredLeaderNotAvailable: The preferred leader of the partition is not available.
	CodePreferredLeaderNotAvailable Code = C.OTTLA_ERROR_PREFERRED_LEADER_NOT_AVAILABLE
	// CodeGroupMaxSizeReached: The group has as many members as it may have.
	CodeGroupMaxSizeReached Code = C.OTTLA_ERROR_GROUP_MAX_SIZE_REACHED
	// CodeFencedInstanceId: Another member with the same group.instance.id has taken over.
	CodeFencedInstanceId Code = C.OTTLA_ERROR_FENCED_INSTANCE_ID
	// CodeEligibleLeadersNotAvailable: No replica that may lead the partition is available.
	CodeEligibleLeadersNotAvailable Code = C.OTTLA_ERROR_ELIGIBLE_LEADERS_NOT_AVAILABLE
	// CodeElectionNotNeeded: The partition needs no leader election.
	CodeElectionNotNeeded Code = C.OTTLA_ERROR_ELECTION_NOT_NEEDED
	// CodeNoReassignmentInProgress: The partition is not being reassigned.
	CodeNoReassignmentInProgress Code = C.OTTLA_ERROR_NO_REASSIGNMENT_IN_PROGRESS
	// CodeGroupSubscribedToTopic: The group is subscribed to the topic, so its offsets cannot be deleted.
	CodeGroupSubscribedToTopic Code = C.OTTLA_ERROR_GROUP_SUBSCRIBED_TO_TOPIC
	// CodeInvalidRecord: The broker refused a record, for example one without key on a compacted topic.
	CodeInvalidRecord Code = C.OTTLA_ERROR_INVALID_RECORD
	// CodeUnstableOffsetCommit: An open transaction holds offsets that were asked for.
	CodeUnstableOffsetCommit Code = C.OTTLA_ERROR_UNSTABLE_OFFSET_COMMIT
	// CodeThrottlingQuotaExceeded: A quota is used up; try again later.
	CodeThrottlingQuotaExceeded Code = C.OTTLA_ERROR_THROTTLING_QUOTA_EXCEEDED
	// CodeProducerFenced: A newer producer with the same transactional id has taken over.
	CodeProducerFenced Code = C.OTTLA_ERROR_PRODUCER_FENCED
	// CodeResourceNotFound: The request names a resource that does not exist.
	CodeResourceNotFound Code = C.OTTLA_ERROR_RESOURCE_NOT_FOUND
	// CodeDuplicateResource: The request names a resource twice.
	CodeDuplicateResource Code = C.OTTLA_ERROR_DUPLICATE_RESOURCE
	// CodeUnacceptableCredential: The credential does not meet the broker's requirements.
	CodeUnacceptableCredential Code = C.OTTLA_ERROR_UNACCEPTABLE_CREDENTIAL
	// CodeInconsistentVoterSet: Not both, or neither, side of the request is a controller voter.
	CodeInconsistentVoterSet Code = C.OTTLA_ERROR_INCONSISTENT_VOTER_SET
	// CodeInvalidUpdateVersion: The version in the update is not valid.
	CodeInvalidUpdateVersion Code = C.OTTLA_ERROR_INVALID_UPDATE_VERSION
	// CodeFeatureUpdateFailed: The features could not be updated.
	CodeFeatureUpdateFailed Code = C.OTTLA_ERROR_FEATURE_UPDATE_FAILED
	// CodePrincipalDeserializationFailure: The forwarded principal could not be read.
	CodePrincipalDeserializationFailure Code = C.OTTLA_ERROR_PRINCIPAL_DESERIALIZATION_FAILURE
	// CodeSnapshotNotFound: The requested snapshot does not exist.
	CodeSnapshotNotFound Code = C.OTTLA_ERROR_SNAPSHOT_NOT_FOUND
	// CodePositionOutOfRange: The requested position lies outside the snapshot.
	CodePositionOutOfRange Code = C.OTTLA_ERROR_POSITION_OUT_OF_RANGE
	// CodeUnknownTopicId: The broker does not know the topic id.
	CodeUnknownTopicId Code = C.OTTLA_ERROR_UNKNOWN_TOPIC_ID
	// CodeDuplicateBrokerRegistration: A broker with this id is registered already.
	CodeDuplicateBrokerRegistration Code = C.OTTLA_ERROR_DUPLICATE_BROKER_REGISTRATION
	// CodeBrokerIdNotRegistered: No broker with this id is registered.
	CodeBrokerIdNotRegistered Code = C.OTTLA_ERROR_BROKER_ID_NOT_REGISTERED
	// CodeInconsistentTopicId: The topic id in the log is not the one in the request.
	CodeInconsistentTopicId Code = C.OTTLA_ERROR_INCONSISTENT_TOPIC_ID
	// CodeInconsistentClusterId: The cluster id in the request is not the broker's.
	CodeInconsistentClusterId Code = C.OTTLA_ERROR_INCONSISTENT_CLUSTER_ID
	// CodeTransactionalIdNotFound: The coordinator does not know the transactional id.
	CodeTransactionalIdNotFound Code = C.OTTLA_ERROR_TRANSACTIONAL_ID_NOT_FOUND
	// CodeFetchSessionTopicIdError: The fetch session mixed requests with and without topic ids.
	CodeFetchSessionTopicIdError Code = C.OTTLA_ERROR_FETCH_SESSION_TOPIC_ID_ERROR
	// CodeIneligibleReplica: The replica may not join the in-sync set.
	CodeIneligibleReplica Code = C.OTTLA_ERROR_INELIGIBLE_REPLICA
	// CodeNewLeaderElected: The change to the partition made another replica the leader.
	CodeNewLeaderElected Code = C.OTTLA_ERROR_NEW_LEADER_ELECTED
	// CodeOffsetMovedToTieredStorage: The offset now lies in tiered storage.
	CodeOffsetMovedToTieredStorage Code = C.OTTLA_ERROR_OFFSET_MOVED_TO_TIERED_STORAGE
	// CodeFencedMemberEpoch: The group has fenced the member's epoch.
	CodeFencedMemberEpoch Code = C.OTTLA_ERROR_FENCED_MEMBER_EPOCH
	// CodeUnreleasedInstanceId: Another member still holds the instance id.
	CodeUnreleasedInstanceId Code = C.OTTLA_ERROR_UNRELEASED_INSTANCE_ID
	// CodeUnsupportedAssignor: The group does not support the assignor.
	CodeUnsupportedAssignor Code = C.OTTLA_ERROR_UNSUPPORTED_ASSIGNOR
	// CodeStaleMemberEpoch: The member's epoch is out of date.
	CodeStaleMemberEpoch Code = C.OTTLA_ERROR_STALE_MEMBER_EPOCH
	// CodeMismatchedEndpointType: The request came to an endpoint of the wrong type.
	CodeMismatchedEndpointType Code = C.OTTLA_ERROR_MISMATCHED_ENDPOINT_TYPE
	// CodeUnsupportedEndpointType: The broker does not know this type of endpoint.
	CodeUnsupportedEndpointType Code = C.OTTLA_ERROR_UNSUPPORTED_ENDPOINT_TYPE
	// CodeUnknownControllerId: No controller has this id.
	CodeUnknownControllerId Code = C.OTTLA_ERROR_UNKNOWN_CONTROLLER_ID
	// CodeUnknownSubscriptionId: The client pushed telemetry under a subscription the broker no longer holds.
	CodeUnknownSubscriptionId Code = C.OTTLA_ERROR_UNKNOWN_SUBSCRIPTION_ID
	// CodeTelemetryTooLarge: The client pushed more telemetry than the broker takes.
	CodeTelemetryTooLarge Code = C.OTTLA_ERROR_TELEMETRY_TOO_LARGE
	// CodeInvalidRegistration: The controller did not accept the registration.
	CodeInvalidRegistration Code = C.OTTLA_ERROR_INVALID_REGISTRATION
	// CodeTransactionAbortable: The transaction met an error; abort it to go on.
	CodeTransactionAbortable Code = C.OTTLA_ERROR_TRANSACTION_ABORTABLE
	// CodeInvalidRecordState: The state of the shared record does not allow the acknowledgement.
	CodeInvalidRecordState Code = C.OTTLA_ERROR_INVALID_RECORD_STATE
	// CodeShareSessionNotFound: The broker does not know the share session.
	CodeShareSessionNotFound Code = C.OTTLA_ERROR_SHARE_SESSION_NOT_FOUND
	// CodeInvalidShareSessionEpoch: The epoch of the share session is not the expected one.
	CodeInvalidShareSessionEpoch Code = C.OTTLA_ERROR_INVALID_SHARE_SESSION_EPOCH
	// CodeFencedStateEpoch: The share coordinator has a newer epoch than the request.
	CodeFencedStateEpoch Code = C.OTTLA_ERROR_FENCED_STATE_EPOCH
	// CodeInvalidVoterKey: The key of the voter does not match the receiver's.
	CodeInvalidVoterKey Code = C.OTTLA_ERROR_INVALID_VOTER_KEY
	// CodeDuplicateVoter: The voter is in the set of voters already.
	CodeDuplicateVoter Code = C.OTTLA_ERROR_DUPLICATE_VOTER
	// CodeVoterNotFound: The voter is not in the set of voters.
	CodeVoterNotFound Code = C.OTTLA_ERROR_VOTER_NOT_FOUND
	// CodeInvalidRegularExpression: The regular expression is not valid.
	CodeInvalidRegularExpression Code = C.OTTLA_ERROR_INVALID_REGULAR_EXPRESSION
	// CodeRebootstrapRequired: The client must start again from its bootstrap servers.
	CodeRebootstrapRequired Code = C.OTTLA_ERROR_REBOOTSTRAP_REQUIRED
	// CodeStreamsInvalidTopology: The Streams topology that was sent is not valid.
	CodeStreamsInvalidTopology Code = C.OTTLA_ERROR_STREAMS_INVALID_TOPOLOGY
	// CodeStreamsInvalidTopologyEpoch: The epoch of the Streams topology is not valid.
	CodeStreamsInvalidTopologyEpoch Code = C.OTTLA_ERROR_STREAMS_INVALID_TOPOLOGY_EPOCH
	// CodeStreamsTopologyFenced: The epoch of the Streams topology is out of date.
	CodeStreamsTopologyFenced Code = C.OTTLA_ERROR_STREAMS_TOPOLOGY_FENCED
	// CodeShareSessionLimitReached: The broker holds as many share sessions as it may.
	CodeShareSessionLimitReached Code = C.OTTLA_ERROR_SHARE_SESSION_LIMIT_REACHED
	// CodeClosed: The producer is closed.
	CodeClosed Code = C.OTTLA_ERROR_CLOSED
	// CodeConfig: A setting is unknown, malformed, out of range, or contradicts another one.
	CodeConfig Code = C.OTTLA_ERROR_CONFIG
	// CodeArgument: An argument of the call is not valid.
	CodeArgument Code = C.OTTLA_ERROR_ARGUMENT
	// CodeQueueFull: No memory or no place in the queue now, and the call was told not to wait.
	CodeQueueFull Code = C.OTTLA_ERROR_QUEUE_FULL
	// CodeTimedOut: The call did not finish in the time it was given.
	CodeTimedOut Code = C.OTTLA_ERROR_TIMED_OUT
	// CodeExpired: The record was not acknowledged within delivery.timeout.ms.
	CodeExpired Code = C.OTTLA_ERROR_EXPIRED
	// CodeTransport: The connection to the broker could not be made or was lost.
	CodeTransport Code = C.OTTLA_ERROR_TRANSPORT
	// CodeUnsupported: Known to Kafka, but not built into this version of ottla.
	CodeUnsupported Code = C.OTTLA_ERROR_UNSUPPORTED
	// CodeResolve: No bootstrap address could be resolved.
	CodeResolve Code = C.OTTLA_ERROR_RESOLVE
	// CodeRecordTooLarge: The record is larger than max.request.size or buffer.memory.
	CodeRecordTooLarge Code = C.OTTLA_ERROR_RECORD_TOO_LARGE
	// CodeUnknownTopic: The topic does not exist in the cluster.
	CodeUnknownTopic Code = C.OTTLA_ERROR_UNKNOWN_TOPIC
	// CodeUnknownPartition: The topic has no such partition.
	CodeUnknownPartition Code = C.OTTLA_ERROR_UNKNOWN_PARTITION
	// CodePurgedQueue: The record was purged before it was sent.
	CodePurgedQueue Code = C.OTTLA_ERROR_PURGED_QUEUE
	// CodePurgedInFlight: The record was purged while a request that holds it was under way.
	CodePurgedInFlight Code = C.OTTLA_ERROR_PURGED_IN_FLIGHT
	// CodeState: The call is not allowed in the present state of the producer.
	CodeState Code = C.OTTLA_ERROR_STATE
	// CodeInCallback: The call is not allowed inside this callback of the same producer.
	CodeInCallback Code = C.OTTLA_ERROR_IN_CALLBACK
	// CodeForked: The producer belongs to the parent of this process; create one after fork.
	CodeForked Code = C.OTTLA_ERROR_FORKED
	// CodePanic: A bug in ottla or in a callback was caught before it could end the process.
	CodePanic Code = C.OTTLA_ERROR_PANIC
	// CodeInterrupted: The wait was interrupted by a signal or by the caller.
	CodeInterrupted Code = C.OTTLA_ERROR_INTERRUPTED
	// CodeBufferTooSmall: The caller's buffer cannot hold the result.
	CodeBufferTooSmall Code = C.OTTLA_ERROR_BUFFER_TOO_SMALL
	// CodeProtocol: The broker answered with bytes that are not a valid response.
	CodeProtocol Code = C.OTTLA_ERROR_PROTOCOL
	// CodeFatal: An earlier fatal error stopped this producer.
	CodeFatal Code = C.OTTLA_ERROR_FATAL
	// CodeAuthentication: The broker and this client could not authenticate each other.
	CodeAuthentication Code = C.OTTLA_ERROR_AUTHENTICATION
	// CodeHandle: The handle is null, freed, or of another kind.
	CodeHandle Code = C.OTTLA_ERROR_HANDLE
	// CodeAborted: The record was given up because the producer closed without waiting for it or the transaction was aborted.
	CodeAborted Code = C.OTTLA_ERROR_ABORTED
	// CodeTruncated: The result was cut to the size of the caller's buffer.
	CodeTruncated Code = C.OTTLA_ERROR_TRUNCATED
)
