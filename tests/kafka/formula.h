/* Which record stands for input number i; the same formula as formula.py, from which the checker expects it.
 * Plain C that C++ takes too. */
#ifndef OTTLA_TESTS_KAFKA_FORMULA_H
#define OTTLA_TESTS_KAFKA_FORMULA_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FORMULA_FIRST_TIMESTAMP_MS INT64_C(1700000000000)
#define FORMULA_PATTERN_BYTES (65536 + 256)

static unsigned char formula_pattern[FORMULA_PATTERN_BYTES];

typedef struct {
    const char *name;
    const unsigned char *value; /* NULL: a null value */
    size_t value_bytes;
} formula_header;

typedef struct {
    int64_t timestamp_ms;
    const unsigned char *key; /* NULL: a null key */
    size_t key_bytes;
    const unsigned char *value; /* NULL: a null value */
    size_t value_bytes;
    formula_header headers[3];
    size_t header_count;
    unsigned char key_room[24];
    unsigned char value_room[8 + 256];
    unsigned char identity[8];
} formula_record;

/* Spreads a number over 64 bits (the finalizer of splitmix64). */
static uint64_t formula_mix(uint64_t number)
{
    uint64_t z = number * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Must run once before formula_make. */
static void formula_begin(void)
{
    for (size_t at = 0; at < FORMULA_PATTERN_BYTES; at++)
        formula_pattern[at] = (unsigned char)(formula_mix(at / 8 + 1) >> (at % 8 * 8));
}

/* Fills `record` with input `number`; its pointers lead into `record` and the pattern. */
static void formula_make(uint64_t number, formula_record *record)
{
    uint64_t r = formula_mix(number + 1);
    size_t start = (size_t)(r >> 32 & 0xFFFF);
    size_t length = (size_t)(r >> 48 & 0xFF);
    for (int byte = 0; byte < 8; byte++)
        record->identity[byte] = (unsigned char)(number >> (56 - 8 * byte));

    record->timestamp_ms = FORMULA_FIRST_TIMESTAMP_MS + (int64_t)number;
    record->key = (r & 15) == 0 ? NULL : record->key_room;
    record->key_bytes = 0;
    if ((r & 15) > 1)
        record->key_bytes = (size_t)snprintf((char *)record->key_room, sizeof record->key_room, "key-%u",
                                             (unsigned)((r >> 8) % 5000));

    record->header_count = (size_t)(r >> 60 & 3);
    record->value = record->value_room;
    record->value_bytes = 8 + length;
    memcpy(record->value_room, record->identity, 8);
    memcpy(record->value_room + 8, formula_pattern + start, length);
    if ((r >> 24 & 63) == 0) {
        record->value = NULL;
        record->value_bytes = 0;
        if (record->header_count == 0)
            record->header_count = 1; /* the identity must stand somewhere */
    }
    record->headers[0] = (formula_header){"number", record->identity, 8};
    record->headers[1] = (formula_header){"traceparent", formula_pattern + start, 16};
    record->headers[2] = (formula_header){"\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87", NULL, 0};
}

#endif
