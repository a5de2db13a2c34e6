/*
 * ottla: a Kafka producer.                                  SPDX-License-Identifier: Apache-2.0
 *
 * Generated from src/capi by build.rs: do not edit. `OTTLA_UPDATE_HEADER=1 cargo test --test header`
 * writes it anew.
 *
 *     #include <inttypes.h>
 *     #include <stdio.h>
 *     #include <ottla.h>
 *
 *     int main(void)
 *     {
 *         ottla_config_t *config = NULL;
 *         ottla_producer_t *producer = NULL;
 *         ottla_error_t *error = NULL;
 *         ottla_delivery_t delivery;
 *         uint32_t topic;
 *         size_t count;
 *
 *         ottla_config_new(&config);
 *         ottla_config_set_str(config, "bootstrap.servers", "localhost:9092", &error);
 *         if (error || ottla_producer_new(config, NULL, &producer, &error) != 0
 *             || ottla_producer_topic_str(producer, "greetings", &topic, &error) != 0) {
 *             fprintf(stderr, "%s\n", ottla_error_message(error));
 *             return 1;
 *         }
 *         ottla_producer_send(producer, topic, OTTLA_PARTITION_ANY, "key", 3, "hello", 5,
 *                             OTTLA_TIMESTAMP_NOW, 1);
 *         if (ottla_producer_poll(producer, &delivery, 1, 30000, &count) == 0 && count == 1)
 *             printf("record %" PRIu64 ": %s, offset %" PRId64 "\n", delivery.token,
 *                    ottla_error_name(delivery.status), delivery.offset);
 *         ottla_producer_free(producer);
 *         ottla_config_free(config);
 *         return 0;
 *     }
 *
 * What holds everywhere
 *
 *   Results    A function that can fail returns an int32_t status: 0 is fine, above 0 (and -1) is the
 *              broker's error code, below -1 one of ottla's own; all are OTTLA_ERROR_... below. On
 *              failure nothing is written but the error and counts. ottla_last_error_message() has the
 *              text, on the same thread, until another call fails there.
 *   Errors     Set-up functions also give an error object through `error_out`, which may be NULL. It is
 *              written only when the call fails, and what was in it is not freed: begin with NULL, and
 *              free each with ottla_error_free(). What a comment names are the errors that are the
 *              function's own. Besides, any may answer OTTLA_ERROR_HANDLE (see Handles), _ARGUMENT (a
 *              NULL, a length or a text that cannot be), _PANIC (a bug of the library was caught); with
 *              a producer _CLOSED after ottla_producer_close(), _IN_CALLBACK (see Callbacks), _FORKED (see
 *              Fork), and once an error has ended it (ottla_error_is_fatal()) that error, each time.
 *   Handles    Pointers to opaque types are handles: compare them with NULL, nothing else. The
 *              library checks every handle: NULL, a freed one or one of another kind gives
 *              OTTLA_ERROR_HANDLE. Whoever made an object frees it, once.
 *   Threads    Every function may be called from any thread, and several at once, unless it says
 *              otherwise.
 *   Text       goes in as pointer and length, UTF-8, and needs no NUL at its end; functions that end
 *              in _str take NUL-terminated text. A const char * that comes out is NUL-terminated,
 *              unless a length comes with it.
 *   Arguments  Length 0 allows any pointer. Sizes and lengths are bytes, counts are elements. Times are
 *              milliseconds, points in time since 1970 (UTC); a timeout of 0 does not wait, below 0 it has
 *              no limit.
 *   Memory     What goes in is copied before the call returns, and stays the caller's. What comes out
 *              belongs to the handle that it came from and is good until that is freed, or it is lent for
 *              the length of a callback; nothing is ever given to free().
 *   Structs    Those that begin with `size` grow at their end; set it with the ..._INIT macros.
 *              Reserved fields must be 0.
 *   Callbacks  must not throw or longjmp. Calls of one on_log, or of one on_event, never overlap. Inside a
 *              callback, calls with other producers are as free as anywhere: no lock is held that they
 *              need. With its own producer it may call
 *                every callback  ottla_producer_topic_name, _message, _event_fd, _waiting,
 *                                _outstanding, _metadata, _metrics, _mock_cluster
 *                on_delivery     also _topic, _send, _send_record, _send_batch, _send_columns (which
 *                                then never wait), _poll, _poll_runs, _next_event, _purge,
 *                                _begin_transaction
 *              Everything else answers OTTLA_ERROR_IN_CALLBACK.
 *   Fork       A forked child may not use the parent's producers and clusters: every call answers
 *              OTTLA_ERROR_FORKED and none hangs. Settings may be used to make new ones.
 */
#ifndef OTTLA_H
#define OTTLA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------ */

#define OTTLA_VERSION_MAJOR 0
#define OTTLA_VERSION_MINOR 1
#define OTTLA_VERSION_PATCH 0
#define OTTLA_VERSION "0.1.0"
/** major << 24 | minor << 16 | patch << 8; compare with ottla_version_number(). */
#define OTTLA_VERSION_NUMBER \
    ((uint32_t)OTTLA_VERSION_MAJOR << 24 | (uint32_t)OTTLA_VERSION_MINOR << 16 | (uint32_t)OTTLA_VERSION_PATCH << 8)
/**
 * The version of the library that is loaded, as text; compare with OTTLA_VERSION of the header.
 * Static; any thread.
 */
const char *ottla_version(void);

/** The version of the library that is loaded: major << 24 | minor << 16 | patch << 8. */
uint32_t ottla_version_number(void);

/* ---- Errors ------------------------------------------------------------------------------- */

