//! The committed header is the generated one, and it is complete: every exported function is declared,
//! explained, and has its year of birth in `include/symbols.txt`.

use std::path::Path;

fn include(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include").join(name)
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn generated() -> String {
    read(env!("OTTLA_GENERATED_HEADER"))
}

/// Names of the functions that a header declares and the library exports.
fn declared(header: &str) -> Vec<&str> {
    let mut names: Vec<&str> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '*', '#', '/']) && !line.contains("static inline"))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("ottla_"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn the_committed_header_is_the_generated_one() {
    if std::env::var_os("OTTLA_UPDATE_HEADER").is_some() {
        std::fs::write(include("ottla.h"), generated()).unwrap();
    }
    assert!(
        read(include("ottla.h")) == generated(),
        "include/ottla.h is old: run OTTLA_UPDATE_HEADER=1 cargo test --test header"
    );
}

#[test]
fn every_function_is_explained() {
    let header = generated();
    let lines: Vec<&str> = header.lines().collect();
    for name in declared(&header) {
        let at = lines
            .iter()
            .position(|line| !line.starts_with([' ', '/']) && line.contains(&format!("{name}(")));
        let before = lines[at.unwrap() - 1];
        assert!(before.ends_with("*/"), "{name} has no comment in front of it");
    }
}

/// Functions that a test program calls, by their own name or by that of the inline function around them.
fn called(program: &str, name: &str) -> bool {
    program.contains(&format!("{name}(")) || program.contains(&format!("{name}_str("))
}

#[test]
fn every_function_is_misused_in_a_test() {
    let tests = include("..").join("tests/c");
    let misuse = read(tests.join("misuse.c"));
    let fork = read(tests.join("fork.c"));
    let header = generated();
    for name in declared(&header) {
        assert!(called(&misuse, name), "{name} does not stand in tests/c/misuse.c");
        let running =
            name.starts_with("ottla_producer_") || name.starts_with("ottla_mock_cluster_");
        assert!(!running || called(&fork, name), "{name} does not stand in tests/c/fork.c");
    }
}

#[test]
fn every_error_code_is_a_constant() {
    let header = generated();
    for code in ottla::error::ErrorCode::known() {
        let value = match code.value() {
            value if value < 0 => format!("({value})"),
            value => value.to_string(),
        };
        let line = format!("#define OTTLA_ERROR_{} {value}\n", code.name());
        assert!(header.contains(&line), "{line}");
    }
}

#[test]
fn every_function_has_its_birth_in_the_list_of_symbols() {
    let symbols = read(include("symbols.txt"));
    let listed: Vec<&str> = symbols
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    let header = generated();
    assert_eq!(listed, declared(&header));
}
