// Code generated from include/ottla.h by bindings/generate.py. DO NOT EDIT.

package ottla

// The status numbers: above 0 a broker's, -1 and below ottla's own.
const (
	// CodeUnknownServerError: The broker failed in a way that it has no error code for.
	CodeUnknownServerError Code = -1
	// CodeNone: No error.
	CodeNone Code = 0
	// CodeOffsetOutOfRange: The log of the partition does not hold the requested offset.
	CodeOffsetOutOfRange Code = 1
	// CodeCorruptMessage: The broker found a wrong checksum or a malformed batch.
	CodeCorruptMessage Code = 2
	// CodeUnknownTopicOrPartition: The broker asked does not have this topic or partition.
	CodeUnknownTopicOrPartition Code = 3
	// CodeInvalidFetchSize: The requested fetch size is not valid.
	CodeInvalidFetchSize Code = 4
	// CodeLeaderNotAvailable: The partition has no leader at the moment.
	CodeLeaderNotAvailable Code = 5
	// CodeNotLeaderOrFollower: The broker asked is not the leader, or not a replica, of the partition.
	CodeNotLeaderOrFollower Code = 6
	// CodeRequestTimedOut: The request did not finish in its time.
	CodeRequestTimedOut Code = 7
	// CodeBrokerNotAvailable: The broker is not available.
	CodeBrokerNotAvailable Code = 8
	// CodeReplicaNotAvailable: The replica that the request needs is not available.
	CodeReplicaNotAvailable Code = 9
	// CodeMessageTooLarge: The batch is larger than the broker or the topic accepts.
	CodeMessageTooLarge Code = 10
	// CodeStaleControllerEpoch: A newer controller has taken over.
	CodeStaleControllerEpoch Code = 11
	// CodeOffsetMetadataTooLarge: The metadata text of the committed offset is too long.
	CodeOffsetMetadataTooLarge Code = 12
	// CodeNetworkException: The connection was lost before the response arrived.
	CodeNetworkException Code = 13
	// CodeCoordinatorLoadInProgress: The coordinator is still loading its state.
	CodeCoordinatorLoadInProgress Code = 14
	// CodeCoordinatorNotAvailable: There is no coordinator at the moment.
	CodeCoordinatorNotAvailable Code = 15
	// CodeNotCoordinator: The broker asked is not the coordinator.
	CodeNotCoordinator Code = 16
	// CodeInvalidTopicException: The topic name is not allowed, or the topic cannot be written by clients.
	CodeInvalidTopicException Code = 17
	// CodeRecordListTooLarge: The batch is larger than a segment of the log on the broker.
	CodeRecordListTooLarge Code = 18
	// CodeNotEnoughReplicas: Fewer replicas are in sync than min.insync.replicas; nothing was written.
	CodeNotEnoughReplicas Code = 19
	// CodeNotEnoughReplicasAfterAppend: The batch was written, but fewer replicas than min.insync.replicas have it.
	CodeNotEnoughReplicasAfterAppend Code = 20
	// CodeInvalidRequiredAcks: The broker does not know this value of acks.
	CodeInvalidRequiredAcks Code = 21
	// CodeIllegalGeneration: The consumer group has moved on to another generation.
	CodeIllegalGeneration Code = 22
	// CodeInconsistentGroupProtocol: The member's protocol does not fit the other members of the group.
	CodeInconsistentGroupProtocol Code = 23
	// CodeInvalidGroupId: The group id is not valid.
	CodeInvalidGroupId Code = 24
	// CodeUnknownMemberId: The group coordinator does not know this member.
	CodeUnknownMemberId Code = 25
	// CodeInvalidSessionTimeout: The session timeout is outside the range that the broker allows.
	CodeInvalidSessionTimeout Code = 26
	// CodeRebalanceInProgress: The group is being rebalanced.
	CodeRebalanceInProgress Code = 27
	// CodeInvalidCommitOffsetSize: The committed offset is too large to be stored.
	CodeInvalidCommitOffsetSize Code = 28
	// CodeTopicAuthorizationFailed: This client may not use the topic in this way.
	CodeTopicAuthorizationFailed Code = 29
	// CodeGroupAuthorizationFailed: This client may not use the consumer group.
	CodeGroupAuthorizationFailed Code = 30
	// CodeClusterAuthorizationFailed: This client may not do this on the cluster; idempotence may need a permission.
	CodeClusterAuthorizationFailed Code = 31
	// CodeInvalidTimestamp: The timestamp of a record is outside the range that the topic accepts.
	CodeInvalidTimestamp Code = 32
	// CodeUnsupportedSaslMechanism: The broker does not offer this SASL mechanism.
	CodeUnsupportedSaslMechanism Code = 33
	// CodeIllegalSaslState: The request does not fit the state of the SASL exchange.
	CodeIllegalSaslState Code = 34
	// CodeUnsupportedVersion: Client and broker have no common version of this request.
	CodeUnsupportedVersion Code = 35
	// CodeTopicAlreadyExists: A topic of this name exists already.
	CodeTopicAlreadyExists Code = 36
	// CodeInvalidPartitions: The number of partitions is not valid.
	CodeInvalidPartitions Code = 37
	// CodeInvalidReplicationFactor: The replication factor is below one or above the number of brokers.
	CodeInvalidReplicationFactor Code = 38
	// CodeInvalidReplicaAssignment: The replica assignment is not valid.
	CodeInvalidReplicaAssignment Code = 39
	// CodeInvalidConfig: A setting sent to the broker is not valid.
	CodeInvalidConfig Code = 40
	// CodeNotController: The broker asked is not the controller.
	CodeNotController Code = 41
	// CodeInvalidRequest: The broker cannot make sense of the request.
	CodeInvalidRequest Code = 42
	// CodeUnsupportedForMessageFormat: The message format of the topic cannot store this.
	CodeUnsupportedForMessageFormat Code = 43
	// CodePolicyViolation: A policy of the cluster forbids the request.
	CodePolicyViolation Code = 44
	// CodeOutOfOrderSequenceNumber: The sequence number of the batch does not follow the last one in the log.
	CodeOutOfOrderSequenceNumber Code = 45
	// CodeDuplicateSequenceNumber: The batch is in the log already.
	CodeDuplicateSequenceNumber Code = 46
	// CodeInvalidProducerEpoch: The producer's epoch is older than the one in the log.
	CodeInvalidProducerEpoch Code = 47
	// CodeInvalidTxnState: The transaction is not in a state that allows the request.
	CodeInvalidTxnState Code = 48
	// CodeInvalidProducerIdMapping: The producer id does not belong to this transactional id.
	CodeInvalidProducerIdMapping Code = 49
	// CodeInvalidTransactionTimeout: transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms.
	CodeInvalidTransactionTimeout Code = 50
	// CodeConcurrentTransactions: The previous transaction of this transactional id is still being finished.
	CodeConcurrentTransactions Code = 51
	// CodeTransactionCoordinatorFenced: The transaction coordinator that sent the markers has been replaced.
	CodeTransactionCoordinatorFenced Code = 52
	// CodeTransactionalIdAuthorizationFailed: This client may not use the transactional id.
	CodeTransactionalIdAuthorizationFailed Code = 53
	// CodeSecurityDisabled: Security features are switched off on the broker.
	CodeSecurityDisabled Code = 54
	// CodeOperationNotAttempted: The broker left this part undone because another part of the request failed.
	CodeOperationNotAttempted Code = 55
	// CodeKafkaStorageError: The broker could not reach the disk that holds the log.
	CodeKafkaStorageError Code = 56
	// CodeLogDirNotFound: The broker has no such log directory.
	CodeLogDirNotFound Code = 57
	// CodeSaslAuthenticationFailed: The broker refused the SASL credentials.
	CodeSaslAuthenticationFailed Code = 58
	// CodeUnknownProducerId: The log holds no state of this producer id any more.
	CodeUnknownProducerId Code = 59
	// CodeReassignmentInProgress: The partition is being reassigned.
	CodeReassignmentInProgress Code = 60
	// CodeDelegationTokenAuthDisabled: Delegation tokens are switched off.
	CodeDelegationTokenAuthDisabled Code = 61
	// CodeDelegationTokenNotFound: The broker does not know the delegation token.
	CodeDelegationTokenNotFound Code = 62
	// CodeDelegationTokenOwnerMismatch: The principal is neither owner nor renewer of the delegation token.
	CodeDelegationTokenOwnerMismatch Code = 63
	// CodeDelegationTokenRequestNotAllowed: Delegation tokens cannot be requested over this kind of connection.
	CodeDelegationTokenRequestNotAllowed Code = 64
	// CodeDelegationTokenAuthorizationFailed: This client may not use the delegation token.
	CodeDelegationTokenAuthorizationFailed Code = 65
	// CodeDelegationTokenExpired: The delegation token has expired.
	CodeDelegationTokenExpired Code = 66
	// CodeInvalidPrincipalType: This type of principal is not supported.
	CodeInvalidPrincipalType Code = 67
	// CodeNonEmptyGroup: The group still has members.
	CodeNonEmptyGroup Code = 68
	// CodeGroupIdNotFound: The group does not exist.
	CodeGroupIdNotFound Code = 69
	// CodeFetchSessionIdNotFound: The broker does not know the fetch session.
	CodeFetchSessionIdNotFound Code = 70
	// CodeInvalidFetchSessionEpoch: The epoch of the fetch session is not the expected one.
	CodeInvalidFetchSessionEpoch Code = 71
	// CodeListenerNotFound: The leader has no listener of the kind this client is connected to.
	CodeListenerNotFound Code = 72
	// CodeTopicDeletionDisabled: Deleting topics is switched off.
	CodeTopicDeletionDisabled Code = 73
	// CodeFencedLeaderEpoch: The leader epoch in the request is older than the broker's.
	CodeFencedLeaderEpoch Code = 74
	// CodeUnknownLeaderEpoch: The leader epoch in the request is newer than the broker's.
	CodeUnknownLeaderEpoch Code = 75
	// CodeUnsupportedCompressionType: The codec cannot be used with this version of the request.
	CodeUnsupportedCompressionType Code = 76
	// CodeStaleBrokerEpoch: The broker epoch has changed.
	CodeStaleBrokerEpoch Code = 77
	// CodeOffsetNotAvailable: A new leader has not caught up far enough to answer for offsets.
	CodeOffsetNotAvailable Code = 78
	// CodeMemberIdRequired: The group member needs a member id before it can join.
	CodeMemberIdRequired Code = 79
	// CodePreferredLeaderNotAvailable: The preferred leader of the partition is not available.
	CodePreferredLeaderNotAvailable Code = 80
	// CodeGroupMaxSizeReached: The group has as many members as it may have.
	CodeGroupMaxSizeReached Code = 81
	// CodeFencedInstanceId: Another member with the same group.instance.id has taken over.
	CodeFencedInstanceId Code = 82
	// CodeEligibleLeadersNotAvailable: No replica that may lead the partition is available.
	CodeEligibleLeadersNotAvailable Code = 83
	// CodeElectionNotNeeded: The partition needs no leader election.
	CodeElectionNotNeeded Code = 84
	// CodeNoReassignmentInProgress: The partition is not being reassigned.
	CodeNoReassignmentInProgress Code = 85
	// CodeGroupSubscribedToTopic: The group is subscribed to the topic, so its offsets cannot be deleted.
	CodeGroupSubscribedToTopic Code = 86
	// CodeInvalidRecord: The broker refused a record, for example one without key on a compacted topic.
	CodeInvalidRecord Code = 87
	// CodeUnstableOffsetCommit: An open transaction holds offsets that were asked for.
	CodeUnstableOffsetCommit Code = 88
	// CodeThrottlingQuotaExceeded: A quota is used up; try again later.
	CodeThrottlingQuotaExceeded Code = 89
	// CodeProducerFenced: A newer producer with the same transactional id has taken over.
	CodeProducerFenced Code = 90
	// CodeResourceNotFound: The request names a resource that does not exist.
	CodeResourceNotFound Code = 91
	// CodeDuplicateResource: The request names a resource twice.
	CodeDuplicateResource Code = 92
	// CodeUnacceptableCredential: The credential does not meet the broker's requirements.
	CodeUnacceptableCredential Code = 93
	// CodeInconsistentVoterSet: Not both, or neither, side of the request is a controller voter.
	CodeInconsistentVoterSet Code = 94
	// CodeInvalidUpdateVersion: The version in the update is not valid.
	CodeInvalidUpdateVersion Code = 95
	// CodeFeatureUpdateFailed: The features could not be updated.
	CodeFeatureUpdateFailed Code = 96
	// CodePrincipalDeserializationFailure: The forwarded principal could not be read.
	CodePrincipalDeserializationFailure Code = 97
	// CodeSnapshotNotFound: The requested snapshot does not exist.
	CodeSnapshotNotFound Code = 98
	// CodePositionOutOfRange: The requested position lies outside the snapshot.
	CodePositionOutOfRange Code = 99
	// CodeUnknownTopicId: The broker does not know the topic id.
	CodeUnknownTopicId Code = 100
	// CodeDuplicateBrokerRegistration: A broker with this id is registered already.
	CodeDuplicateBrokerRegistration Code = 101
	// CodeBrokerIdNotRegistered: No broker with this id is registered.
	CodeBrokerIdNotRegistered Code = 102
	// CodeInconsistentTopicId: The topic id in the log is not the one in the request.
	CodeInconsistentTopicId Code = 103
	// CodeInconsistentClusterId: The cluster id in the request is not the broker's.
	CodeInconsistentClusterId Code = 104
	// CodeTransactionalIdNotFound: The coordinator does not know the transactional id.
	CodeTransactionalIdNotFound Code = 105
	// CodeFetchSessionTopicIdError: The fetch session mixed requests with and without topic ids.
	CodeFetchSessionTopicIdError Code = 106
	// CodeIneligibleReplica: The replica may not join the in-sync set.
	CodeIneligibleReplica Code = 107
	// CodeNewLeaderElected: The change to the partition made another replica the leader.
	CodeNewLeaderElected Code = 108
	// CodeOffsetMovedToTieredStorage: The offset now lies in tiered storage.
	CodeOffsetMovedToTieredStorage Code = 109
	// CodeFencedMemberEpoch: The group has fenced the member's epoch.
	CodeFencedMemberEpoch Code = 110
	// CodeUnreleasedInstanceId: Another member still holds the instance id.
	CodeUnreleasedInstanceId Code = 111
	// CodeUnsupportedAssignor: The group does not support the assignor.
	CodeUnsupportedAssignor Code = 112
	// CodeStaleMemberEpoch: The member's epoch is out of date.
	CodeStaleMemberEpoch Code = 113
	// CodeMismatchedEndpointType: The request came to an endpoint of the wrong type.
	CodeMismatchedEndpointType Code = 114
	// CodeUnsupportedEndpointType: The broker does not know this type of endpoint.
	CodeUnsupportedEndpointType Code = 115
	// CodeUnknownControllerId: No controller has this id.
	CodeUnknownControllerId Code = 116
	// CodeUnknownSubscriptionId: The client pushed telemetry under a subscription the broker no longer holds.
	CodeUnknownSubscriptionId Code = 117
	// CodeTelemetryTooLarge: The client pushed more telemetry than the broker takes.
	CodeTelemetryTooLarge Code = 118
	// CodeInvalidRegistration: The controller did not accept the registration.
	CodeInvalidRegistration Code = 119
	// CodeTransactionAbortable: The transaction met an error; abort it to go on.
	CodeTransactionAbortable Code = 120
	// CodeInvalidRecordState: The state of the shared record does not allow the acknowledgement.
	CodeInvalidRecordState Code = 121
	// CodeShareSessionNotFound: The broker does not know the share session.
	CodeShareSessionNotFound Code = 122
	// CodeInvalidShareSessionEpoch: The epoch of the share session is not the expected one.
	CodeInvalidShareSessionEpoch Code = 123
	// CodeFencedStateEpoch: The share coordinator has a newer epoch than the request.
	CodeFencedStateEpoch Code = 124
	// CodeInvalidVoterKey: The key of the voter does not match the receiver's.
	CodeInvalidVoterKey Code = 125
	// CodeDuplicateVoter: The voter is in the set of voters already.
	CodeDuplicateVoter Code = 126
	// CodeVoterNotFound: The voter is not in the set of voters.
	CodeVoterNotFound Code = 127
	// CodeInvalidRegularExpression: The regular expression is not valid.
	CodeInvalidRegularExpression Code = 128
	// CodeRebootstrapRequired: The client must start again from its bootstrap servers.
	CodeRebootstrapRequired Code = 129
	// CodeStreamsInvalidTopology: The Streams topology that was sent is not valid.
	CodeStreamsInvalidTopology Code = 130
	// CodeStreamsInvalidTopologyEpoch: The epoch of the Streams topology is not valid.
	CodeStreamsInvalidTopologyEpoch Code = 131
	// CodeStreamsTopologyFenced: The epoch of the Streams topology is out of date.
	CodeStreamsTopologyFenced Code = 132
	// CodeShareSessionLimitReached: The broker holds as many share sessions as it may.
	CodeShareSessionLimitReached Code = 133
	// CodeClosed: The producer is closed.
	CodeClosed Code = -101
	// CodeConfig: A setting is unknown, malformed, out of range, or contradicts another one.
	CodeConfig Code = -102
	// CodeArgument: An argument of the call is not valid.
	CodeArgument Code = -103
	// CodeQueueFull: No memory or no place in the queue now, and the call was told not to wait.
	CodeQueueFull Code = -104
	// CodeTimedOut: The call did not finish in the time it was given.
	CodeTimedOut Code = -105
	// CodeExpired: The record was not acknowledged within delivery.timeout.ms.
	CodeExpired Code = -106
	// CodeTransport: The connection to the broker could not be made or was lost.
	CodeTransport Code = -107
	// CodeUnsupported: Known to Kafka, but not built into this version of ottla.
	CodeUnsupported Code = -108
	// CodeResolve: No bootstrap address could be resolved.
	CodeResolve Code = -109
	// CodeRecordTooLarge: The record is larger than max.request.size or buffer.memory.
	CodeRecordTooLarge Code = -110
	// CodeUnknownTopic: The topic does not exist in the cluster.
	CodeUnknownTopic Code = -111
	// CodeUnknownPartition: The topic has no such partition.
	CodeUnknownPartition Code = -112
	// CodePurgedQueue: The record was purged before it was sent.
	CodePurgedQueue Code = -113
	// CodePurgedInFlight: The record was purged while a request that holds it was under way.
	CodePurgedInFlight Code = -114
	// CodeState: The call is not allowed in the present state of the producer.
	CodeState Code = -115
	// CodeInCallback: The call is not allowed inside this callback of the same producer.
	CodeInCallback Code = -116
	// CodeForked: The producer belongs to the parent of this process; create one after fork.
	CodeForked Code = -117
	// CodePanic: A bug in ottla or in a callback was caught before it could end the process.
	CodePanic Code = -118
	// CodeInterrupted: The wait was interrupted by a signal or by the caller.
	CodeInterrupted Code = -119
	// CodeBufferTooSmall: The caller's buffer cannot hold the result.
	CodeBufferTooSmall Code = -120
	// CodeProtocol: The broker answered with bytes that are not a valid response.
	CodeProtocol Code = -121
	// CodeFatal: An earlier fatal error stopped this producer.
	CodeFatal Code = -122
	// CodeAuthentication: The broker and this client could not authenticate each other.
	CodeAuthentication Code = -123
	// CodeHandle: The handle is null, freed, or of another kind.
	CodeHandle Code = -124
	// CodeAborted: The record was given up because the producer closed without waiting for it or the transaction was aborted.
	CodeAborted Code = -125
	// CodeTruncated: The result was cut to the size of the caller's buffer.
	CodeTruncated Code = -126
)