/* Numbers are never used again for another meaning. First the codes of the brokers, then ottla's. */
/** The broker failed in a way that it has no error code for. */
#define OTTLA_ERROR_UNKNOWN_SERVER_ERROR (-1)
/** No error. */
#define OTTLA_ERROR_NONE 0
/** The log of the partition does not hold the requested offset. */
#define OTTLA_ERROR_OFFSET_OUT_OF_RANGE 1
/** The broker found a wrong checksum or a malformed batch. */
#define OTTLA_ERROR_CORRUPT_MESSAGE 2
/** The broker asked does not have this topic or partition. */
#define OTTLA_ERROR_UNKNOWN_TOPIC_OR_PARTITION 3
/** The requested fetch size is not valid. */
#define OTTLA_ERROR_INVALID_FETCH_SIZE 4
/** The partition has no leader at the moment. */
#define OTTLA_ERROR_LEADER_NOT_AVAILABLE 5
/** The broker asked is not the leader, or not a replica, of the partition. */
#define OTTLA_ERROR_NOT_LEADER_OR_FOLLOWER 6
/** The request did not finish in its time. */
#define OTTLA_ERROR_REQUEST_TIMED_OUT 7
/** The broker is not available. */
#define OTTLA_ERROR_BROKER_NOT_AVAILABLE 8
/** The replica that the request needs is not available. */
#define OTTLA_ERROR_REPLICA_NOT_AVAILABLE 9
/** The batch is larger than the broker or the topic accepts. */
#define OTTLA_ERROR_MESSAGE_TOO_LARGE 10
/** A newer controller has taken over. */
#define OTTLA_ERROR_STALE_CONTROLLER_EPOCH 11
/** The metadata text of the committed offset is too long. */
#define OTTLA_ERROR_OFFSET_METADATA_TOO_LARGE 12
/** The connection was lost before the response arrived. */
#define OTTLA_ERROR_NETWORK_EXCEPTION 13
/** The coordinator is still loading its state. */
#define OTTLA_ERROR_COORDINATOR_LOAD_IN_PROGRESS 14
/** There is no coordinator at the moment. */
#define OTTLA_ERROR_COORDINATOR_NOT_AVAILABLE 15
/** The broker asked is not the coordinator. */
#define OTTLA_ERROR_NOT_COORDINATOR 16
/** The topic name is not allowed, or the topic cannot be written by clients. */
#define OTTLA_ERROR_INVALID_TOPIC_EXCEPTION 17
/** The batch is larger than a segment of the log on the broker. */
#define OTTLA_ERROR_RECORD_LIST_TOO_LARGE 18
/** Fewer replicas are in sync than min.insync.replicas; nothing was written. */
#define OTTLA_ERROR_NOT_ENOUGH_REPLICAS 19
/** The batch was written, but fewer replicas than min.insync.replicas have it. */
#define OTTLA_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND 20
/** The broker does not know this value of acks. */
#define OTTLA_ERROR_INVALID_REQUIRED_ACKS 21
/** The consumer group has moved on to another generation. */
#define OTTLA_ERROR_ILLEGAL_GENERATION 22
/** The member's protocol does not fit the other members of the group. */
#define OTTLA_ERROR_INCONSISTENT_GROUP_PROTOCOL 23
/** The group id is not valid. */
#define OTTLA_ERROR_INVALID_GROUP_ID 24
/** The group coordinator does not know this member. */
#define OTTLA_ERROR_UNKNOWN_MEMBER_ID 25
/** The session timeout is outside the range that the broker allows. */
#define OTTLA_ERROR_INVALID_SESSION_TIMEOUT 26
/** The group is being rebalanced. */
#define OTTLA_ERROR_REBALANCE_IN_PROGRESS 27
/** The committed offset is too large to be stored. */
#define OTTLA_ERROR_INVALID_COMMIT_OFFSET_SIZE 28
/** This client may not use the topic in this way. */
#define OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED 29
/** This client may not use the consumer group. */
#define OTTLA_ERROR_GROUP_AUTHORIZATION_FAILED 30
/** This client may not do this on the cluster; idempotence may need a permission. */
#define OTTLA_ERROR_CLUSTER_AUTHORIZATION_FAILED 31
/** The timestamp of a record is outside the range that the topic accepts. */
#define OTTLA_ERROR_INVALID_TIMESTAMP 32
/** The broker does not offer this SASL mechanism. */
#define OTTLA_ERROR_UNSUPPORTED_SASL_MECHANISM 33
/** The request does not fit the state of the SASL exchange. */
#define OTTLA_ERROR_ILLEGAL_SASL_STATE 34
/** Client and broker have no common version of this request. */
#define OTTLA_ERROR_UNSUPPORTED_VERSION 35
/** A topic of this name exists already. */
#define OTTLA_ERROR_TOPIC_ALREADY_EXISTS 36
/** The number of partitions is not valid. */
#define OTTLA_ERROR_INVALID_PARTITIONS 37
/** The replication factor is below one or above the number of brokers. */
#define OTTLA_ERROR_INVALID_REPLICATION_FACTOR 38
/** The replica assignment is not valid. */
#define OTTLA_ERROR_INVALID_REPLICA_ASSIGNMENT 39
/** A setting sent to the broker is not valid. */
#define OTTLA_ERROR_INVALID_CONFIG 40
/** The broker asked is not the controller. */
#define OTTLA_ERROR_NOT_CONTROLLER 41
/** The broker cannot make sense of the request. */
#define OTTLA_ERROR_INVALID_REQUEST 42
/** The message format of the topic cannot store this. */
#define OTTLA_ERROR_UNSUPPORTED_FOR_MESSAGE_FORMAT 43
/** A policy of the cluster forbids the request. */
#define OTTLA_ERROR_POLICY_VIOLATION 44
/** The sequence number of the batch does not follow the last one in the log. */
#define OTTLA_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER 45
/** The batch is in the log already. */
#define OTTLA_ERROR_DUPLICATE_SEQUENCE_NUMBER 46
/** The producer's epoch is older than the one in the log. */
#define OTTLA_ERROR_INVALID_PRODUCER_EPOCH 47
/** The transaction is not in a state that allows the request. */
#define OTTLA_ERROR_INVALID_TXN_STATE 48
/** The producer id does not belong to this transactional id. */
#define OTTLA_ERROR_INVALID_PRODUCER_ID_MAPPING 49
/** transaction.timeout.ms is larger than the broker's transaction.max.timeout.ms. */
#define OTTLA_ERROR_INVALID_TRANSACTION_TIMEOUT 50
/** The previous transaction of this transactional id is still being finished. */
#define OTTLA_ERROR_CONCURRENT_TRANSACTIONS 51
/** The transaction coordinator that sent the markers has been replaced. */
#define OTTLA_ERROR_TRANSACTION_COORDINATOR_FENCED 52
/** This client may not use the transactional id. */
#define OTTLA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED 53
/** Security features are switched off on the broker. */
#define OTTLA_ERROR_SECURITY_DISABLED 54
/** The broker left this part undone because another part of the request failed. */
#define OTTLA_ERROR_OPERATION_NOT_ATTEMPTED 55
/** The broker could not reach the disk that holds the log. */
#define OTTLA_ERROR_KAFKA_STORAGE_ERROR 56
/** The broker has no such log directory. */
#define OTTLA_ERROR_LOG_DIR_NOT_FOUND 57
/** The broker refused the SASL credentials. */
#define OTTLA_ERROR_SASL_AUTHENTICATION_FAILED 58
/** The log holds no state of this producer id any more. */
#define OTTLA_ERROR_UNKNOWN_PRODUCER_ID 59
/** The partition is being reassigned. */
#define OTTLA_ERROR_REASSIGNMENT_IN_PROGRESS 60
/** Delegation tokens are switched off. */
#define OTTLA_ERROR_DELEGATION_TOKEN_AUTH_DISABLED 61
/** The broker does not know the delegation token. */
#define OTTLA_ERROR_DELEGATION_TOKEN_NOT_FOUND 62
/** The principal is neither owner nor renewer of the delegation token. */
#define OTTLA_ERROR_DELEGATION_TOKEN_OWNER_MISMATCH 63
/** Delegation tokens cannot be requested over this kind of connection. */
#define OTTLA_ERROR_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED 64
/** This client may not use the delegation token. */
#define OTTLA_ERROR_DELEGATION_TOKEN_AUTHORIZATION_FAILED 65
/** The delegation token has expired. */
#define OTTLA_ERROR_DELEGATION_TOKEN_EXPIRED 66
/** This type of principal is not supported. */
#define OTTLA_ERROR_INVALID_PRINCIPAL_TYPE 67
/** The group still has members. */
#define OTTLA_ERROR_NON_EMPTY_GROUP 68
/** The group does not exist. */
#define OTTLA_ERROR_GROUP_ID_NOT_FOUND 69
/** The broker does not know the fetch session. */
#define OTTLA_ERROR_FETCH_SESSION_ID_NOT_FOUND 70
/** The epoch of the fetch session is not the expected one. */
#define OTTLA_ERROR_INVALID_FETCH_SESSION_EPOCH 71
/** The leader has no listener of the kind this client is connected to. */
#define OTTLA_ERROR_LISTENER_NOT_FOUND 72
/** Deleting topics is switched off. */
#define OTTLA_ERROR_TOPIC_DELETION_DISABLED 73
/** The leader epoch in the request is older than the broker's. */
#define OTTLA_ERROR_FENCED_LEADER_EPOCH 74
/** The leader epoch in the request is newer than the broker's. */
#define OTTLA_ERROR_UNKNOWN_LEADER_EPOCH 75
/** The codec cannot be used with this version of the request. */
#define OTTLA_ERROR_UNSUPPORTED_COMPRESSION_TYPE 76
/** The broker epoch has changed. */
#define OTTLA_ERROR_STALE_BROKER_EPOCH 77
/** A new leader has not caught up far enough to answer for offsets. */
#define OTTLA_ERROR_OFFSET_NOT_AVAILABLE 78
/** The group member needs a member id before it can join. */
#define OTTLA_ERROR_MEMBER_ID_REQUIRED 79
/** The preferred leader of the partition is not available. */
#define OTTLA_ERROR_PREFERRED_LEADER_NOT_AVAILABLE 80
/** The group has as many members as it may have. */
#define OTTLA_ERROR_GROUP_MAX_SIZE_REACHED 81
/** Another member with the same group.instance.id has taken over. */
#define OTTLA_ERROR_FENCED_INSTANCE_ID 82
/** No replica that may lead the partition is available. */
#define OTTLA_ERROR_ELIGIBLE_LEADERS_NOT_AVAILABLE 83
/** The partition needs no leader election. */
#define OTTLA_ERROR_ELECTION_NOT_NEEDED 84
/** The partition is not being reassigned. */
#define OTTLA_ERROR_NO_REASSIGNMENT_IN_PROGRESS 85
/** The group is subscribed to the topic, so its offsets cannot be deleted. */
#define OTTLA_ERROR_GROUP_SUBSCRIBED_TO_TOPIC 86
/** The broker refused a record, for example one without key on a compacted topic. */
#define OTTLA_ERROR_INVALID_RECORD 87
/** An open transaction holds offsets that were asked for. */
#define OTTLA_ERROR_UNSTABLE_OFFSET_COMMIT 88
/** A quota is used up; try again later. */
#define OTTLA_ERROR_THROTTLING_QUOTA_EXCEEDED 89
/** A newer producer with the same transactional id has taken over. */
#define OTTLA_ERROR_PRODUCER_FENCED 90
/** The request names a resource that does not exist. */
#define OTTLA_ERROR_RESOURCE_NOT_FOUND 91
/** The request names a resource twice. */
#define OTTLA_ERROR_DUPLICATE_RESOURCE 92
/** The credential does not meet the broker's requirements. */
#define OTTLA_ERROR_UNACCEPTABLE_CREDENTIAL 93
/** Not both, or neither, side of the request is a controller voter. */
#define OTTLA_ERROR_INCONSISTENT_VOTER_SET 94
/** The version in the update is not valid. */
#define OTTLA_ERROR_INVALID_UPDATE_VERSION 95
/** The features could not be updated. */
#define OTTLA_ERROR_FEATURE_UPDATE_FAILED 96
/** The forwarded principal could not be read. */
#define OTTLA_ERROR_PRINCIPAL_DESERIALIZATION_FAILURE 97
/** The requested snapshot does not exist. */
#define OTTLA_ERROR_SNAPSHOT_NOT_FOUND 98
/** The requested position lies outside the snapshot. */
#define OTTLA_ERROR_POSITION_OUT_OF_RANGE 99
/** The broker does not know the topic id. */
#define OTTLA_ERROR_UNKNOWN_TOPIC_ID 100
/** A broker with this id is registered already. */
#define OTTLA_ERROR_DUPLICATE_BROKER_REGISTRATION 101
/** No broker with this id is registered. */
#define OTTLA_ERROR_BROKER_ID_NOT_REGISTERED 102
/** The topic id in the log is not the one in the request. */
#define OTTLA_ERROR_INCONSISTENT_TOPIC_ID 103
/** The cluster id in the request is not the broker's. */
#define OTTLA_ERROR_INCONSISTENT_CLUSTER_ID 104
/** The coordinator does not know the transactional id. */
#define OTTLA_ERROR_TRANSACTIONAL_ID_NOT_FOUND 105
/** The fetch session mixed requests with and without topic ids. */
#define OTTLA_ERROR_FETCH_SESSION_TOPIC_ID_ERROR 106
/** The replica may not join the in-sync set. */
#define OTTLA_ERROR_INELIGIBLE_REPLICA 107
/** The change to the partition made another replica the leader. */
#define OTTLA_ERROR_NEW_LEADER_ELECTED 108
/** The offset now lies in tiered storage. */
#define OTTLA_ERROR_OFFSET_MOVED_TO_TIERED_STORAGE 109
/** The group has fenced the member's epoch. */
#define OTTLA_ERROR_FENCED_MEMBER_EPOCH 110
/** Another member still holds the instance id. */
#define OTTLA_ERROR_UNRELEASED_INSTANCE_ID 111
/** The group does not support the assignor. */
#define OTTLA_ERROR_UNSUPPORTED_ASSIGNOR 112
/** The member's epoch is out of date. */
#define OTTLA_ERROR_STALE_MEMBER_EPOCH 113
/** The request came to an endpoint of the wrong type. */
#define OTTLA_ERROR_MISMATCHED_ENDPOINT_TYPE 114
/** The broker does not know this type of endpoint. */
#define OTTLA_ERROR_UNSUPPORTED_ENDPOINT_TYPE 115
/** No controller has this id. */
#define OTTLA_ERROR_UNKNOWN_CONTROLLER_ID 116
/** The client pushed telemetry under a subscription the broker no longer holds. */
#define OTTLA_ERROR_UNKNOWN_SUBSCRIPTION_ID 117
/** The client pushed more telemetry than the broker takes. */
#define OTTLA_ERROR_TELEMETRY_TOO_LARGE 118
/** The controller did not accept the registration. */
#define OTTLA_ERROR_INVALID_REGISTRATION 119
/** The transaction met an error; abort it to go on. */
#define OTTLA_ERROR_TRANSACTION_ABORTABLE 120
/** The state of the shared record does not allow the acknowledgement. */
#define OTTLA_ERROR_INVALID_RECORD_STATE 121
/** The broker does not know the share session. */
#define OTTLA_ERROR_SHARE_SESSION_NOT_FOUND 122
/** The epoch of the share session is not the expected one. */
#define OTTLA_ERROR_INVALID_SHARE_SESSION_EPOCH 123
/** The share coordinator has a newer epoch than the request. */
#define OTTLA_ERROR_FENCED_STATE_EPOCH 124
/** The key of the voter does not match the receiver's. */
#define OTTLA_ERROR_INVALID_VOTER_KEY 125
/** The voter is in the set of voters already. */
#define OTTLA_ERROR_DUPLICATE_VOTER 126
/** The voter is not in the set of voters. */
#define OTTLA_ERROR_VOTER_NOT_FOUND 127
/** The regular expression is not valid. */
#define OTTLA_ERROR_INVALID_REGULAR_EXPRESSION 128
/** The client must start again from its bootstrap servers. */
#define OTTLA_ERROR_REBOOTSTRAP_REQUIRED 129
/** The Streams topology that was sent is not valid. */
#define OTTLA_ERROR_STREAMS_INVALID_TOPOLOGY 130
/** The epoch of the Streams topology is not valid. */
#define OTTLA_ERROR_STREAMS_INVALID_TOPOLOGY_EPOCH 131
/** The epoch of the Streams topology is out of date. */
#define OTTLA_ERROR_STREAMS_TOPOLOGY_FENCED 132
/** The broker holds as many share sessions as it may. */
#define OTTLA_ERROR_SHARE_SESSION_LIMIT_REACHED 133
/** The producer is closed. */
#define OTTLA_ERROR_CLOSED (-101)
/** A setting is unknown, malformed, out of range, or contradicts another one. */
#define OTTLA_ERROR_CONFIG (-102)
/** An argument of the call is not valid. */
#define OTTLA_ERROR_ARGUMENT (-103)
/** No memory or no place in the queue now, and the call was told not to wait. */
#define OTTLA_ERROR_QUEUE_FULL (-104)
/** The call did not finish in the time it was given. */
#define OTTLA_ERROR_TIMED_OUT (-105)
/** The record was not acknowledged within delivery.timeout.ms. */
#define OTTLA_ERROR_EXPIRED (-106)
/** The connection to the broker could not be made or was lost. */
#define OTTLA_ERROR_TRANSPORT (-107)
/** Known to Kafka, but not built into this version of ottla. */
#define OTTLA_ERROR_UNSUPPORTED (-108)
/** No bootstrap address could be resolved. */
#define OTTLA_ERROR_RESOLVE (-109)
/** The record is larger than max.request.size or buffer.memory. */
#define OTTLA_ERROR_RECORD_TOO_LARGE (-110)
/** The topic does not exist in the cluster. */
#define OTTLA_ERROR_UNKNOWN_TOPIC (-111)
/** The topic has no such partition. */
#define OTTLA_ERROR_UNKNOWN_PARTITION (-112)
/** The record was purged before it was sent. */
#define OTTLA_ERROR_PURGED_QUEUE (-113)
/** The record was purged while a request that holds it was under way. */
#define OTTLA_ERROR_PURGED_IN_FLIGHT (-114)
/** The call is not allowed in the present state of the producer. */
#define OTTLA_ERROR_STATE (-115)
/** The call is not allowed inside this callback of the same producer. */
#define OTTLA_ERROR_IN_CALLBACK (-116)
/** The producer belongs to the parent of this process; create one after fork. */
#define OTTLA_ERROR_FORKED (-117)
/** A bug in ottla or in a callback was caught before it could end the process. */
#define OTTLA_ERROR_PANIC (-118)
/** The wait was interrupted by a signal or by the caller. */
#define OTTLA_ERROR_INTERRUPTED (-119)
/** The caller's buffer cannot hold the result. */
#define OTTLA_ERROR_BUFFER_TOO_SMALL (-120)
/** The broker answered with bytes that are not a valid response. */
#define OTTLA_ERROR_PROTOCOL (-121)
/** An earlier fatal error stopped this producer. */
#define OTTLA_ERROR_FATAL (-122)
/** The broker and this client could not authenticate each other. */
#define OTTLA_ERROR_AUTHENTICATION (-123)
/** The handle is null, freed, or of another kind. */
#define OTTLA_ERROR_HANDLE (-124)
/** The record was given up because the producer closed without waiting for it or the transaction was aborted. */
#define OTTLA_ERROR_ABORTED (-125)
/** The result was cut to the size of the caller's buffer. */
#define OTTLA_ERROR_TRUNCATED (-126)
/** The same attempt may succeed later. */
#define OTTLA_ERROR_FLAG_RETRIABLE 1

