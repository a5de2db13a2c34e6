#!/usr/bin/env bash
# The pure core under Miri, which finds undefined behaviour, leaks and data races in what the tests execute:
# formats, codecs, delivery, and the memory and queues of the accumulator. Nothing with a socket, which
# Miri does not have.
#
#   tests/sanitize/miri.sh [FILTER...]     names of tests; default: the modules below
#
# Needs the nightly toolchain with miri and rust-src.
set -euo pipefail
cd "$(dirname "$0")/../.."
modules=(
    record:: protocol::frame protocol::framing protocol::wire protocol::produce
    delivery:: accumulator:: partitioner:: time:: backoff::
)
export PROPTEST_CASES="${PROPTEST_CASES:-2}" PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
# The clock is the machine's, as waits are measured with it; seeds are fixed, so that a run can be repeated.
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-seed=1 ${MIRIFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/miri"
# Without zstd, which is C.
cargo +nightly miri test --lib --no-default-features --features gzip,snappy,lz4 -- "${@:-${modules[@]}}"
