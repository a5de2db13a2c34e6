#!/usr/bin/env bash
# The pure core under Miri, which finds undefined behaviour, leaks and data races in what the tests execute:
# formats, requests, settings, delivery, sequences, and the memory and queues of the accumulator.
#
#   tests/sanitize/miri.sh [FILTER...]     names of tests; default: the groups below, all at once
#
# The rules of borrowing judge unsafe code. The core has none (ARCHITECTURE.md, 6), so they are off there, as they
# cost time. They are on for what of the C face runs without sockets (the table of handles, the reading of
# columns), and for the words that C programs read: as Tree Borrows, the newer of the two models.
#
# Left out, and why:
#   sockets, files, whole producers (net, mock, producer, client, the rest of capi): Miri has no sockets
#   delivery's wake-up descriptor: a socket, as above
#   backoff: its jitter needs more draws than Miri has time for
#   accumulator::split, accumulator::schedule: safe code alone, and their tests move megabytes or make thousands of rounds
#   record::compress, accumulator::encode: the codecs are other people's crates, zstd is C, and Miri takes minutes for a window
#   config::rules, config::tests: safe code alone, and each test reads all settings several times, a minute each
# Tests of thousands of rounds make some tens under Miri (`cfg!(miri)`); properties are tried on one input.
#
# Needs the nightly toolchain with miri and rust-src.
set -euo pipefail
cd "$(dirname "$0")/../.."
groups=(
    "accumulator::append accumulator::parked accumulator::partition accumulator::pool accumulator::ratio accumulator::admission time::"
    "record:: protocol::produce"
    "protocol::wire protocol::framing protocol::frame protocol::versions txn:: partitioner:: delivery:: metadata::merge config::bootstrap"
)
borrowing="capi::registry capi::columns delivery::waiting"
skip=(--skip record::compress --skip accumulator::encode --skip descriptor::)
export PROPTEST_CASES="${PROPTEST_CASES:-1}" PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
# The clock is the machine's, as waits are measured with it; seeds are fixed, so that a run can be repeated.
common="-Zmiri-disable-isolation -Zmiri-seed=1 ${MIRIFLAGS:-}"
without="$common -Zmiri-disable-stacked-borrows"
with="$common -Zmiri-tree-borrows"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/miri"
# What only the compiler runs is not optimized, other than in dev.
test=(cargo +nightly miri test --config 'profile.dev.package."*".opt-level=0' --lib --no-default-features
    --features "gzip,snappy,lz4")
[ $# -eq 0 ] || MIRIFLAGS=$with exec "${test[@]}" -- "$@"

# Each fault must be told of.
sysroot=$(cargo +nightly miri setup --print-sysroot 2>/dev/null)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
for fault in race:"Data race" leak:"memory leaked" borrow:"Undefined Behavior"; do
    # Words on purpose: each is a flag.
    # shellcheck disable=SC2086
    if "$(rustc +nightly --print sysroot)/bin/miri" --sysroot "$sysroot" --edition 2021 --cfg "${fault%%:*}" \
        $with tests/sanitize/undefined.rs >"$logs/fault" 2>&1 || ! grep -q "${fault#*:}" "$logs/fault"; then
        echo "Miri does not see a ${fault%%:*}:"
        cat "$logs/fault"
        exit 1
    fi
done

MIRIFLAGS=$with "${test[@]}" --no-run
running=()
start() { # start FLAGS FILTERS
    # shellcheck disable=SC2086
    MIRIFLAGS=$1 "${test[@]}" -- "${skip[@]}" $2 >"$logs/${#running[@]}" 2>&1 &
    running+=($!)
}
for group in "${groups[@]}"; do start "$without" "$group"; done
start "$with" "$borrowing"
failed=0
for at in "${!running[@]}"; do
    wait "${running[$at]}" || failed=1
    cat "$logs/$at"
done
exit $failed
