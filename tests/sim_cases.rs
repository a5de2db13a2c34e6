//! Seeds that once found a fault in the core, each with what it was.

use ottla::sim::{run, Options};

fn passes(seed: u64) {
    let outcome = run(Options::draw(seed), false);
    assert_eq!(outcome.failure, None, "{}", Options::draw(seed));
}
