//! What the tool says about itself, and the reference of settings.

use crate::run::ottla;

#[test]
fn every_command_explains_itself_with_examples() {
    let all = ottla(&["--help"], b"").ended(0);
    for command in ["produce", "perf", "mock", "metadata", "settings"] {
        assert!(all.text().contains(&format!("  {command}")), "{}", all.text());
        let one = ottla(&[command, "--help"], b"").ended(0);
        assert!(one.text().contains("Examples:\n"), "{command}: {}", one.text());
        assert!(one.text().contains(&format!("ottla {command}")), "{command}");
    }
    let ran = ottla(&["--version"], b"").ended(0);
    assert_eq!(ran.text(), format!("ottla {}\n", env!("CARGO_PKG_VERSION")));
    ottla(&[], b"").ended(2).said("Usage");
}

#[test]
fn settings_are_listed_found_and_explained() {
    let all = ottla(&["settings"], b"").ended(0);
    assert!(all.text().contains("delivery.timeout.ms"));
    let one = ottla(&["settings", "queue.buffering.max.ms"], b"").ended(0);
    assert!(one.text().starts_with("linger.ms, "), "{}", one.text());
    ottla(&["settings", "linger.mss"], b"").ended(2).said("did you mean `linger.ms`?");
    let markdown = ottla(&["settings", "--markdown"], b"").ended(0);
    assert!(markdown.text().starts_with("# Settings\n"));
    let differences = ottla(&["settings", "--differences"], b"").ended(0);
    assert!(differences.text().contains("consistent_random"));
}
