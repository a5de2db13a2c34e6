#!/usr/bin/env bash
# The stress test under ThreadSanitizer: every memory access of the library and of the standard library (which is
# built with the same instrumentation, or its own locks would look like races) is checked for one without order.
#
#   tests/sanitize/tsan.sh [SECONDS]     how long the threads work; default 5
#
# Needs the nightly toolchain with rust-src.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(rustc -vV | sed -n 's/^host: //p')
export OTTLA_STRESS_SECONDS="${1:-5}"
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
cargo +nightly test -Zbuild-std --target "$target" --test stress -- --nocapture
