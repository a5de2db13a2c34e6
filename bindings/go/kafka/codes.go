// Code generated from include/ottla.h and bindings/librdkafka_codes.py by bindings/generate.py. DO NOT EDIT.

package kafka

// Error codes, with librdkafka's numbers: broker codes from -1 up, local ones below.
const (
	// ErrBadMsg: Local: Bad message format
	ErrBadMsg ErrorCode = -199
	// ErrBadCompression: Local: Bad compression
	ErrBadCompression ErrorCode = -198
	// ErrDestroy: Local: Broker handle destroyed for termination
	ErrDestroy ErrorCode = -197
	// ErrFail: Local: Communication failure with broker
	ErrFail ErrorCode = -196
	// ErrTransport: Local: Broker transport failure
	ErrTransport ErrorCode = -195
	// ErrCritSysResource: Local: Critical system resource failure
	ErrCritSysResource ErrorCode = -194
	// ErrResolve: Local: Host resolution failure
	ErrResolve ErrorCode = -193
	// ErrMsgTimedOut: Local: Message timed out
	ErrMsgTimedOut ErrorCode = -192
	// ErrPartitionEOF: Local: Partition eof
	ErrPartitionEOF ErrorCode = -191
	// ErrUnknownPartition: Local: Unknown partition
	ErrUnknownPartition ErrorCode = -190
	// ErrFs: Local: Fs
	ErrFs ErrorCode = -189
	// ErrUnknownTopic: Local: Unknown topic
	ErrUnknownTopic ErrorCode = -188
	// ErrAllBrokersDown: Local: All broker connections are down
	ErrAllBrokersDown ErrorCode = -187
	// ErrInvalidArg: Local: Invalid argument or configuration
	ErrInvalidArg ErrorCode = -186
	// ErrTimedOut: Local: Timed out
	ErrTimedOut ErrorCode = -185
	// ErrQueueFull: Local: Queue full
	ErrQueueFull ErrorCode = -184
	// ErrIsrInsuff: Local: Isr insuff
	ErrIsrInsuff ErrorCode = -183
	// ErrNodeUpdate: Local: Node update
	ErrNodeUpdate ErrorCode = -182
	// ErrSsl: Local: SSL error
	ErrSsl ErrorCode = -181
	// ErrWaitCoord: Local: Wait coord
	ErrWaitCoord ErrorCode = -180
	// ErrUnknownGroup: Local: Unknown group
	ErrUnknownGroup ErrorCode = -179
	// ErrInProgress: Local: Operation in progress
	ErrInProgress ErrorCode = -178
	// ErrPrevInProgress: Local: Prev in progress
	ErrPrevInProgress ErrorCode = -177
	// ErrExistingSubscription: Local: Existing subscription
	ErrExistingSubscription ErrorCode = -176
	// ErrAssignPartitions: Local: Assign partitions
	ErrAssignPartitions ErrorCode = -175
	// ErrRevokePartitions: Local: Revoke partitions
	ErrRevokePartitions ErrorCode = -174
	// ErrConflict: Local: Conflicting use
	ErrConflict ErrorCode = -173
	// ErrState: Local: Erroneous state
	ErrState ErrorCode = -172
	// ErrUnknownProtocol: Local: Unknown protocol
	ErrUnknownProtocol ErrorCode = -171
	// ErrNotImplemented: Local: Not implemented
	ErrNotImplemented ErrorCode = -170
	// ErrAuthentication: Local: Authentication failure
	ErrAuthentication ErrorCode = -169
	// ErrNoOffset: Local: No offset
	ErrNoOffset ErrorCode = -168
	// ErrOutdated: Local: Outdated
	ErrOutdated ErrorCode = -167
	// ErrTimedOutQueue: Local: Timed out queue
	ErrTimedOutQueue ErrorCode = -166
	// ErrUnsupportedFeature: Local: Unsupported feature
	ErrUnsupportedFeature ErrorCode = -165
	// ErrWaitCache: Local: Wait cache
	ErrWaitCache ErrorCode = -164
	// ErrIntr: Local: Intr
	ErrIntr ErrorCode = -163
	// ErrKeySerialization: Local: Key serialization
	ErrKeySerialization ErrorCode = -162
	// ErrValueSerialization: Local: Value serialization
	ErrValueSerialization ErrorCode = -161
	// ErrKeyDeserialization: Local: Key deserialization
	ErrKeyDeserialization ErrorCode = -160
	// ErrValueDeserialization: Local: Value deserialization
	ErrValueDeserialization ErrorCode = -159
	// ErrPartial: Local: Partial
	ErrPartial ErrorCode = -158
	// ErrReadOnly: Local: Read only
	ErrReadOnly ErrorCode = -157
	// ErrNoent: Local: Noent
	ErrNoent ErrorCode = -156
	// ErrUnderflow: Local: Underflow
	ErrUnderflow ErrorCode = -155
	// ErrInvalidType: Local: Invalid type
	ErrInvalidType ErrorCode = -154
	// ErrRetry: Local: Retry
	ErrRetry ErrorCode = -153
	// ErrPurgeQueue: Local: Purged in queue
	ErrPurgeQueue ErrorCode = -152
	// ErrPurgeInflight: Local: Purged in flight
	ErrPurgeInflight ErrorCode = -151
	// ErrFatal: Local: Fatal error
	ErrFatal ErrorCode = -150
	// ErrInconsistent: Local: Inconsistent
	ErrInconsistent ErrorCode = -149
	// ErrGaplessGuarantee: Local: Gapless guarantee
	ErrGaplessGuarantee ErrorCode = -148
	// ErrMaxPollExceeded: Local: Max poll exceeded
	ErrMaxPollExceeded ErrorCode = -147
	// ErrUnknownBroker: Local: Unknown broker
	ErrUnknownBroker ErrorCode = -146
	// ErrNotConfigured: Local: Functionality not configured
	ErrNotConfigured ErrorCode = -145
	// ErrFenced: Local: This instance has been fenced by a newer instance
	ErrFenced ErrorCode = -144
	// ErrApplication: Local: Application
	ErrApplication ErrorCode = -143
	// ErrAssignmentLost: Local: Assignment lost
	ErrAssignmentLost ErrorCode = -142
	// ErrNoop: Local: Noop
	ErrNoop ErrorCode = -141
	// ErrAutoOffsetReset: Local: Auto offset reset
	ErrAutoOffsetReset ErrorCode = -140
	// ErrLogTruncation: Local: Log truncation
	ErrLogTruncation ErrorCode = -139
	// ErrInvalidDifferentRecord: Local: Invalid different record
	ErrInvalidDifferentRecord ErrorCode = -138
	// ErrDestroyBroker: Local: Destroy broker
	ErrDestroyBroker ErrorCode = -137
	// ErrUnknown: Unknown broker error
	ErrUnknown ErrorCode = -1
	// ErrNoError: Success
	ErrNoError ErrorCode = 0
	// ErrOffsetOutOfRange: Broker: The log of the partition does not hold the requested offset
	ErrOffsetOutOfRange ErrorCode = 1
	// ErrInvalidMsg: Broker: The broker found a wrong checksum or a malformed batch
	ErrInvalidMsg ErrorCode = 2
	// ErrUnknownTopicOrPart: Broker: Unknown topic or partition
	ErrUnknownTopicOrPart ErrorCode = 3
	// ErrInvalidMsgSize: Broker: The requested fetch size is not valid
	ErrInvalidMsgSize ErrorCode = 4
	// ErrLeaderNotAvailable: Broker: Leader not available
	ErrLeaderNotAvailable ErrorCode = 5
	// ErrNotLeaderForPartition: Broker: Not leader for partition
	ErrNotLeaderForPartition ErrorCode = 6
	// ErrRequestTimedOut: Broker: Request timed out
	ErrRequestTimedOut ErrorCode = 7
	// ErrBrokerNotAvailable: Broker: Broker not available
	ErrBrokerNotAvailable ErrorCode = 8
	// ErrReplicaNotAvailable: Broker: The replica that the request needs is not available
	ErrReplicaNotAvailable ErrorCode = 9
	// ErrMsgSizeTooLarge: Broker: Message size too large
	ErrMsgSizeTooLarge ErrorCode = 10
	// ErrStaleCtrlEpoch: Broker: A newer controller has taken over
	ErrStaleCtrlEpoch ErrorCode = 11
	// ErrOffsetMetadataTooLarge: Broker: The metadata text of the committed offset is too long
	ErrOffsetMetadataTooLarge ErrorCode = 12
	// ErrNetworkException: Broker: The connection was lost before the response arrived
	ErrNetworkException ErrorCode = 13
	// ErrCoordinatorLoadInProgress: Broker: The coordinator is still loading its state
	ErrCoordinatorLoadInProgress ErrorCode = 14
	// ErrCoordinatorNotAvailable: Broker: There is no coordinator at the moment
	ErrCoordinatorNotAvailable ErrorCode = 15
	// ErrNotCoordinator: Broker: The broker asked is not the coordinator
	ErrNotCoordinator ErrorCode = 16
	// ErrTopicException: Broker: Invalid topic
	ErrTopicException ErrorCode = 17
	// ErrRecordListTooLarge: Broker: The batch is larger than a segment of the log on the broker
	ErrRecordListTooLarge ErrorCode = 18
	// ErrNotEnoughReplicas: Broker: Not enough in-sync replicas
	ErrNotEnoughReplicas ErrorCode = 19
	// ErrNotEnoughReplicasAfterAppend: Broker: The batch was written, but fewer replicas than min.insync.replicas have it
	ErrNotEnoughReplicasAfterAppend ErrorCode = 20
	// ErrInvalidRequiredAcks: Broker: The broker does not know this value of acks
	ErrInvalidRequiredAcks ErrorCode = 21
	// ErrIllegalGeneration: Broker: The consumer group has moved on to another generation
	ErrIllegalGeneration ErrorCode = 22
	// ErrInconsistentGroupProtocol: Broker: The member's protocol does not fit the other members of the group
	ErrInconsistentGroupProtocol ErrorCode = 23
	// ErrInvalidGroupID: Broker: The group id is not valid
	ErrInvalidGroupID ErrorCode = 24
	// ErrUnknownMemberID: Broker: The group coordinator does not know this member
	ErrUnknownMemberID ErrorCode = 25
	// ErrInvalidSessionTimeout: Broker: The session timeout is outside the range that the broker allows
	ErrInvalidSessionTimeout ErrorCode = 26
	// ErrRebalanceInProgress: Broker: The group is being rebalanced
	ErrRebalanceInProgress ErrorCode = 27
	// ErrInvalidCommitOffsetSize: Broker: The committed offset is too large to be stored
	ErrInvalidCommitOffsetSize ErrorCode = 28
	// ErrTopicAuthorizationFailed: Broker: Topic authorization failed
	ErrTopicAuthorizationFailed ErrorCode = 29
	// ErrGroupAuthorizationFailed: Broker: Group authorization failed
	ErrGroupAuthorizationFailed ErrorCode = 30
	// ErrClusterAuthorizationFailed: Broker: Cluster authorization failed
	ErrClusterAuthorizationFailed ErrorCode = 31
	// ErrInvalidTimestamp: Broker: Invalid timestamp
	ErrInvalidTimestamp ErrorCode = 32
	// ErrUnsupportedSaslMechanism: Broker: The broker does not offer this SASL mechanism
	ErrUnsupportedSaslMechanism ErrorCode = 33
	// ErrIllegalSaslState: Broker: The request does not fit the state of the SASL exchange
	ErrIllegalSaslState ErrorCode = 34
	// ErrUnsupportedVersion: Broker: Client and broker have no common version of this request
	ErrUnsupportedVersion ErrorCode = 35
	// ErrTopicAlreadyExists: Broker: A topic of this name exists already
	ErrTopicAlreadyExists ErrorCode = 36
	// ErrInvalidPartitions: Broker: The number of partitions is not valid
	ErrInvalidPartitions ErrorCode = 37
	// ErrInvalidReplicationFactor: Broker: The replication factor is below one or above the number of brokers
	ErrInvalidReplicationFactor ErrorCode = 38
	// ErrInvalidReplicaAssignment: Broker: The replica assignment is not valid
	ErrInvalidReplicaAssignment ErrorCode = 39
	// ErrInvalidConfig: Broker: A setting sent to the broker is not valid
	ErrInvalidConfig ErrorCode = 40
	// ErrNotController: Broker: The broker asked is not the controller
	ErrNotController ErrorCode = 41
	// ErrInvalidRequest: Broker: The broker cannot make sense of the request
	ErrInvalidRequest ErrorCode = 42
	// ErrUnsupportedForMessageFormat: Broker: The message format of the topic cannot store this
	ErrUnsupportedForMessageFormat ErrorCode = 43
	// ErrPolicyViolation: Broker: Policy violation
	ErrPolicyViolation ErrorCode = 44
	// ErrOutOfOrderSequenceNumber: Broker: The sequence number of the batch does not follow the last one in the log
	ErrOutOfOrderSequenceNumber ErrorCode = 45
	// ErrDuplicateSequenceNumber: Broker: The batch is in the log already
	ErrDuplicateSequenceNumber ErrorCode = 46
	// ErrInvalidProducerEpoch: Broker: The producer's epoch is older than the one in the log
	ErrInvalidProducerEpoch ErrorCode = 47
	// ErrInvalidTxnState: Broker: The transaction is not in a state that allows the request
	ErrInvalidTxnState ErrorCode = 48
	// ErrInvalidProducerIDMapping: Broker: The producer id does not belong to this transactional id
	ErrInvalidProducerIDMapping ErrorCode = 49
	// ErrInvalidTransactionTimeout: Broker: transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms
	ErrInvalidTransactionTimeout ErrorCode = 50
	// ErrConcurrentTransactions: Broker: The previous transaction of this transactional id is still being finished
	ErrConcurrentTransactions ErrorCode = 51
	// ErrTransactionCoordinatorFenced: Broker: The transaction coordinator that sent the markers has been replaced
	ErrTransactionCoordinatorFenced ErrorCode = 52
	// ErrTransactionalIDAuthorizationFailed: Broker: This client may not use the transactional id
	ErrTransactionalIDAuthorizationFailed ErrorCode = 53
	// ErrSecurityDisabled: Broker: Security features are switched off on the broker
	ErrSecurityDisabled ErrorCode = 54
	// ErrOperationNotAttempted: Broker: The broker left this part undone because another part of the request failed
	ErrOperationNotAttempted ErrorCode = 55
	// ErrKafkaStorageError: Broker: The broker could not reach the disk that holds the log
	ErrKafkaStorageError ErrorCode = 56
	// ErrLogDirNotFound: Broker: The broker has no such log directory
	ErrLogDirNotFound ErrorCode = 57
	// ErrSaslAuthenticationFailed: Broker: SASL Authentication failed
	ErrSaslAuthenticationFailed ErrorCode = 58
	// ErrUnknownProducerID: Broker: Unknown Producer Id
	ErrUnknownProducerID ErrorCode = 59
	// ErrReassignmentInProgress: Broker: The partition is being reassigned
	ErrReassignmentInProgress ErrorCode = 60
	// ErrDelegationTokenAuthDisabled: Broker: Delegation tokens are switched off
	ErrDelegationTokenAuthDisabled ErrorCode = 61
	// ErrDelegationTokenNotFound: Broker: The broker does not know the delegation token
	ErrDelegationTokenNotFound ErrorCode = 62
	// ErrDelegationTokenOwnerMismatch: Broker: The principal is neither owner nor renewer of the delegation token
	ErrDelegationTokenOwnerMismatch ErrorCode = 63
	// ErrDelegationTokenRequestNotAllowed: Broker: Delegation tokens cannot be requested over this kind of connection
	ErrDelegationTokenRequestNotAllowed ErrorCode = 64
	// ErrDelegationTokenAuthorizationFailed: Broker: This client may not use the delegation token
	ErrDelegationTokenAuthorizationFailed ErrorCode = 65
	// ErrDelegationTokenExpired: Broker: The delegation token has expired
	ErrDelegationTokenExpired ErrorCode = 66
	// ErrInvalidPrincipalType: Broker: This type of principal is not supported
	ErrInvalidPrincipalType ErrorCode = 67
	// ErrNonEmptyGroup: Broker: The group still has members
	ErrNonEmptyGroup ErrorCode = 68
	// ErrGroupIDNotFound: Broker: The group does not exist
	ErrGroupIDNotFound ErrorCode = 69
	// ErrFetchSessionIDNotFound: Broker: The broker does not know the fetch session
	ErrFetchSessionIDNotFound ErrorCode = 70
	// ErrInvalidFetchSessionEpoch: Broker: The epoch of the fetch session is not the expected one
	ErrInvalidFetchSessionEpoch ErrorCode = 71
	// ErrListenerNotFound: Broker: The leader has no listener of the kind this client is connected to
	ErrListenerNotFound ErrorCode = 72
	// ErrTopicDeletionDisabled: Broker: Deleting topics is switched off
	ErrTopicDeletionDisabled ErrorCode = 73
	// ErrFencedLeaderEpoch: Broker: The leader epoch in the request is older than the broker's
	ErrFencedLeaderEpoch ErrorCode = 74
	// ErrUnknownLeaderEpoch: Broker: The leader epoch in the request is newer than the broker's
	ErrUnknownLeaderEpoch ErrorCode = 75
	// ErrUnsupportedCompressionType: Broker: The codec cannot be used with this version of the request
	ErrUnsupportedCompressionType ErrorCode = 76
	// ErrStaleBrokerEpoch: Broker: The broker epoch has changed
	ErrStaleBrokerEpoch ErrorCode = 77
	// ErrOffsetNotAvailable: Broker: A new leader has not caught up far enough to answer for offsets
	ErrOffsetNotAvailable ErrorCode = 78
	// ErrMemberIDRequired: Broker: The group member needs a member id before it can join
	ErrMemberIDRequired ErrorCode = 79
	// ErrPreferredLeaderNotAvailable: Broker: The preferred leader of the partition is not available
	ErrPreferredLeaderNotAvailable ErrorCode = 80
	// ErrGroupMaxSizeReached: Broker: The group has as many members as it may have
	ErrGroupMaxSizeReached ErrorCode = 81
	// ErrFencedInstanceID: Broker: Another member with the same group.instance.id has taken over
	ErrFencedInstanceID ErrorCode = 82
	// ErrEligibleLeadersNotAvailable: Broker: No replica that may lead the partition is available
	ErrEligibleLeadersNotAvailable ErrorCode = 83
	// ErrElectionNotNeeded: Broker: The partition needs no leader election
	ErrElectionNotNeeded ErrorCode = 84
	// ErrNoReassignmentInProgress: Broker: The partition is not being reassigned
	ErrNoReassignmentInProgress ErrorCode = 85
	// ErrGroupSubscribedToTopic: Broker: The group is subscribed to the topic, so its offsets cannot be deleted
	ErrGroupSubscribedToTopic ErrorCode = 86
	// ErrInvalidRecord: Broker: Broker failed to validate record
	ErrInvalidRecord ErrorCode = 87
	// ErrUnstableOffsetCommit: Broker: An open transaction holds offsets that were asked for
	ErrUnstableOffsetCommit ErrorCode = 88
	// ErrThrottlingQuotaExceeded: Broker: A quota is used up; try again later
	ErrThrottlingQuotaExceeded ErrorCode = 89
	// ErrProducerFenced: Broker: A newer producer with the same transactional id has taken over
	ErrProducerFenced ErrorCode = 90
	// ErrResourceNotFound: Broker: The request names a resource that does not exist
	ErrResourceNotFound ErrorCode = 91
	// ErrDuplicateResource: Broker: The request names a resource twice
	ErrDuplicateResource ErrorCode = 92
	// ErrUnacceptableCredential: Broker: The credential does not meet the broker's requirements
	ErrUnacceptableCredential ErrorCode = 93
	// ErrInconsistentVoterSet: Broker: Not both, or neither, side of the request is a controller voter
	ErrInconsistentVoterSet ErrorCode = 94
	// ErrInvalidUpdateVersion: Broker: The version in the update is not valid
	ErrInvalidUpdateVersion ErrorCode = 95
	// ErrFeatureUpdateFailed: Broker: The features could not be updated
	ErrFeatureUpdateFailed ErrorCode = 96
	// ErrPrincipalDeserializationFailure: Broker: The forwarded principal could not be read
	ErrPrincipalDeserializationFailure ErrorCode = 97
	// ErrSnapshotNotFound: Broker: The requested snapshot does not exist
	ErrSnapshotNotFound ErrorCode = 98
	// ErrPositionOutOfRange: Broker: The requested position lies outside the snapshot
	ErrPositionOutOfRange ErrorCode = 99
	// ErrUnknownTopicID: Broker: The broker does not know the topic id
	ErrUnknownTopicID ErrorCode = 100
	// ErrDuplicateBrokerRegistration: Broker: A broker with this id is registered already
	ErrDuplicateBrokerRegistration ErrorCode = 101
	// ErrBrokerIDNotRegistered: Broker: No broker with this id is registered
	ErrBrokerIDNotRegistered ErrorCode = 102
	// ErrInconsistentTopicID: Broker: The topic id in the log is not the one in the request
	ErrInconsistentTopicID ErrorCode = 103
	// ErrInconsistentClusterID: Broker: The cluster id in the request is not the broker's
	ErrInconsistentClusterID ErrorCode = 104
	// ErrTransactionalIDNotFound: Broker: The coordinator does not know the transactional id
	ErrTransactionalIDNotFound ErrorCode = 105
	// ErrFetchSessionTopicIDError: Broker: The fetch session mixed requests with and without topic ids
	ErrFetchSessionTopicIDError ErrorCode = 106
	// ErrIneligibleReplica: Broker: The replica may not join the in-sync set
	ErrIneligibleReplica ErrorCode = 107
	// ErrNewLeaderElected: Broker: The change to the partition made another replica the leader
	ErrNewLeaderElected ErrorCode = 108
	// ErrOffsetMovedToTieredStorage: Broker: The offset now lies in tiered storage
	ErrOffsetMovedToTieredStorage ErrorCode = 109
	// ErrFencedMemberEpoch: Broker: The group has fenced the member's epoch
	ErrFencedMemberEpoch ErrorCode = 110
	// ErrUnreleasedInstanceID: Broker: Another member still holds the instance id
	ErrUnreleasedInstanceID ErrorCode = 111
	// ErrUnsupportedAssignor: Broker: The group does not support the assignor
	ErrUnsupportedAssignor ErrorCode = 112
	// ErrStaleMemberEpoch: Broker: The member's epoch is out of date
	ErrStaleMemberEpoch ErrorCode = 113
	// ErrMismatchedEndpointType: Broker: The request came to an endpoint of the wrong type
	ErrMismatchedEndpointType ErrorCode = 114
	// ErrUnsupportedEndpointType: Broker: The broker does not know this type of endpoint
	ErrUnsupportedEndpointType ErrorCode = 115
	// ErrUnknownControllerID: Broker: No controller has this id
	ErrUnknownControllerID ErrorCode = 116
	// ErrUnknownSubscriptionID: Broker: The client pushed telemetry under a subscription the broker no longer holds
	ErrUnknownSubscriptionID ErrorCode = 117
	// ErrTelemetryTooLarge: Broker: The client pushed more telemetry than the broker takes
	ErrTelemetryTooLarge ErrorCode = 118
	// ErrInvalidRegistration: Broker: The controller did not accept the registration
	ErrInvalidRegistration ErrorCode = 119
	// ErrTransactionAbortable: Broker: The transaction met an error; abort it to go on
	ErrTransactionAbortable ErrorCode = 120
	// ErrInvalidRecordState: Broker: The state of the shared record does not allow the acknowledgement
	ErrInvalidRecordState ErrorCode = 121
	// ErrShareSessionNotFound: Broker: The broker does not know the share session
	ErrShareSessionNotFound ErrorCode = 122
	// ErrInvalidShareSessionEpoch: Broker: The epoch of the share session is not the expected one
	ErrInvalidShareSessionEpoch ErrorCode = 123
	// ErrFencedStateEpoch: Broker: The share coordinator has a newer epoch than the request
	ErrFencedStateEpoch ErrorCode = 124
	// ErrInvalidVoterKey: Broker: The key of the voter does not match the receiver's
	ErrInvalidVoterKey ErrorCode = 125
	// ErrDuplicateVoter: Broker: The voter is in the set of voters already
	ErrDuplicateVoter ErrorCode = 126
	// ErrVoterNotFound: Broker: The voter is not in the set of voters
	ErrVoterNotFound ErrorCode = 127
	// ErrInvalidRegularExpression: Broker: The regular expression is not valid
	ErrInvalidRegularExpression ErrorCode = 128
	// ErrRebootstrapRequired: Broker: The client must start again from its bootstrap servers
	ErrRebootstrapRequired ErrorCode = 129
	// ErrStreamsInvalidTopology: Broker: The Streams topology that was sent is not valid
	ErrStreamsInvalidTopology ErrorCode = 130
	// ErrStreamsInvalidTopologyEpoch: Broker: The epoch of the Streams topology is not valid
	ErrStreamsInvalidTopologyEpoch ErrorCode = 131
	// ErrStreamsTopologyFenced: Broker: The epoch of the Streams topology is out of date
	ErrStreamsTopologyFenced ErrorCode = 132
	// ErrShareSessionLimitReached: Broker: The broker holds as many share sessions as it may
	ErrShareSessionLimitReached ErrorCode = 133
)

