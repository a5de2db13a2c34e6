#!/usr/bin/env bash
# The pure core under Miri, which finds undefined behaviour, leaks and data races in what the tests execute:
# formats, delivery, and the memory and queues of the accumulator.
#
#   tests/sanitize/miri.sh [FILTER...]     names of tests; default: the groups below, all at once
#
# Left out, and why:
#   sockets, files, the clock of the machine (net, mock, producer, capi): Miri has no sockets
#   record::compress: the codecs are other people's crates, zstd is C, and Miri takes minutes for a window
# Tests of thousands of rounds make some tens under Miri (`cfg!(miri)`); properties are tried on two inputs.
# The rules of borrowing are not checked: they judge unsafe code, the core has none, and they cost the most.
#
# Needs the nightly toolchain with miri and rust-src.
set -euo pipefail
cd "$(dirname "$0")/../.."
groups=(
    "record:: protocol::wire protocol::framing"
    "protocol::produce delivery:: accumulator:: partitioner:: time:: backoff::"
)
export PROPTEST_CASES="${PROPTEST_CASES:-2}" PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
# The clock is the machine's, as waits are measured with it; seeds are fixed, so that a run can be repeated.
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-seed=1 -Zmiri-disable-stacked-borrows ${MIRIFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/miri"
test=(cargo +nightly miri test --lib --no-default-features --features "gzip,snappy,lz4")
[ $# -eq 0 ] || exec "${test[@]}" -- "$@"

"${test[@]}" --no-run
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
running=()
for group in "${!groups[@]}"; do
    # Words on purpose: each is a filter.
    # shellcheck disable=SC2086
    "${test[@]}" -- --skip record::compress ${groups[$group]} >"$logs/$group" 2>&1 &
    running+=($!)
done
failed=0
for group in "${!groups[@]}"; do
    wait "${running[$group]}" || failed=1
    cat "$logs/$group"
done
exit $failed
