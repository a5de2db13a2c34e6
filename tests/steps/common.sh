# Sourced by the steps: strict mode, the root as working directory, and where builds go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TARGET=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$TARGET
export CARGO_TERM_COLOR=never
FEATURES=cli,sim

# One release build serves every step that runs optimized code.
release() {
    cargo build --quiet --release --features $FEATURES
}

# cannot TEXT: what this step needs cannot be had here.
cannot() {
    echo "cannot run here: $*"
    exit 77
}