/** The transaction must be aborted; the producer can go on. */
#define OTTLA_ERROR_FLAG_ABORTABLE 2

/** The producer must be closed. */
#define OTTLA_ERROR_FLAG_FATAL 4

/** A setting or a permission must be changed first. */
#define OTTLA_ERROR_FLAG_CONFIGURATION 8

/**
 * Why a set-up call failed. Made by a call with an `error_out`; freed by the caller with
 * ottla_error_free(), once, on any thread. Never changes, so any number of threads may read it.
 */
typedef struct ottla_error_t ottla_error_t;

/**
 * The name of a status, "NOT_LEADER_OR_FOLLOWER" for 6; "UNKNOWN" for a number that has none. Static text;
 * any thread.
 */
const char *ottla_error_name(int32_t status);

/** One sentence that says what a status means. Static text; any thread. */
const char *ottla_error_description(int32_t status);

/** What can be done about a status: OTTLA_ERROR_FLAG_... values, added up. Any thread. */
uint32_t ottla_error_flags(int32_t status);

/**
 * Copies the text of the last error that a call on this thread returned, for calls without an
 * `error_out`. At most `capacity` bytes are written, the last one a NUL. Returns the length of the
 * whole text; `buffer` NULL asks for that alone. Calls that succeed leave the text as it is.
 * Pointers: `buffer` is NULL or has room for `capacity` bytes.
 */
size_t ottla_last_error_message(char *buffer, size_t capacity);

/** The status of an error; OTTLA_ERROR_HANDLE if `error` is none. */
int32_t ottla_error_code(const ottla_error_t *error);

/**
 * What happened, for people. Belongs to the error, valid until it is freed; "" if `error` is none.
 */
const char *ottla_error_message(const ottla_error_t *error);

/** Whether the same call may succeed later. */
bool ottla_error_is_retriable(const ottla_error_t *error);

/** Whether the transaction must be aborted, after which the producer can go on. */
bool ottla_error_is_abortable(const ottla_error_t *error);

/** Whether the producer must be closed. */
bool ottla_error_is_fatal(const ottla_error_t *error);

/**
 * Frees an error. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
 * Pointers: Texts of the error are not used any more.
 */
int32_t ottla_error_free(ottla_error_t *error);

/* ---- Settings ----------------------------------------------------------------------------- */

/**
 * Settings for producers. Made by ottla_config_new(), freed by the caller with
 * ottla_config_free(), at any time: producers copy it. Any thread may use it.
 */
typedef struct ottla_config_t ottla_config_t;

/**
 * Makes settings that all have their defaults.
 * Pointers: `config_out` is writable.
 */
int32_t ottla_config_new(ottla_config_t **config_out);

/**
 * Sets one setting by its name in Kafka's or librdkafka's spelling; both texts are UTF-8.
 * OTTLA_ERROR_CONFIG: unknown name (the error suggests the nearest one) or a value out of range.
 * OTTLA_ERROR_UNSUPPORTED: known, but not built into this version.
 * Pointers: `key` and `value` are readable for their lengths; `error_out` is NULL or writable.
 */
int32_t ottla_config_set(ottla_config_t *config,
                         const char *key,
                         size_t key_len,
                         const char *value,
                         size_t value_len,
                         ottla_error_t **error_out);

/**
 * Copies the value of a setting, or its default; secrets read `[hidden]`. At most `capacity` bytes
 * are written, the last one a NUL; `buffer` NULL asks for the length alone. `*len_out` is the length of the
 * whole value without the NUL.
 * OTTLA_ERROR_CONFIG: unknown name. OTTLA_ERROR_TRUNCATED: `buffer` holds only the beginning.
 * Pointers: `key` is readable for its length; `buffer` is NULL or has room for `capacity` bytes; `len_out` is
 * NULL or writable.
 */
int32_t ottla_config_get(const ottla_config_t *config,
                         const char *key,
                         size_t key_len,
                         char *buffer,
                         size_t capacity,
                         size_t *len_out);

/** Frees settings. NULL is fine. OTTLA_ERROR_HANDLE if they were freed before. */
int32_t ottla_config_free(ottla_config_t *config);

/** Every setting with its type, default and meaning, in Markdown. Static text; any thread. */
const char *ottla_config_reference(void);

/* ---- Records ------------------------------------------------------------------------------ */

/** Let the partitioner choose the partition. */
#define OTTLA_PARTITION_ANY (-1)

/** The record's time is the time of the send. */
#define OTTLA_TIMESTAMP_NOW (-1)

/** A name and a value that travel with a record (KIP-82). This struct never changes. */
typedef struct ottla_header_t {
    /** UTF-8; may be empty, and may occur more than once in a record. */
    const char *key;
    /** Bytes of the key. */
    size_t key_len;
    /** NULL is a null value; any other pointer with length 0 an empty one. */
    const void *value;
    /** Bytes of the value. */
    size_t value_len;
} ottla_header_t;

/**
 * A record. Start from OTTLA_RECORD_INIT, which sets `size` and the defaults; fields are only ever
 * appended. The library copies what it needs: everything may be freed when the call returns.
 */
typedef struct ottla_record_t {
    /**
     * sizeof(ottla_record_t), so that a newer library knows what an older program does not set.
     */
    uint32_t size;
    /** From ottla_producer_topic(). */
    uint32_t topic;
    /** A partition, or OTTLA_PARTITION_ANY. */
    int32_t partition;
    /** Must be 0. */
    uint32_t reserved;
    /** NULL is a null key; any other pointer with length 0 an empty one. */
    const void *key;
    /** Bytes of the key. */
    size_t key_len;
    /**
     * NULL is a null value (a tombstone in a compacted topic); any other pointer with length 0 an empty one.
     */
    const void *value;
    /** Bytes of the value. */
    size_t value_len;
    /** Headers in order. */
    const ottla_header_t *headers;
    /** Number of headers. */
    size_t header_count;
    /** Milliseconds since 1970, or OTTLA_TIMESTAMP_NOW. */
    int64_t timestamp_ms;
    /** Comes back in the report of this record; any number. */
    uint64_t token;
} ottla_record_t;

/** A record without anything: any partition, the time of the send, null key and value, token 0. */
#define OTTLA_RECORD_INIT                                                                           \
    {                                                                                               \
        sizeof(ottla_record_t), 0, OTTLA_PARTITION_ANY, 0, NULL, 0, NULL, 0, NULL, 0,               \
            OTTLA_TIMESTAMP_NOW, 0                                                                  \
    }

/* ---- Reports ------------------------------------------------------------------------------ */