var errorTexts = map[ErrorCode]string{
	ErrBadMsg:                             "Local: Bad message format",
	ErrBadCompression:                     "Local: Bad compression",
	ErrDestroy:                            "Local: Broker handle destroyed for termination",
	ErrFail:                               "Local: Communication failure with broker",
	ErrTransport:                          "Local: Broker transport failure",
	ErrCritSysResource:                    "Local: Critical system resource failure",
	ErrResolve:                            "Local: Host resolution failure",
	ErrMsgTimedOut:                        "Local: Message timed out",
	ErrPartitionEOF:                       "Local: Partition eof",
	ErrUnknownPartition:                   "Local: Unknown partition",
	ErrFs:                                 "Local: Fs",
	ErrUnknownTopic:                       "Local: Unknown topic",
	ErrAllBrokersDown:                     "Local: All broker connections are down",
	ErrInvalidArg:                         "Local: Invalid argument or configuration",
	ErrTimedOut:                           "Local: Timed out",
	ErrQueueFull:                          "Local: Queue full",
	ErrIsrInsuff:                          "Local: Isr insuff",
	ErrNodeUpdate:                         "Local: Node update",
	ErrSsl:                                "Local: SSL error",
	ErrWaitCoord:                          "Local: Wait coord",
	ErrUnknownGroup:                       "Local: Unknown group",
	ErrInProgress:                         "Local: Operation in progress",
	ErrPrevInProgress:                     "Local: Prev in progress",
	ErrExistingSubscription:               "Local: Existing subscription",
	ErrAssignPartitions:                   "Local: Assign partitions",
	ErrRevokePartitions:                   "Local: Revoke partitions",
	ErrConflict:                           "Local: Conflicting use",
	ErrState:                              "Local: Erroneous state",
	ErrUnknownProtocol:                    "Local: Unknown protocol",
	ErrNotImplemented:                     "Local: Not implemented",
	ErrAuthentication:                     "Local: Authentication failure",
	ErrNoOffset:                           "Local: No offset",
	ErrOutdated:                           "Local: Outdated",
	ErrTimedOutQueue:                      "Local: Timed out queue",
	ErrUnsupportedFeature:                 "Local: Unsupported feature",
	ErrWaitCache:                          "Local: Wait cache",
	ErrIntr:                               "Local: Intr",
	ErrKeySerialization:                   "Local: Key serialization",
	ErrValueSerialization:                 "Local: Value serialization",
	ErrKeyDeserialization:                 "Local: Key deserialization",
	ErrValueDeserialization:               "Local: Value deserialization",
	ErrPartial:                            "Local: Partial",
	ErrReadOnly:                           "Local: Read only",
	ErrNoent:                              "Local: Noent",
	ErrUnderflow:                          "Local: Underflow",
	ErrInvalidType:                        "Local: Invalid type",
	ErrRetry:                              "Local: Retry",
	ErrPurgeQueue:                         "Local: Purged in queue",
	ErrPurgeInflight:                      "Local: Purged in flight",
	ErrFatal:                              "Local: Fatal error",
	ErrInconsistent:                       "Local: Inconsistent",
	ErrGaplessGuarantee:                   "Local: Gapless guarantee",
	ErrMaxPollExceeded:                    "Local: Max poll exceeded",
	ErrUnknownBroker:                      "Local: Unknown broker",
	ErrNotConfigured:                      "Local: Functionality not configured",
	ErrFenced:                             "Local: This instance has been fenced by a newer instance",
	ErrApplication:                        "Local: Application",
	ErrAssignmentLost:                     "Local: Assignment lost",
	ErrNoop:                               "Local: Noop",
	ErrAutoOffsetReset:                    "Local: Auto offset reset",
	ErrLogTruncation:                      "Local: Log truncation",
	ErrInvalidDifferentRecord:             "Local: Invalid different record",
	ErrDestroyBroker:                      "Local: Destroy broker",
	ErrUnknown:                            "Unknown broker error",
	ErrNoError:                            "Success",
	ErrOffsetOutOfRange:                   "Broker: The log of the partition does not hold the requested offset",
	ErrInvalidMsg:                         "Broker: The broker found a wrong checksum or a malformed batch",
	ErrUnknownTopicOrPart:                 "Broker: Unknown topic or partition",
	ErrInvalidMsgSize:                     "Broker: The requested fetch size is not valid",
	ErrLeaderNotAvailable:                 "Broker: Leader not available",
	ErrNotLeaderForPartition:              "Broker: Not leader for partition",
	ErrRequestTimedOut:                    "Broker: Request timed out",
	ErrBrokerNotAvailable:                 "Broker: Broker not available",
	ErrReplicaNotAvailable:                "Broker: The replica that the request needs is not available",
	ErrMsgSizeTooLarge:                    "Broker: Message size too large",
	ErrStaleCtrlEpoch:                     "Broker: A newer controller has taken over",
	ErrOffsetMetadataTooLarge:             "Broker: The metadata text of the committed offset is too long",
	ErrNetworkException:                   "Broker: The connection was lost before the response arrived",
	ErrCoordinatorLoadInProgress:          "Broker: The coordinator is still loading its state",
	ErrCoordinatorNotAvailable:            "Broker: There is no coordinator at the moment",
	ErrNotCoordinator:                     "Broker: The broker asked is not the coordinator",
	ErrTopicException:                     "Broker: Invalid topic",
	ErrRecordListTooLarge:                 "Broker: The batch is larger than a segment of the log on the broker",
	ErrNotEnoughReplicas:                  "Broker: Not enough in-sync replicas",
	ErrNotEnoughReplicasAfterAppend:       "Broker: The batch was written, but fewer replicas than min.insync.replicas have it",
	ErrInvalidRequiredAcks:                "Broker: The broker does not know this value of acks",
	ErrIllegalGeneration:                  "Broker: The consumer group has moved on to another generation",
	ErrInconsistentGroupProtocol:          "Broker: The member's protocol does not fit the other members of the group",
	ErrInvalidGroupID:                     "Broker: The group id is not valid",
	ErrUnknownMemberID:                    "Broker: The group coordinator does not know this member",
	ErrInvalidSessionTimeout:              "Broker: The session timeout is outside the range that the broker allows",
	ErrRebalanceInProgress:                "Broker: The group is being rebalanced",
	ErrInvalidCommitOffsetSize:            "Broker: The committed offset is too large to be stored",
	ErrTopicAuthorizationFailed:           "Broker: Topic authorization failed",
	ErrGroupAuthorizationFailed:           "Broker: Group authorization failed",
	ErrClusterAuthorizationFailed:         "Broker: Cluster authorization failed",
	ErrInvalidTimestamp:                   "Broker: Invalid timestamp",
	ErrUnsupportedSaslMechanism:           "Broker: The broker does not offer this SASL mechanism",
	ErrIllegalSaslState:                   "Broker: The request does not fit the state of the SASL exchange",
	ErrUnsupportedVersion:                 "Broker: Client and broker have no common version of this request",
	ErrTopicAlreadyExists:                 "Broker: A topic of this name exists already",
	ErrInvalidPartitions:                  "Broker: The number of partitions is not valid",
	ErrInvalidReplicationFactor:           "Broker: The replication factor is below one or above the number of brokers",
	ErrInvalidReplicaAssignment:           "Broker: The replica assignment is not valid",
	ErrInvalidConfig:                      "Broker: A setting sent to the broker is not valid",
	ErrNotController:                      "Broker: The broker asked is not the controller",
	ErrInvalidRequest:                     "Broker: The broker cannot make sense of the request",
	ErrUnsupportedForMessageFormat:        "Broker: The message format of the topic cannot store this",
	ErrPolicyViolation:                    "Broker: Policy violation",
	ErrOutOfOrderSequenceNumber:           "Broker: The sequence number of the batch does not follow the last one in the log",
	ErrDuplicateSequenceNumber:            "Broker: The batch is in the log already",
	ErrInvalidProducerEpoch:               "Broker: The producer's epoch is older than the one in the log",
	ErrInvalidTxnState:                    "Broker: The transaction is not in a state that allows the request",
	ErrInvalidProducerIDMapping:           "Broker: The producer id does not belong to this transactional id",
	ErrInvalidTransactionTimeout:          "Broker: transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms",
	ErrConcurrentTransactions:             "Broker: The previous transaction of this transactional id is still being finished",
	ErrTransactionCoordinatorFenced:       "Broker: The transaction coordinator that sent the markers has been replaced",
	ErrTransactionalIDAuthorizationFailed: "Broker: This client may not use the transactional id",
	ErrSecurityDisabled:                   "Broker: Security features are switched off on the broker",
	ErrOperationNotAttempted:              "Broker: The broker left this part undone because another part of the request failed",
	ErrKafkaStorageError:                  "Broker: The broker could not reach the disk that holds the log",
	ErrLogDirNotFound:                     "Broker: The broker has no such log directory",
	ErrSaslAuthenticationFailed:           "Broker: SASL Authentication failed",
	ErrUnknownProducerID:                  "Broker: Unknown Producer Id",
	ErrReassignmentInProgress:             "Broker: The partition is being reassigned",
	ErrDelegationTokenAuthDisabled:        "Broker: Delegation tokens are switched off",
	ErrDelegationTokenNotFound:            "Broker: The broker does not know the delegation token",
	ErrDelegationTokenOwnerMismatch:       "Broker: The principal is neither owner nor renewer of the delegation token",
	ErrDelegationTokenRequestNotAllowed:   "Broker: Delegation tokens cannot be requested over this kind of connection",
	ErrDelegationTokenAuthorizationFailed: "Broker: This client may not use the delegation token",
	ErrDelegationTokenExpired:             "Broker: The delegation token has expired",
	ErrInvalidPrincipalType:               "Broker: This type of principal is not supported",
	ErrNonEmptyGroup:                      "Broker: The group still has members",
	ErrGroupIDNotFound:                    "Broker: The group does not exist",
	ErrFetchSessionIDNotFound:             "Broker: The broker does not know the fetch session",
	ErrInvalidFetchSessionEpoch:           "Broker: The epoch of the fetch session is not the expected one",
	ErrListenerNotFound:                   "Broker: The leader has no listener of the kind this client is connected to",
	ErrTopicDeletionDisabled:              "Broker: Deleting topics is switched off",
	ErrFencedLeaderEpoch:                  "Broker: The leader epoch in the request is older than the broker's",
	ErrUnknownLeaderEpoch:                 "Broker: The leader epoch in the request is newer than the broker's",
	ErrUnsupportedCompressionType:         "Broker: The codec cannot be used with this version of the request",
	ErrStaleBrokerEpoch:                   "Broker: The broker epoch has changed",
	ErrOffsetNotAvailable:                 "Broker: A new leader has not caught up far enough to answer for offsets",
	ErrMemberIDRequired:                   "Broker: The group member needs a member id before it can join",
	ErrPreferredLeaderNotAvailable:        "Broker: The preferred leader of the partition is not available",
	ErrGroupMaxSizeReached:                "Broker: The group has as many members as it may have",
	ErrFencedInstanceID:                   "Broker: Another member with the same group.instance.id has taken over",
	ErrEligibleLeadersNotAvailable:        "Broker: No replica that may lead the partition is available",
	ErrElectionNotNeeded:                  "Broker: The partition needs no leader election",
	ErrNoReassignmentInProgress:           "Broker: The partition is not being reassigned",
	ErrGroupSubscribedToTopic:             "Broker: The group is subscribed to the topic, so its offsets cannot be deleted",
	ErrInvalidRecord:                      "Broker: Broker failed to validate record",
	ErrUnstableOffsetCommit:               "Broker: An open transaction holds offsets that were asked for",
	ErrThrottlingQuotaExceeded:            "Broker: A quota is used up; try again later",
	ErrProducerFenced:                     "Broker: A newer producer with the same transactional id has taken over",
	ErrResourceNotFound:                   "Broker: The request names a resource that does not exist",
	ErrDuplicateResource:                  "Broker: The request names a resource twice",
	ErrUnacceptableCredential:             "Broker: The credential does not meet the broker's requirements",
	ErrInconsistentVoterSet:               "Broker: Not both, or neither, side of the request is a controller voter",
	ErrInvalidUpdateVersion:               "Broker: The version in the update is not valid",
	ErrFeatureUpdateFailed:                "Broker: The features could not be updated",
	ErrPrincipalDeserializationFailure:    "Broker: The forwarded principal could not be read",
	ErrSnapshotNotFound:                   "Broker: The requested snapshot does not exist",
	ErrPositionOutOfRange:                 "Broker: The requested position lies outside the snapshot",
	ErrUnknownTopicID:                     "Broker: The broker does not know the topic id",
	ErrDuplicateBrokerRegistration:        "Broker: A broker with this id is registered already",
	ErrBrokerIDNotRegistered:              "Broker: No broker with this id is registered",
	ErrInconsistentTopicID:                "Broker: The topic id in the log is not the one in the request",
	ErrInconsistentClusterID:              "Broker: The cluster id in the request is not the broker's",
	ErrTransactionalIDNotFound:            "Broker: The coordinator does not know the transactional id",
	ErrFetchSessionTopicIDError:           "Broker: The fetch session mixed requests with and without topic ids",
	ErrIneligibleReplica:                  "Broker: The replica may not join the in-sync set",
	ErrNewLeaderElected:                   "Broker: The change to the partition made another replica the leader",
	ErrOffsetMovedToTieredStorage:         "Broker: The offset now lies in tiered storage",
	ErrFencedMemberEpoch:                  "Broker: The group has fenced the member's epoch",
	ErrUnreleasedInstanceID:               "Broker: Another member still holds the instance id",
	ErrUnsupportedAssignor:                "Broker: The group does not support the assignor",
	ErrStaleMemberEpoch:                   "Broker: The member's epoch is out of date",
	ErrMismatchedEndpointType:             "Broker: The request came to an endpoint of the wrong type",
	ErrUnsupportedEndpointType:            "Broker: The broker does not know this type of endpoint",
	ErrUnknownControllerID:                "Broker: No controller has this id",
	ErrUnknownSubscriptionID:              "Broker: The client pushed telemetry under a subscription the broker no longer holds",
	ErrTelemetryTooLarge:                  "Broker: The client pushed more telemetry than the broker takes",
	ErrInvalidRegistration:                "Broker: The controller did not accept the registration",
	ErrTransactionAbortable:               "Broker: The transaction met an error; abort it to go on",
	ErrInvalidRecordState:                 "Broker: The state of the shared record does not allow the acknowledgement",
	ErrShareSessionNotFound:               "Broker: The broker does not know the share session",
	ErrInvalidShareSessionEpoch:           "Broker: The epoch of the share session is not the expected one",
	ErrFencedStateEpoch:                   "Broker: The share coordinator has a newer epoch than the request",
	ErrInvalidVoterKey:                    "Broker: The key of the voter does not match the receiver's",
	ErrDuplicateVoter:                     "Broker: The voter is in the set of voters already",
	ErrVoterNotFound:                      "Broker: The voter is not in the set of voters",
	ErrInvalidRegularExpression:           "Broker: The regular expression is not valid",
	ErrRebootstrapRequired:                "Broker: The client must start again from its bootstrap servers",
	ErrStreamsInvalidTopology:             "Broker: The Streams topology that was sent is not valid",
	ErrStreamsInvalidTopologyEpoch:        "Broker: The epoch of the Streams topology is not valid",
	ErrStreamsTopologyFenced:              "Broker: The epoch of the Streams topology is out of date",
	ErrShareSessionLimitReached:           "Broker: The broker holds as many share sessions as it may",
}

// ofStatus gives librdkafka's number for ottla's own ones.
var ofStatus = map[int32]ErrorCode{
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
