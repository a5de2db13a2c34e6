#!/usr/bin/env bash
# The whole library under ThreadSanitizer: every memory access of it, of its crates and of the standard library
# (which is built with the same instrumentation, or its own locks would look like races) is checked for one
# without order. On real threads and sockets, against the embedded cluster:
#   tests/stress.rs    many threads send singly and in batches, flush, purge, poll, wait for futures, close meanwhile;
#                      a cluster that misbehaves; compression, interceptors, callbacks, metrics
#   tests/embedded.rs  every codec, callbacks and reports from many threads, and what was stored
#   tests/c            the C and C++ programs, compiled in the same way
# Not: idle.c, which counts the process's threads (ThreadSanitizer has one), and fork.c and conformance_process, which
# fork (a child of a process with threads has none of ThreadSanitizer's own; steps unit and asan run them).
# Fences are what ThreadSanitizer does not know. The library has them at two places (accumulator/inbox.rs, and
# count_out and count_in_waiting of accumulator/mod.rs), where both sides are atomics; no access relies on them for its
# order, so nothing has to be suppressed. `races/` has them as models.
#
#   tests/sanitize/tsan.sh [SECONDS]     how long the threads of each stress test work, twice; default 3
#
# Needs the nightly toolchain with rust-src.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(rustc -vV | sed -n 's/^host: //p')
export OTTLA_STRESS_SECONDS="${1:-3}"
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
frames='stack_trace_format="    #%n %f %S"'
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 $frames ${TSAN_OPTIONS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
# Crates are not optimized, other than in dev: the compiler's share is the greater one here.
cargo=(cargo +nightly test --config 'profile.dev.package."*".opt-level=0' -Zbuild-std --target "$target")
tests=(--test stress --test embedded)
"${cargo[@]}" "${tests[@]}" --no-run

# C programs get the runtime that the compiler of Rust brings, and the library its symbols from them.
library=$CARGO_TARGET_DIR/$target/debug/deps
runtime=$(rustc +nightly --print sysroot)/lib/rustlib/$target/lib/librustc-nightly_rt.tsan.a
out=build/tsan
mkdir -p "$out"
flags=(-D_GNU_SOURCE -g -O1 -fsanitize=thread -Wall -Wextra -I include)
link=(-Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -Wl,--export-dynamic
    -L "$library" "-Wl,-rpath,$library" -lottla -lstdc++ -lpthread -ldl -lrt -lm)

build() { # build SOURCE PROGRAM
    case $1 in
    *.c) cc -std=c11 "${flags[@]}" -c -o "$2.o" "$1" ;;
    *) c++ -std=c++17 "${flags[@]}" -c -o "$2.o" "$1" ;;
    esac
    cc -o "$2" "$2.o" "${link[@]}"
}

# A race between a program and the library must be told of, with the library's side of it.
build tests/sanitize/race.c "$out/race"
code=0
told=$("$out/race" 2>&1) || code=$?
if [ $code -ne 66 ] || ! grep -q "data race" <<<"$told" || ! grep -q "ottla::capi::columns" <<<"$told"; then
    echo "ThreadSanitizer does not see a race ($code): $told"
    exit 1
fi

"${cargo[@]}" "${tests[@]}" -- --nocapture --test-threads 1
passed=0 failed=0
for source in tests/c/*.c tests/c/*.cpp; do
    case $source in */idle.c | */fork.c | */conformance_process.*) continue ;; esac
    program=$out/$(basename "${source//./-}")
    build "$source" "$program"
    if timeout 300 "$program"; then
        passed=$((passed + 1))
    else
        echo "FAIL $source ($?)"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $passed -gt 0 ] && [ $failed -eq 0 ]