/** The record is surely not in the log: sending it again cannot duplicate it. */
#define OTTLA_PERSISTENCE_NOT_PERSISTED 0

/**
 * The record was sent and the answer is not known (with acks=0 there never is one): sending it again may
 * duplicate it.
 */
#define OTTLA_PERSISTENCE_POSSIBLY_PERSISTED 1

/** The broker said that the record is in the log. */
#define OTTLA_PERSISTENCE_PERSISTED 2

/**
 * The outcome of `count` records of one partition that share it: mostly a whole batch. Lent to the
 * delivery callback for the length of the call, with everything that it points to. Fields are
 * only ever appended: step through an array of them by the `stride` that comes with it.
 */
typedef struct ottla_report_t {
    /** Bytes of this struct as the library knows it. */
    uint32_t size;
    /** From ottla_producer_topic(). */
    uint32_t topic;
    /** The partition, or -1 when none had been chosen. */
    int32_t partition;
    /**
     * 0: the records are stored (with acks=0: their bytes left this process). Else an OTTLA_ERROR_... value.
     */
    int32_t status;
    /** OTTLA_PERSISTENCE_... */
    uint32_t persistence;
    /** 0. */
    uint32_t reserved;
    /** Offset of the first record, the others follow; -1 when unknown. */
    int64_t base_offset;
    /**
     * The broker's time of the append in milliseconds since 1970, or -1 when records keep their own.
     */
    int64_t log_append_time_ms;
    /** Microseconds from the creation of the batch to this report. */
    uint64_t latency_us;
    /** Number of records. */
    size_t count;
    /** The token of each record, in the order of their offsets. */
    const uint64_t *tokens;
    /**
     * The time of each record in milliseconds since 1970, when report.timestamps is on; else NULL.
     */
    const int64_t *timestamps_ms;
    /**
     * What went wrong, for people: UTF-8, not NUL-terminated; NULL when there is nothing to say.
     */
    const char *message;
    /** Bytes of the message. */
    size_t message_len;
} ottla_report_t;

/** The outcome of one record, as ottla_producer_poll() copies it. This struct never changes. */
typedef struct ottla_delivery_t {
    /** The record's token. */
    uint64_t token;
    /** Its offset, or -1 when unknown. */
    int64_t offset;
    /**
     * Its time in milliseconds since 1970: the broker's, or its own when report.timestamps is on; else -1.
     */
    int64_t timestamp_ms;
    /** From ottla_producer_topic(). */
    uint32_t topic;
    /** The partition, or -1 when none had been chosen. */
    int32_t partition;
    /** 0: the record is stored. Else an OTTLA_ERROR_... value. */
    int32_t status;
    /** OTTLA_PERSISTENCE_... */
    uint32_t persistence;
    /** Microseconds from the creation of the record's batch to the report, at most UINT32_MAX. */
    uint32_t latency_us;
    /** Number of the error text for ottla_producer_message(), or 0 when there is none. */
    uint32_t message;
} ottla_delivery_t;

/**
 * The outcome of several records that share it, as ottla_producer_poll_runs() copies it. The records'
 * tokens are `count` entries of the token array from `first` on. This struct never changes.
 */
typedef struct ottla_run_t {
    /** Index of the first token in the array that was filled by the same call. */
    size_t first;
    /** Number of records. */
    size_t count;
    /** Offset of the first record, the others follow; -1 when unknown. */
    int64_t base_offset;
    /**
     * The broker's time of the append in milliseconds since 1970, or -1 when records keep their own.
     */
    int64_t log_append_time_ms;
    /** From ottla_producer_topic(). */
    uint32_t topic;
    /** The partition, or -1 when none had been chosen. */
    int32_t partition;
    /** 0: the records are stored. Else an OTTLA_ERROR_... value. */
    int32_t status;
    /** OTTLA_PERSISTENCE_... */
    uint32_t persistence;
    /** Microseconds from the creation of the batch to the report, at most UINT32_MAX. */
    uint32_t latency_us;
    /** Number of the error text for ottla_producer_message(), or 0 when there is none. */
    uint32_t message;
} ottla_run_t;

/* ---- Interceptors ------------------------------------------------------------------------- */

/**
 * A record that is being sent, as an interceptor sees it. Lent for the call of on_send and good only on
 * its thread; afterwards it answers OTTLA_ERROR_HANDLE.
 */
typedef struct ottla_intercepted_t ottla_intercepted_t;

/**
 * May look at a record and change it before it is checked and gets its partition. Called on the thread that
 * sends, several at a time if several send. Must be quick. What may be called inside: see Callbacks at the
 * head of this header. Must not throw or longjmp.
 */
typedef void (*ottla_send_fn)(ottla_intercepted_t *record, void *env);

/**
 * Sees a report before the application does; it is lent for the call. Called on the sender
 * thread, which waits for it. What may be called inside: see Callbacks at the head of this header. Must
 * not throw or longjmp.
 */
typedef void (*ottla_acknowledgement_fn)(const ottla_report_t *report, void *env);

/**
 * The record as it is now, and the name of its topic (which may be NULL if it is not wanted). Set
 * `record_out->size` first, as OTTLA_RECORD_INIT does. What it points to is good until the record is
 * changed or the call of on_send ends; topic and token are 0, the partition is OTTLA_PARTITION_ANY.
 * Pointers: `record_out` is writable for the size that it begins with; `topic_out` is NULL or writable.
 */
int32_t ottla_intercepted_get(ottla_intercepted_t *record,
                              ottla_record_t *record_out,
                              const char **topic_out);

/**
 * Replaces the key; NULL is null. The bytes are copied.
 * Pointers: `key` is NULL or readable for its length.
 */
int32_t ottla_intercepted_set_key(ottla_intercepted_t *record,
                                  const void *key,
                                  size_t key_len);

/**
 * Replaces the value; NULL is null. The bytes are copied.
 * Pointers: `value` is NULL or readable for its length.
 */
int32_t ottla_intercepted_set_value(ottla_intercepted_t *record,
                                    const void *value,
                                    size_t value_len);

/** Replaces the time: milliseconds since 1970, or OTTLA_TIMESTAMP_NOW. */
int32_t ottla_intercepted_set_timestamp(ottla_intercepted_t *record, int64_t timestamp_ms);

/**
 * Adds a header behind the others. The bytes are copied.
 * Pointers: `key` and `value` are NULL or readable for their lengths.
 */
int32_t ottla_intercepted_add_header(ottla_intercepted_t *record,
                                     const char *key,
                                     size_t key_len,
                                     const void *value,
                                     size_t value_len);

/**
 * Removes every header of this name. OTTLA_ERROR_ARGUMENT: there is none.
 * Pointers: `key` is NULL or readable for its length.
 */
int32_t ottla_intercepted_remove_headers(ottla_intercepted_t *record,
                                         const char *key,
                                         size_t key_len);

/* ---- The application's own partitioner ------------------------------------------------------- */

/**
 * Chooses the partition of a record that is sent with OTTLA_PARTITION_ANY, instead of the setting
 * `partitioner`: a number from 0 to `partition_count` - 1, which is at least 1. Any other number refuses
 * the record: the send answers OTTLA_ERROR_ARGUMENT, with the number in its error text; a record that was
 * parked is reported with that status.
 *
 * `topic` is its name, not NUL-terminated. `key` and `value` are NULL when they are null, else not, even
 * if empty. All of them are lent for the call.
 *
 * Called after on_send, on the thread that sends, several at a time if several send. A record that was
 * accepted before its topic was known (see send.wait and OTTLA_SEND_NO_WAIT) was parked: for those it is
 * called on the sender thread, which waits for it; again if there was no memory, and after
 * ottla_producer_close() has begun, too.
 *
 * Must be quick. What may be called inside: see Callbacks at the head of this header. Must not throw or
 * longjmp.
 */
typedef int32_t (*ottla_partitioner_fn)(const char *topic,
                                        size_t topic_len,
                                        const void *key,
                                        size_t key_len,
                                        const void *value,
                                        size_t value_len,
                                        uint32_t partition_count,
                                        void *env);

/* ---- Callbacks ---------------------------------------------------------------------------- */

/** There is no event. */
#define OTTLA_EVENT_NONE 0

/** A line of the log. */
#define OTTLA_EVENT_LOG 1

/** An error that no call and no report stands for: a broker that cannot be reached, say. */
#define OTTLA_EVENT_ERROR 2

/** A broker holds this client back because of a quota. */
#define OTTLA_EVENT_THROTTLE 3

/**
 * Something that happened, as on_event and ottla_producer_next_event() tell it. Set `size` first; fields are
 * only ever appended.
 */
typedef struct ottla_event_t {
    /** sizeof(ottla_event_t). */
    uint32_t size;
    /** OTTLA_EVENT_... */
    int32_t kind;
    /** OTTLA_LOG_... */
    int32_t level;
    /** An OTTLA_ERROR_... value for errors, else 0. */
    int32_t status;
    /** The broker's id for throttling, else -1. */
    int32_t broker;
    /** Milliseconds for which the broker holds this client back, else 0. */
    uint32_t throttle_ms;
    /** Bytes of the whole text. */
    size_t text_len;
    /** Events that were given up since the last call, because nobody took them. */
    uint64_t dropped;
} ottla_event_t;

/** No event. */
#define OTTLA_EVENT_INIT                                                                            \
    {                                                                                               \
        sizeof(ottla_event_t), OTTLA_EVENT_NONE, 0, 0, -1, 0, 0, 0                                  \
    }

/** The producer cannot go on, or something was given up. */
#define OTTLA_LOG_ERROR 3

/** Something is wrong that the library works around. */
#define OTTLA_LOG_WARNING 4

/** Worth knowing. */
#define OTTLA_LOG_INFO 6

/**
 * Gets `count` reports, which lie `stride` bytes apart. They and everything they point to are lent for
 * the call. Called on one thread of the library, which is always the same, and different from
 * the sender thread. May send (a send then never waits), but neither flush, close nor free its producer:
 * see Callbacks at the head of this header. Must not throw or longjmp.
 */
typedef void (*ottla_delivery_fn)(const ottla_report_t *reports,
                                  size_t count,
                                  size_t stride,
                                  void *env);

/** Frees the `env` of a callback. */
typedef void (*ottla_env_free_fn)(void *env);

/**
 * Gets a line of the log: UTF-8, not NUL-terminated, lent for the call; `level` is an OTTLA_LOG_...
 * value, which are syslog's. Called one call at a time, on threads of the library and inside
 * ottla_producer_new(), and must be quick: the sender waits for it. What may be called inside: see
 * Callbacks at the head of this header. Must not throw or longjmp.
 */
typedef void (*ottla_log_fn)(int32_t level, const char *text, size_t text_len, void *env);

