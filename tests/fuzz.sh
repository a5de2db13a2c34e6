#!/usr/bin/env bash
# Feeds the decoders, the configuration and the embedded broker with bytes that libFuzzer makes up.
#
#   tests/fuzz.sh [SECONDS [TARGET...]]     seconds for each target; default 5, all targets
#
# The seed is fixed, so that a short run does the same every time; SEED=0 draws one. What is found is kept in
# fuzz/artifacts/TARGET, and a corpus in fuzz/corpus/TARGET. Needs the nightly toolchain and a C++ compiler.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds="${1:-5}"
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(decode_response record_reader record_builder config mock_request)
target=$(rustc -vV | sed -n 's/^host: //p')
# As cargo-fuzz does it: coverage counters for the library, the address sanitizer around everything.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Cdebug-assertions -Ccodegen-units=1"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/fuzz"
cargo +nightly build --release --target "$target" --bins
for name in "${targets[@]}"; do
    mkdir -p "corpus/$name" "artifacts/$name"
    echo "fuzz: $name for $seconds s"
    "$CARGO_TARGET_DIR/$target/release/$name" "corpus/$name" -seed="${SEED:-1}" -max_total_time="$seconds" \
        -max_len=4096 -rss_limit_mb=1024 -malloc_limit_mb=256 -timeout=10 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="artifacts/$name/" 2>&1 | grep -E "number_of_executed_units|peak_rss|ERROR|panicked|SUMMARY|Test unit" \
        || [ "${PIPESTATUS[0]}" = 0 ]
    [ "${PIPESTATUS[0]:-0}" = 0 ]
done