/**
 * Gets something that happened: the lines of the log, and whatever log_level is, throttling and errors that
 * no call and no report stands for. `event` and `text`, which has event->text_len bytes of UTF-8 and no
 * NUL at its end, are lent for the call. Called as an ottla_log_fn is.
 */
typedef void (*ottla_event_fn)(const ottla_event_t *event, const char *text, void *env);

/**
 * The functions that a producer calls. Start from OTTLA_CALLBACKS_INIT; fields are only ever
 * appended. Each `env` goes back to its function untouched, and to its `env_free` (if there is
 * one) exactly once, after the last call: before ottla_producer_free() returns at the latest. When
 * ottla_producer_new() fails, nothing is freed: everything still belongs to the caller. Where the
 * function is NULL, its `env` and `env_free` are not looked at.
 */
typedef struct ottla_callbacks_t {
    /** sizeof(ottla_callbacks_t). */
    uint32_t size;
    /** Must be 0. */
    uint32_t reserved;
    /** Takes the reports. NULL: they wait for ottla_producer_poll(). */
    ottla_delivery_fn on_delivery;
    /** For on_delivery. */
    void *delivery_env;
    /** Frees delivery_env; may be NULL. */
    ottla_env_free_fn delivery_env_free;
    /** Takes the log. NULL: there is none. */
    ottla_log_fn on_log;
    /** For on_log. */
    void *log_env;
    /** Frees log_env; may be NULL. */
    ottla_env_free_fn log_env_free;
    /** Sees and may change every record that is sent; may be NULL. */
    ottla_send_fn on_send;
    /** Sees every report; may be NULL. */
    ottla_acknowledgement_fn on_acknowledgement;
    /** For on_send and on_acknowledgement. */
    void *interceptor_env;
    /** Frees interceptor_env; may be NULL. */
    ottla_env_free_fn interceptor_env_free;
    /** Chooses partitions instead of the setting `partitioner`; may be NULL. */
    ottla_partitioner_fn partitioner;
    /** For partitioner. */
    void *partitioner_env;
    /** Frees partitioner_env; may be NULL. */
    ottla_env_free_fn partitioner_env_free;
    /** Takes events, which then do not wait for ottla_producer_next_event(); may be NULL. */
    ottla_event_fn on_event;
    /** For on_event. */
    void *event_env;
    /** Frees event_env; may be NULL. */
    ottla_env_free_fn event_env_free;
} ottla_callbacks_t;

/** No callbacks. */
#define OTTLA_CALLBACKS_INIT                                                                        \
    {                                                                                               \
        sizeof(ottla_callbacks_t), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,   \
            NULL, NULL, NULL, NULL, NULL, NULL                                                      \
    }

/** The `index`-th of the reports that a delivery callback got. */
static inline const ottla_report_t *ottla_report_at(const ottla_report_t *reports, size_t stride,
                                                    size_t index)
{
    return (const ottla_report_t *)(const void *)((const char *)reports + index * stride);
}

/** Offset of the `index`-th record of a report, or -1 when unknown. */
static inline int64_t ottla_report_offset(const ottla_report_t *report, size_t index)
{
    return report->base_offset < 0 ? -1 : report->base_offset + (int64_t)index;
}

/* ---- Producers ---------------------------------------------------------------------------- */

/** Records that are not in a request yet: surely not stored. */
#define OTTLA_PURGE_QUEUED 1

/** Records in a request whose answer is missing: whether they are stored stays unknown. */
#define OTTLA_PURGE_IN_FLIGHT 2

/**
 * A producer. Made by ottla_producer_new(); closed with ottla_producer_close(), freed by the caller
 * with ottla_producer_free(). Every function may be called from any number of threads at once.
 * A forked child may not use it: every call answers OTTLA_ERROR_FORKED.
 */
typedef struct ottla_producer_t ottla_producer_t;

/**
 * Makes a producer. Connecting happens in the background; see ottla_producer_wait_ready(). The
 * settings are copied. `callbacks` may be NULL: reports then wait for ottla_producer_poll().
 * OTTLA_ERROR_CONFIG: a setting is missing or contradicts another one.
 * Pointers: `callbacks` and `error_out` are NULL or valid; `producer_out` is writable; what `callbacks` says is true.
 */
int32_t ottla_producer_new(const ottla_config_t *config,
                           const ottla_callbacks_t *callbacks,
                           ottla_producer_t **producer_out,
                           ottla_error_t **error_out);

/**
 * Gives a topic a number, which the sends and reports of this producer use; the same name has the same
 * number. Does not wait: what the cluster knows of the topic is fetched in the background.
 * OTTLA_ERROR_ARGUMENT: not a topic name.
 * Pointers: `name` is readable for its length; `topic_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_topic(ottla_producer_t *producer,
                             const char *name,
                             size_t name_len,
                             uint32_t *topic_out,
                             ottla_error_t **error_out);

/**
 * Copies the name of a topic. At most `capacity` bytes are written, the last one a NUL; `buffer` NULL
 * asks for the length alone. OTTLA_ERROR_TRUNCATED: `buffer` holds only the beginning.
 * Pointers: `buffer` is NULL or has room for `capacity` bytes; `len_out` is NULL or writable.
 */
int32_t ottla_producer_topic_name(const ottla_producer_t *producer,
                                  uint32_t topic,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *len_out);

/**
 * Waits until a broker has answered, at most `timeout_ms` (below 0: without limit). Fails at once when
 * every broker refuses, so that wrong addresses show before the first record: with
 * OTTLA_ERROR_RESOLVE, _TRANSPORT, _AUTHENTICATION, ..., whatever the last one said. The producer goes on
 * trying all the same. OTTLA_ERROR_TIMED_OUT.
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_wait_ready(ottla_producer_t *producer,
                                  int64_t timeout_ms,
                                  ottla_error_t **error_out);

/**
 * How many records were accepted whose reports have not been taken. Looks at every partition: not a call
 * for every record.
 * Pointers: `count_out` is writable.
 */
int32_t ottla_producer_outstanding(const ottla_producer_t *producer,
                                   size_t *count_out);

/**
 * Sends what lingers and waits until every record accepted before this call has been given to the
 * delivery callback or can be polled, at most `timeout_ms` (below 0: without limit). Records that
 * others send meanwhile are not waited for.
 * After ottla_producer_close() nothing is left to wait for: 0.
 * OTTLA_ERROR_TIMED_OUT: some are still on their way, and stay so. OTTLA_ERROR_IN_CALLBACK.
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_flush(ottla_producer_t *producer,
                             int64_t timeout_ms,
                             ottla_error_t **error_out);

/**
 * Fails records instead of waiting for them: those of `flags`, OTTLA_PURGE_... values added up.
 * Returns at once; the reports follow, with OTTLA_ERROR_PURGED_QUEUE or OTTLA_ERROR_PURGED_IN_FLIGHT. The
 * sender thread does it: a record that is sent right after this call may be failed, too.
 */
int32_t ottla_producer_purge(ottla_producer_t *producer,
                             uint32_t flags);

/**
 * Takes no more records, waits at most `timeout_ms` (below 0: without limit) for the reports of the
 * others, fails what is left then, and ends the producer's threads. Afterwards reports can still be
 * polled; whatever else would need the threads answers OTTLA_ERROR_CLOSED. A second call changes
 * nothing. OTTLA_ERROR_TIMED_OUT: some had to be failed; the producer is closed all the same.
 * OTTLA_ERROR_IN_CALLBACK.
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_close(ottla_producer_t *producer,
                             int64_t timeout_ms,
                             ottla_error_t **error_out);

/**
 * Frees a producer: closes it without waiting for records if it is not closed (with a callback, those are
 * reported as failed before this returns), waits until calls of other threads have left it, and forgets
 * reports that were not polled. Whoever waits inside such a call is woken. NULL is fine. Afterwards every
 * call with it, and with the cluster borrowed from it, answers OTTLA_ERROR_HANDLE.
 * OTTLA_ERROR_IN_CALLBACK.
 */
int32_t ottla_producer_free(ottla_producer_t *producer);

/* ---- Sending ------------------------------------------------------------------------------ */

/** Wait neither for memory nor for the topic: OTTLA_ERROR_QUEUE_FULL instead. */
#define OTTLA_SEND_NO_WAIT 1

/**
 * Sends a record to a topic from ottla_producer_topic() and a partition, or OTTLA_PARTITION_ANY. Its bytes
 * are copied. NULL is a null key or value, any other pointer with length 0 an empty one. `timestamp_ms` is
 * the record's time in milliseconds since 1970, or OTTLA_TIMESTAMP_NOW; `token` is any number, which comes
 * back in the report.
 *
 * Waits up to max.block.ms for memory and, at first, for the topic, unless send.wait is false or it is
 * called in a delivery callback. 0: the record was accepted, and exactly one report will carry its token.
 * Anything else: it was not, and none will.
 * OTTLA_ERROR_QUEUE_FULL: no room, and it may not wait. OTTLA_ERROR_TIMED_OUT: no room, or the topic is not
 * known, within max.block.ms. OTTLA_ERROR_RECORD_TOO_LARGE: for max.request.size or buffer.memory.
 * OTTLA_ERROR_UNKNOWN_PARTITION: the topic has no such partition (still, after max.block.ms).
 * OTTLA_ERROR_ARGUMENT: no such topic number, a negative partition or time, or the partitioner refused. Or
 * the topic's own error, as OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED or _INVALID_TOPIC_EXCEPTION.
 * Pointers: `key` and `value` are NULL or readable for their lengths.
 */
int32_t ottla_producer_send(ottla_producer_t *producer,
                            uint32_t topic,
                            int32_t partition,
                            const void *key,
                            size_t key_len,
                            const void *value,
                            size_t value_len,
                            int64_t timestamp_ms,
                            uint64_t token);

/**
 * As ottla_producer_send(), for a record with headers and with flags: 0 or OTTLA_SEND_NO_WAIT.
 * Pointers: `record` is readable for its size; its pointers are NULL or readable for their lengths.
 */
int32_t ottla_producer_send_record(ottla_producer_t *producer,
                                   const ottla_record_t *record,
                                   uint32_t flags);

/**
 * Sends `count` records, which lie `stride` bytes apart (sizeof of your struct), in order, each as
 * ottla_producer_send_record() would. Records in a row that go to the same partition are appended together:
 * one lock and one look at the clock for many.
 *
 * With `statuses_out` NULL it stops at the first record that is refused: `*accepted_out` is its index, so
 * the rest can be sent again from there. With an array of `count` statuses each record gets its own and
 * one that is refused does not hold up the others, unless there is no room, max.block.ms is over (for memory
 * or for a topic) or the producer is closed: then all that follow have that same status, whatever their
 * topic, and their order is kept. `*accepted_out` counts
 * the accepted ones, each of which will be reported once. Returns the first status that is not 0.
 * OTTLA_ERROR_ARGUMENT, and no status is written: the array, `stride` or `flags` are not valid.
 * Pointers: `records` holds `count` records as ottla_producer_send_record() wants them; `statuses_out` is NULL or has
 * room for `count` statuses; `accepted_out` is NULL or writable.
 */
int32_t ottla_producer_send_batch(ottla_producer_t *producer,
                                  const ottla_record_t *records,
                                  size_t count,
                                  size_t stride,
                                  uint32_t flags,
                                  size_t *accepted_out,
                                  int32_t *statuses_out);

/* ---- Sending columns ------------------------------------------------------------------------ */

/**
 * Byte strings, one per record: keys, values, or the parts of headers. Where they are is said by
 * `lengths`, else by `offsets`, else by `width`; all zero: every string is null. This struct never
 * changes.
 */
typedef struct ottla_column_t {
    /** The bytes of the strings. */
    const void *data;
    /** Bytes at data: no string may end behind them. */
    size_t data_len;
    /** Length of each string, -1 for null; each begins where the one before it ends. Or NULL. */
    const int32_t *lengths;
    /**
     * Where each string begins in data, and one entry more: where the last one ends. As in Arrow's binary
     * and string arrays: int32_t, or int64_t if offset_bits is 64. Or NULL.
     */
    const void *offsets;
    /**
     * A bitmap whose 0 bits are null strings, lowest bit first, as in Arrow; with lengths, those of -1 are
     * null beside. NULL: no other string is null.
     */
    const uint8_t *validity;
    /**
     * Number of the first string in offsets, validity and, with width, data (Arrow's offset). Lengths and
     * their data begin at their first entry whatever it is.
     */
    size_t first;
    /** 0, 32 or 64: bits of an entry of offsets; 0 is 32. */
    uint32_t offset_bits;
    /**
     * Bytes of every string, if all are equally long and neither lengths nor offsets are given.
     */
    uint32_t width;
} ottla_column_t;

/**
 * Many records as columns. Start from OTTLA_COLUMNS_INIT; fields are only ever appended. Arrays have
 * `count` entries; where one is NULL, the single value counts for all records. The library copies what it
 * needs: everything may be freed when the call returns.
 */
typedef struct ottla_columns_t {
    /** sizeof(ottla_columns_t). */
    uint32_t size;
    /** From ottla_producer_topic(). */
    uint32_t topic;
    /** A partition, or OTTLA_PARTITION_ANY. */
    int32_t partition;
    /** Must be 0. */
    uint32_t reserved;
    /** Milliseconds since 1970, or OTTLA_TIMESTAMP_NOW: the time of the call, the same for all. */
    int64_t timestamp_ms;
    /** Comes back in the report of the first record. */
    uint64_t token;
    /** What each record's token is above that of the one before it: 0 or 1, say. */
    uint64_t token_step;
    /** Number of records. */
    size_t count;
    /** Each record's topic, or NULL. */
    const uint32_t *topics;
    /** Each record's partition, or NULL. */
    const int32_t *partitions;
    /** Each record's time, or NULL. */
    const int64_t *timestamps_ms;
    /** Each record's number of headers, or NULL: none has any. */
    const uint32_t *header_counts;
    /** Keys. */
    ottla_column_t key;
    /** Values. */
    ottla_column_t value;
    /**
     * Names of the headers of all records, one record's behind another's; UTF-8, none may be null.
     */
    ottla_column_t header_key;
    /** Values of the headers of all records. */
    ottla_column_t header_value;
} ottla_columns_t;

/**
 * Sends the records of columns in order. Waits, stops and answers as ottla_producer_send_batch(); flags
 * are 0 or OTTLA_SEND_NO_WAIT. OTTLA_ERROR_ARGUMENT, before the first record is sent: a column is malformed.
 * Pointers: What `columns` says is true: its arrays are readable for their lengths; `statuses_out` is NULL or has
 * room for `count` statuses; `accepted_out` is NULL or writable.
 */
int32_t ottla_producer_send_columns(ottla_producer_t *producer,
                                    const ottla_columns_t *columns,
                                    uint32_t flags,
                                    size_t *accepted_out,
                                    int32_t *statuses_out);

/** A column of nulls. */
#define OTTLA_COLUMN_INIT                                                                           \
    {                                                                                               \
        NULL, 0, NULL, NULL, NULL, 0, 0, 0                                                          \
    }

/** No records: any partition, the time of the call, nothing but nulls, token 0. */
#define OTTLA_COLUMNS_INIT                                                                          \
    {                                                                                               \
        sizeof(ottla_columns_t), 0, OTTLA_PARTITION_ANY, 0, OTTLA_TIMESTAMP_NOW, 0, 0, 0, NULL,     \
            NULL, NULL, NULL, OTTLA_COLUMN_INIT, OTTLA_COLUMN_INIT, OTTLA_COLUMN_INIT,              \
            OTTLA_COLUMN_INIT                                                                       \
    }

/* ---- Taking reports without a callback ------------------------------------------------------ */

/**
 * Takes reports of up to `capacity` records, for producers without a delivery callback. Waits up to
 * `timeout_ms` (below 0: without limit; 0: not at all) if there is none yet; when that time passes it
 * answers 0, and `*count_out` is 0. Several threads may poll: each record is told to one of them.
 * OTTLA_ERROR_STATE: reports go to a callback. OTTLA_ERROR_CLOSED: the producer is closed and all are taken.
 * Pointers: `deliveries_out` has room for `capacity` entries; `count_out` is writable.
 */
int32_t ottla_producer_poll(ottla_producer_t *producer,
                            ottla_delivery_t *deliveries_out,
                            size_t capacity,
                            int64_t timeout_ms,
                            size_t *count_out);

/**
 * Takes reports as runs of records that share their outcome: one entry for a whole batch, its tokens in a
 * second array. Ends when either array is full; a run that does not fit goes on in the next call.
 * Waits and fails as ottla_producer_poll().
 * Pointers: `runs_out` has room for `run_capacity` entries and `tokens_out` for `token_capacity`;
 * `timestamps_out` is NULL or has room for `token_capacity` times (in milliseconds since 1970; -1 when
 * unknown); the counts are writable.
 */
int32_t ottla_producer_poll_runs(ottla_producer_t *producer,
                                 ottla_run_t *runs_out,
                                 size_t run_capacity,
                                 uint64_t *tokens_out,
                                 int64_t *timestamps_out,
                                 size_t token_capacity,
                                 int64_t timeout_ms,
                                 size_t *run_count_out,
                                 size_t *token_count_out);

/**
 * Copies the error text of a polled report by the number in its `message`. The library keeps the
 * newest 1024 texts. At most `capacity` bytes are written, the last one a NUL; `buffer` NULL asks for the
 * length alone. OTTLA_ERROR_ARGUMENT: no such text (any more). OTTLA_ERROR_TRUNCATED.
 * Pointers: `buffer` is NULL or has room for `capacity` bytes; `len_out` is NULL or writable.
 */
int32_t ottla_producer_message(const ottla_producer_t *producer,
                               uint32_t message,
                               char *buffer,
                               size_t capacity,
                               size_t *len_out);

/**
 * A descriptor that is readable while reports wait for ottla_producer_poll(), for event loops. It
 * belongs to the producer and lives as long: neither read nor close it.
 * OTTLA_ERROR_UNSUPPORTED: the system has no such descriptors.
 * Pointers: `fd_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_event_fd(ottla_producer_t *producer,
                                int32_t *fd_out,
                                ottla_error_t **error_out);

/* ---- Events without a callback -------------------------------------------------------------- */

/**
 * Takes the oldest event of a producer with log.queue=true; kind is OTTLA_EVENT_NONE when there is none. The
 * library keeps the newest 256. The text is copied: at most `capacity` bytes, the last one a NUL.
 * OTTLA_ERROR_TRUNCATED: `text` holds only the beginning.
 * Pointers: `event_out` is writable for the size that it begins with; `text` is NULL or has room for `capacity` bytes.
 */
int32_t ottla_producer_next_event(ottla_producer_t *producer,
                                  ottla_event_t *event_out,
                                  char *text,
                                  size_t capacity);

/**
 * Where two words are that tell without a call whether something waits, 0 or not: the first for reports,
 * the second for events. They may be read by any thread at any time, even after the producer was freed
 * (then they may be another producer's), and are never written to by the caller. The library writes them
 * meanwhile, so read atomically: `__atomic_load_n(words, __ATOMIC_ACQUIRE)`; or both as one uint64_t, for
 * which they are aligned.
 * Pointers: `words_out` is writable.
 */
int32_t ottla_producer_waiting(ottla_producer_t *producer,
                               const uint32_t **words_out);

/* ---- Transactions --------------------------------------------------------------------------- */

/**
 * A consumer group as one of its consumers knows it (KIP-447). Made by ottla_group_metadata_new(), freed
 * by the caller with ottla_group_metadata_free(). It never changes; any thread may use it.
 */
typedef struct ottla_group_metadata_t ottla_group_metadata_t;

/**
 * How far a consumer group has come in one partition. Start from OTTLA_GROUP_OFFSET_INIT, which sets
 * `size` and the defaults; fields are only ever added at the end.
 */
typedef struct ottla_group_offset_t {
    /** sizeof(ottla_group_offset_t). */
    uint32_t size;
    /** Partition. */
    int32_t partition;
    /** Name of the topic, UTF-8. */
    const char *topic;
    /** Its length. */
    size_t topic_len;
    /** The next record to read: one more than the last one that was used. */
    int64_t offset;
    /** Whatever is to be kept with the offset, UTF-8; NULL for nothing. */
    const char *metadata;
    /** Its length. */
    size_t metadata_len;
    /** Epoch of the leader that the last record was read from; -1 when not known. */
    int32_t leader_epoch;
    /** Must be 0. */
    int32_t reserved;
} ottla_group_offset_t;

/**
 * Names a consumer group, and the member of it whose reading a transaction is made from, so that the group
 * can refuse offsets of a member that is no longer the reader (KIP-447). All from the consumer's own group
 * metadata: `group.id`, the generation (or member epoch), the member id, and `group.instance.id` of a
 * static member, or NULL. A consumer that assigns itself partitions has generation -1 and no member:
 * length 0. OTTLA_ERROR_ARGUMENT: no group, a generation below -1, or one without a member.
 * Pointers: The texts are readable for their lengths; `group_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_group_metadata_new(const char *group_id,
                                 size_t group_id_len,
                                 int32_t generation,
                                 const char *member_id,
                                 size_t member_id_len,
                                 const char *instance_id,
                                 size_t instance_id_len,
                                 ottla_group_metadata_t **group_out,
                                 ottla_error_t **error_out);

/** Frees a group. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before. */
int32_t ottla_group_metadata_free(ottla_group_metadata_t *group);

/**
 * Gets the id of a producer with `transactional.id` from its coordinator: once, before the first
 * transaction. An older producer with the same `transactional.id` is shut out from here on, and what it
 * left open is aborted. Waits at most `timeout_ms` (below 0: without limit).
 *
 * What holds for all calls about transactions: ask the error what to do. ottla_error_is_abortable(): call
 * ottla_producer_abort_transaction(), then begin again. ottla_error_is_fatal(): close the producer.
 * OTTLA_ERROR_TIMED_OUT: the call goes on; make the same call again (with the same arguments) to wait on.
 * Until it has returned something else, all others of them answer OTTLA_ERROR_STATE (but
 * ottla_producer_close()). OTTLA_ERROR_STATE also when the call does not fit: without `transactional.id`,
 * before this one, outside of a transaction, inside of one.
 *
 * OTTLA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the call may be made again. Fatal here:
 * OTTLA_ERROR_INVALID_TRANSACTION_TIMEOUT, _PRODUCER_FENCED, _UNSUPPORTED_VERSION.
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_init_transactions(ottla_producer_t *producer,
                                         int64_t timeout_ms,
                                         ottla_error_t **error_out);

/**
 * Begins a transaction: what is sent from now on until it ends belongs to it. Without a transaction a
 * producer with `transactional.id` takes no records (OTTLA_ERROR_STATE). Does not wait.
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_begin_transaction(ottla_producer_t *producer,
                                         ottla_error_t **error_out);

/**
 * Has offsets of a consumer group committed with the transaction, if and when it is. They lie `stride` bytes
 * apart (sizeof of your struct); of a partition that comes twice the last one counts; with none at all
 * nothing happens. Waits at most `timeout_ms` (below 0: without limit).
 * Abortable: OTTLA_ERROR_ILLEGAL_GENERATION, _UNKNOWN_MEMBER_ID, _FENCED_INSTANCE_ID: others read the
 * partitions by now; _GROUP_AUTHORIZATION_FAILED.
 * Pointers: `offsets` holds `count` offsets whose texts are readable for their lengths; `error_out` is NULL or
 * writable.
 */
int32_t ottla_producer_send_offsets_to_transaction(ottla_producer_t *producer,
                                                   const ottla_group_offset_t *offsets,
                                                   size_t count,
                                                   size_t stride,
                                                   const ottla_group_metadata_t *group,
                                                   int64_t timeout_ms,
                                                   ottla_error_t **error_out);

/**
 * Sends what lingers, waits until every record of the transaction is acknowledged, and has it committed:
 * readers with isolation.level=read_committed see all of it, or nothing. If a record has failed, nothing
 * is committed: the error is that record's, and abortable. Reports of records come as ever.
 * Waits at most `timeout_ms` (below 0: without limit); OTTLA_ERROR_TIMED_OUT: whether it will be committed
 * is open.
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_commit_transaction(ottla_producer_t *producer,
                                          int64_t timeout_ms,
                                          ottla_error_t **error_out);

/**
 * Gives the transaction up. Records that were not sent are reported with OTTLA_ERROR_ABORTED; those that
 * were sent are never seen by readers with isolation.level=read_committed. Waits at most `timeout_ms`
 * (below 0: without limit).
 * Pointers: `error_out` is NULL or writable.
 */
int32_t ottla_producer_abort_transaction(ottla_producer_t *producer,
                                         int64_t timeout_ms,
                                         ottla_error_t **error_out);

/** Offset 0 of partition 0, and nothing else: name the topic. */
#define OTTLA_GROUP_OFFSET_INIT                                                                     \
    {                                                                                               \
        sizeof(ottla_group_offset_t), 0, NULL, 0, 0, NULL, 0, -1, 0                                 \
    }

/* ---- The cluster as a producer knows it ----------------------------------------------------- */

/**
 * The cluster as a producer knew it at one moment; only topics that it uses. Freed by the caller with
 * ottla_metadata_free(). Never changes, so any number of threads may read it; texts that it
 * gives belong to it.
 */
typedef struct ottla_metadata_t ottla_metadata_t;

/**
 * What the producer knows of the cluster now. Does not wait and asks nobody.
 * Pointers: `metadata_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_metadata(ottla_producer_t *producer,
                                ottla_metadata_t **metadata_out,
                                ottla_error_t **error_out);

/**
 * As ottla_producer_metadata(), but waits until the partitions of `topic` are known, at most
 * `timeout_ms` (below 0: without limit). OTTLA_ERROR_TIMED_OUT, or the topic's error.
 * Pointers: `metadata_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_topic_metadata(ottla_producer_t *producer,
                                      uint32_t topic,
                                      int64_t timeout_ms,
                                      ottla_metadata_t **metadata_out,
                                      ottla_error_t **error_out);

/**
 * Asks the cluster for its brokers and for all topics, or for one: `topic`, if it is not NULL; also those
 * that the producer does not use. Never creates a topic: one that is not there comes with its error. On a
 * connection of its own, at most `timeout_ms` (below 0: without limit). (librdkafka: rd_kafka_metadata.)
 * OTTLA_ERROR_TIMED_OUT, or why no broker can be used.
 * Pointers: `topic` is NULL or readable for its length; `metadata_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_survey(ottla_producer_t *producer,
                              const char *topic,
                              size_t topic_len,
                              int64_t timeout_ms,
                              ottla_metadata_t **metadata_out,
                              ottla_error_t **error_out);

/** The cluster's id, or "" when it is not known. */
const char *ottla_metadata_cluster_id(const ottla_metadata_t *metadata);

/** The controller's id, or -1 when it is not known. */
int32_t ottla_metadata_controller(const ottla_metadata_t *metadata);

/** Number of brokers; 0 until one has answered. */
size_t ottla_metadata_broker_count(const ottla_metadata_t *metadata);

/**
 * The `index`-th broker: its id, host, port, and rack (NULL when it has none). Places may be NULL.
 * Pointers: Each place is NULL or writable.
 */
int32_t ottla_metadata_broker(const ottla_metadata_t *metadata,
                              size_t index,
                              int32_t *id_out,
                              const char **host_out,
                              uint16_t *port_out,
                              const char **rack_out);

/** Number of topics, which are in the order of their names. */
size_t ottla_metadata_topic_count(const ottla_metadata_t *metadata);

/**
 * The `index`-th topic: its name, its id (16 bytes, all 0 when unknown), its error (0 for none) and its
 * number of partitions. Places may be NULL.
 * Pointers: Each place is NULL or writable, `id_out` for 16 bytes.
 */
int32_t ottla_metadata_topic(const ottla_metadata_t *metadata,
                             size_t index,
                             const char **name_out,
                             uint8_t *id_out,
                             int32_t *error_out,
                             size_t *partition_count_out);

/**
 * A partition of the `topic_index`-th topic: its leader (-1: none), the leader's epoch (-1: unknown) and
 * its error (0 for none). Places may be NULL.
 * Pointers: Each place is NULL or writable.
 */
int32_t ottla_metadata_partition(const ottla_metadata_t *metadata,
                                 size_t topic_index,
                                 int32_t partition,
                                 int32_t *leader_out,
                                 int32_t *leader_epoch_out,
                                 int32_t *error_out);

/**
 * The brokers that have a partition, and those of them that are in sync: arrays of ids that belong to
 * the snapshot. Places may be NULL.
 * Pointers: Each place is NULL or writable.
 */
int32_t ottla_metadata_replicas(const ottla_metadata_t *metadata,
                                size_t topic_index,
                                int32_t partition,
                                const int32_t **replicas_out,
                                size_t *replica_count_out,
                                const int32_t **in_sync_out,
                                size_t *in_sync_count_out);

/**
 * Frees a snapshot. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
 * Pointers: Texts and arrays of the snapshot are not used any more.
 */
int32_t ottla_metadata_free(ottla_metadata_t *metadata);

/* ---- Metrics ------------------------------------------------------------------------------ */

/**
 * The metrics of a producer at one moment. Freed by the caller with ottla_metrics_free(). Never
 * changes, so any number of threads may read it; names that it gives belong to it. Totals run since the
 * producer was made: a rate is the difference of two snapshots.
 */
typedef struct ottla_metrics_t ottla_metrics_t;

/**
 * All metrics now.
 * Pointers: `metrics_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_metrics(ottla_producer_t *producer,
                               ottla_metrics_t **metrics_out,
                               ottla_error_t **error_out);

/** Number of metrics. */
size_t ottla_metrics_count(const ottla_metrics_t *metrics);

/**
 * Name and value of the `index`-th metric. The value is NaN for an average or maximum of nothing.
 * Pointers: `name_out` and `value_out` are writable.
 */
int32_t ottla_metrics_at(const ottla_metrics_t *metrics,
                         size_t index,
                         const char **name_out,
                         double *value_out);

/**
 * The value of one metric by name. OTTLA_ERROR_ARGUMENT: there is none of this name.
 * Pointers: `name` is readable for its length; `value_out` is writable.
 */
int32_t ottla_metrics_get(const ottla_metrics_t *metrics,
                          const char *name,
                          size_t name_len,
                          double *value_out);

/**
 * Frees a snapshot. NULL is fine. OTTLA_ERROR_HANDLE if it was freed before.
 * Pointers: Names of the snapshot are not used any more.
 */
int32_t ottla_metrics_free(ottla_metrics_t *metrics);

/* ---- The embedded cluster ----------------------------------------------------------------- */

/**
 * An embedded Kafka cluster on loopback, to test against. Its brokers have the ids 1, 2, .... Made by
 * ottla_mock_cluster_new() and freed by the caller with ottla_mock_cluster_free(), or borrowed
 * from a producer. Any thread may use it. Orders take effect at once.
 */
typedef struct ottla_mock_cluster_t ottla_mock_cluster_t;

/**
 * The records of a partition of the embedded cluster, read back at one moment. Freed by the caller with
 * ottla_mock_records_free(). Never changes, so any number of threads may read it; what it gives
 * belongs to it.
 */
typedef struct ottla_mock_records_t ottla_mock_records_t;

/**
 * Starts a cluster of `brokers` brokers on free ports of 127.0.0.1. Topics are created when a producer
 * asks for them, with 4 partitions. OTTLA_ERROR_TRANSPORT: the system has no socket, port or thread to give.
 * Pointers: `cluster_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_mock_cluster_new(uint32_t brokers,
                               ottla_mock_cluster_t **cluster_out,
                               ottla_error_t **error_out);

/**
 * The embedded cluster of a producer with test.mock.num.brokers, to control it and to read back what it
 * stored. Borrowed: it ends with the producer and is not to be freed; the same handle each time.
 * OTTLA_ERROR_STATE: it has none.
 * Pointers: `cluster_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_producer_mock_cluster(ottla_producer_t *producer,
                                    ottla_mock_cluster_t **cluster_out,
                                    ottla_error_t **error_out);

/**
 * What to set bootstrap.servers to. Belongs to the cluster handle, valid until that is freed; "" for a
 * wrong handle.
 */
const char *ottla_mock_cluster_bootstrap_servers(const ottla_mock_cluster_t *cluster);

/**
 * Creates a topic with so many partitions, each on `replication` brokers.
 * OTTLA_ERROR_TOPIC_ALREADY_EXISTS, _INVALID_TOPIC_EXCEPTION, _INVALID_PARTITIONS,
 * _INVALID_REPLICATION_FACTOR.
 * Pointers: `topic` is readable for its length.
 */
int32_t ottla_mock_cluster_create_topic(ottla_mock_cluster_t *cluster,
                                        const char *topic,
                                        size_t topic_len,
                                        uint32_t partitions,
                                        uint32_t replication);

/**
 * The number of partitions of a topic. OTTLA_ERROR_UNKNOWN_TOPIC.
 * Pointers: `topic` is readable for its length; `count_out` is writable.
 */
int32_t ottla_mock_cluster_partition_count(const ottla_mock_cluster_t *cluster,
                                           const char *topic,
                                           size_t topic_len,
                                           size_t *count_out);

/** Takes a broker down: its connections close, its partitions get other leaders. */
int32_t ottla_mock_cluster_broker_down(ottla_mock_cluster_t *cluster, int32_t broker);

/** Brings a broker back. */
int32_t ottla_mock_cluster_broker_up(ottla_mock_cluster_t *cluster, int32_t broker);

/**
 * Gives a partition to another leader; -1: to none.
 * Pointers: `topic` is readable for its length.
 */
int32_t ottla_mock_cluster_set_leader(ottla_mock_cluster_t *cluster,
                                      const char *topic,
                                      size_t topic_len,
                                      int32_t partition,
                                      int32_t broker);

/**
 * Refuses the next requests of an API (Kafka's key: 0 is Produce, 3 Metadata) with these codes, one each;
 * 0 lets one pass, OTTLA_ERROR_TRANSPORT closes the connection. To Produce, OTTLA_ERROR_REQUEST_TIMED_OUT
 * and OTTLA_ERROR_NOT_ENOUGH_REPLICAS_AFTER_APPEND are answered after the append.
 * Pointers: `codes` is readable for `count` codes.
 */
int32_t ottla_mock_cluster_push_errors(ottla_mock_cluster_t *cluster,
                                       int16_t api_key,
                                       const int32_t *codes,
                                       size_t count);

/**
 * Answers the next batches of a partition with these codes, one each, as ottla_mock_cluster_push_errors();
 * but none of them closes the connection.
 * Pointers: `topic` is readable for its length, `codes` for `count` codes.
 */
int32_t ottla_mock_cluster_push_partition_errors(ottla_mock_cluster_t *cluster,
                                                 const char *topic,
                                                 size_t topic_len,
                                                 int32_t partition,
                                                 const int32_t *codes,
                                                 size_t count);

/**
 * Holds every answer of a broker (-1: of all) to an API (-1: to all) back for so many milliseconds; 0
 * ends that. The most specific order counts.
 */
int32_t ottla_mock_cluster_set_delay(ottla_mock_cluster_t *cluster,
                                     int32_t broker,
                                     int16_t api_key,
                                     uint64_t delay_ms);

/** Forgets every error and delay that was ordered. */
int32_t ottla_mock_cluster_clear_faults(ottla_mock_cluster_t *cluster);

/**
 * How many requests of an API have arrived at a broker (-1: at all).
 * Pointers: `count_out` is writable.
 */
int32_t ottla_mock_cluster_request_count(const ottla_mock_cluster_t *cluster,
                                         int32_t broker,
                                         int16_t api_key,
                                         uint64_t *count_out);

/**
 * The offset that the next record of a partition will get.
 * Pointers: `topic` is readable for its length; `offset_out` is writable.
 */
int32_t ottla_mock_cluster_end_offset(const ottla_mock_cluster_t *cluster,
                                      const char *topic,
                                      size_t topic_len,
                                      int32_t partition,
                                      int64_t *offset_out);

/**
 * Frees a cluster that was made by ottla_mock_cluster_new(): it stops serving. NULL is fine.
 * OTTLA_ERROR_STATE: it is borrowed from a producer. OTTLA_ERROR_HANDLE if it was freed before.
 */
int32_t ottla_mock_cluster_free(ottla_mock_cluster_t *cluster);

/**
 * Reads back every record of a partition, whatever became of its transaction
 * (ottla_mock_cluster_records_isolated() tells them apart). OTTLA_ERROR_UNKNOWN_TOPIC, _UNKNOWN_PARTITION.
 * Pointers: `topic` is readable for its length; `records_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_mock_cluster_records(const ottla_mock_cluster_t *cluster,
                                   const char *topic,
                                   size_t topic_len,
                                   int32_t partition,
                                   ottla_mock_records_t **records_out,
                                   ottla_error_t **error_out);

/** Number of records. */
size_t ottla_mock_records_count(const ottla_mock_records_t *records);

/**
 * The `index`-th record: its fields point into `records`. Set `record_out->size` first, as
 * OTTLA_RECORD_INIT does; topic and token are 0.
 * Pointers: `record_out` is writable for the size that it begins with; `offset_out` is NULL or writable.
 */
int32_t ottla_mock_records_at(const ottla_mock_records_t *records,
                              size_t index,
                              ottla_record_t *record_out,
                              int64_t *offset_out);

/**
 * Frees records that were read back. NULL is fine. OTTLA_ERROR_HANDLE if they were freed before.
 * Pointers: What the records gave is not used any more.
 */
int32_t ottla_mock_records_free(ottla_mock_records_t *records);

/**
 * Everything, also what was aborted or is not decided yet (isolation.level of Kafka's consumers).
 */
#define OTTLA_ISOLATION_READ_UNCOMMITTED 0

/**
 * What was committed or never in a transaction, up to the first transaction that is still open.
 */
#define OTTLA_ISOLATION_READ_COMMITTED 1

/**
 * Reads back the records of a partition that a consumer of this isolation (OTTLA_ISOLATION_...) would get by
 * now. Transaction markers are no records, whatever the isolation. Freed by the caller with
 * ottla_mock_records_free(). OTTLA_ERROR_ARGUMENT: no such isolation; _UNKNOWN_TOPIC, _UNKNOWN_PARTITION.
 * Pointers: `topic` is readable for its length; `records_out` is writable; `error_out` is NULL or writable.
 */
int32_t ottla_mock_cluster_records_isolated(const ottla_mock_cluster_t *cluster,
                                            const char *topic,
                                            size_t topic_len,
                                            int32_t partition,
                                            int32_t isolation_level,
                                            ottla_mock_records_t **records_out,
                                            ottla_error_t **error_out);

/**
 * The offset that a consumer group has committed for a partition, as a new consumer of the group would find
 * it: -1 when there is none. Offsets sent to a transaction count once that is committed and its markers
 * are written.
 * Pointers: `group` and `topic` are readable for their lengths; `offset_out` is writable.
 */
int32_t ottla_mock_cluster_committed_offset(const ottla_mock_cluster_t *cluster,
                                            const char *group,
                                            size_t group_len,
                                            const char *topic,
                                            size_t topic_len,
                                            int32_t partition,
                                            int64_t *offset_out);

/**
 * Makes the brokers as old as those of a Kafka release, "2.8" say, from 0.8 on: they speak its versions, and
 * treat producers and transactions as it did. OTTLA_ERROR_ARGUMENT for anything else.
 * Pointers: `release` is readable for its length.
 */
int32_t ottla_mock_cluster_set_kafka_version(ottla_mock_cluster_t *cluster,
                                             const char *release,
                                             size_t release_len);

/**
 * Finalizes another `transaction.version` (KIP-890): 2, 1 or 0, or -1 for a cluster that does not know
 * it. It is 2 unless told. Clients hear of it by their next ApiVersions. OTTLA_ERROR_ARGUMENT for other
 * levels.
 */
int32_t ottla_mock_cluster_set_transaction_version(ottla_mock_cluster_t *cluster,
                                                   int32_t level);

/**
 * How many milliseconds after the end of a transaction its markers are written, from now on: 0 unless told.
 * Until then its records are undecided, and its transactional id answers
 * OTTLA_ERROR_CONCURRENT_TRANSACTIONS.
 */
int32_t ottla_mock_cluster_set_marker_delay(ottla_mock_cluster_t *cluster,
                                            uint64_t delay_ms);

/* ---- NUL-terminated text ------------------------------------------------------------------ */

/** ottla_config_set() with NUL-terminated texts. */
static inline int32_t ottla_config_set_str(ottla_config_t *config, const char *key,
                                           const char *value, ottla_error_t **error_out)
{
    return ottla_config_set(config, key, key ? strlen(key) : 0, value, value ? strlen(value) : 0,
                            error_out);
}

/** ottla_producer_topic() with a NUL-terminated name. */
static inline int32_t ottla_producer_topic_str(ottla_producer_t *producer, const char *name,
                                               uint32_t *topic_out, ottla_error_t **error_out)
{
    return ottla_producer_topic(producer, name, name ? strlen(name) : 0, topic_out, error_out);
}

/** ottla_metrics_get() with a NUL-terminated name. */
static inline int32_t ottla_metrics_get_str(const ottla_metrics_t *metrics, const char *name,
                                            double *value_out)
{
    return ottla_metrics_get(metrics, name, name ? strlen(name) : 0, value_out);
}

/** ottla_mock_cluster_create_topic() with a NUL-terminated name. */
static inline int32_t ottla_mock_cluster_create_topic_str(ottla_mock_cluster_t *cluster,
                                                          const char *topic, uint32_t partitions,
                                                          uint32_t replication)
{
    return ottla_mock_cluster_create_topic(cluster, topic, topic ? strlen(topic) : 0, partitions,
                                           replication);
}

/** ottla_mock_cluster_records() with a NUL-terminated name. */
static inline int32_t ottla_mock_cluster_records_str(const ottla_mock_cluster_t *cluster,
                                                     const char *topic, int32_t partition,
                                                     ottla_mock_records_t **records_out,
                                                     ottla_error_t **error_out)
{
    return ottla_mock_cluster_records(cluster, topic, topic ? strlen(topic) : 0, partition,
                                      records_out, error_out);
}

#ifdef __cplusplus
}
#endif

#endif /* OTTLA_H */
