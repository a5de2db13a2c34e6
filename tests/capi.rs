//! The C face as C and C++ programs see it: each program of tests/c is compiled against the committed header,
//! linked with the shared library and run. They check themselves; this file finds the compiler.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const C: &[&str] = &["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-D_GNU_SOURCE", "-g"];
const CXX: &[&str] = &["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts the library that this test was built with.
fn library_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let deps = test.parent().unwrap();
    let holds =
        |dir: &Path| dir.join("libottla.so").exists() || dir.join("libottla.dylib").exists();
    let found = [deps, deps.parent().unwrap()].into_iter().find(|dir| holds(dir));
    found.unwrap_or_else(|| panic!("no shared library in {}", deps.display())).to_path_buf()
}

fn compiler(variable: &str, otherwise: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| otherwise.into()))
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A run of a program that was linked with `library_dir`. Cargo's own search path would lead it to
/// whatever library an earlier `cargo build` has left.
fn start(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_remove("LD_LIBRARY_PATH").env_remove("DYLD_FALLBACK_LIBRARY_PATH");
    command
}

/// Compiles and links one source.
fn build(source: &str, flags: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    let mut command = match source.ends_with(".cpp") {
        true => compiler("CXX", "c++"),
        false => compiler("CC", "cc"),
    };
    command
        .args(if source.ends_with(".cpp") { CXX } else { C })
        .args(flags)
        .arg(root().join(source))
        .arg("-o")
        .arg(&program)
        .arg("-I")
        .arg(root().join("include"))
        .arg("-L")
        .arg(library_dir())
        .arg(format!("-Wl,-rpath,{}", library_dir().display()))
        .args(["-lottla", "-lpthread"]);
    succeed(&mut command);
    (dir, program)
}

fn run(source: &str) {
    let plain = source.ends_with(".cpp") && !source.ends_with("exceptions.cpp");
    let flags: &[&str] = if plain { &["-fno-exceptions", "-fno-rtti"] } else { &[] };
    let (_dir, program) = build(source, flags);
    succeed(&mut start(&program));
}

/// The examples send a file to the embedded cluster and compare what it stored.
fn produce_file(source: &str) {
    let (dir, program) = build(source, &[]);
    let file = dir.path().join("input");
    let mut text = std::fs::read(root().join("include/ottla.h")).unwrap();
    text.extend_from_slice(b"\n\0 bytes \xff\r\n\n and no newline at the end");
    std::fs::write(&file, text).unwrap();
    let output = succeed(start(&program).arg(&file));
    assert!(String::from_utf8_lossy(&output.stdout).contains("the same, byte for byte"));
    std::fs::write(&file, "").unwrap();
    succeed(start(&program).arg(&file));
    let refused = start(&program).arg(&file).arg("127.0.0.1:1").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let unknown = start(&program).arg(dir.path().join("none")).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
}

#[test]
fn the_c_example_reads_back_what_it_sent() {
    produce_file("examples/c/produce_file.c");
}

#[test]
fn the_cpp_example_reads_back_what_it_sent() {
    produce_file("examples/cpp/produce_file.cpp");
}

macro_rules! programs {
    ($($name:ident $source:literal;)+) => {
        $(#[test] fn $name() { run(concat!("tests/c/", $source)); })+
    };
}

programs! {
    a_producer_from_its_settings_to_its_end "lifecycle.c";
    every_misuse_has_a_status "misuse.c";
    a_batch_is_sent_whole_and_told_apart "batch.c";
    callbacks_keep_their_contract "callbacks.c";
    a_partitioner_of_the_application_is_asked_and_obeyed "partitioner.c";
    records_go_as_columns_and_words_tell_what_waits "columns.c";
    threads_share_a_producer_and_memory_returns "threads.c";
    a_forked_child_is_refused "fork.c";
    transactions_are_seen_whole_or_not_at_all "transactions.c";
    the_cpp_face_owns_moves_and_tells "face.cpp";
    an_exception_in_a_partitioner_stays_there "exceptions.cpp";
    c_conforms_in_records "conformance_records.c";
    c_conforms_in_errors "conformance_errors.c";
    c_conforms_in_room_and_time "conformance_room.c";
    c_conforms_in_its_ends "conformance_ends.c";
    c_conforms_in_faults "conformance_faults.c";
    cpp_conforms_in_records "conformance_records.cpp";
    cpp_conforms_in_errors "conformance_errors.cpp";
    cpp_conforms_in_room_and_time "conformance_room.cpp";
    cpp_conforms_in_its_ends_and_callbacks "conformance_ends.cpp";
    cpp_conforms_in_threads_and_faults "conformance_faults.cpp";
    c_conforms_in_transactions "conformance_transactions.c";
    cpp_conforms_in_transactions "conformance_transactions.cpp";
}

/// They read /proc, too.
#[test]
#[cfg(target_os = "linux")]
fn c_and_cpp_conform_in_memory_and_process() {
    run("tests/c/conformance_process.c");
    run("tests/c/conformance_process.cpp");
}

/// What it asks of /proc, only Linux has.
#[test]
#[cfg(target_os = "linux")]
fn an_idle_producer_sleeps_on_one_thread() {
    run("tests/c/idle.c");
}

/// Warnings that the programs of others may have made errors, in what the headers bring along.
const STRICT: &[&str] =
    &["-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wcast-qual", "-Wundef"];

/// Every initializer there is.
const INITIALIZERS: &str = "ottla_record_t a = OTTLA_RECORD_INIT;\n\
    ottla_callbacks_t b = OTTLA_CALLBACKS_INIT;\n\
    ottla_columns_t c = OTTLA_COLUMNS_INIT;\n\
    ottla_event_t d = OTTLA_EVENT_INIT;\n\
    ottla_group_offset_t e = OTTLA_GROUP_OFFSET_INIT;\n";

/// Alone, twice, as C and as C++, with every compiler that is here.
#[test]
fn the_header_needs_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let include = root().join("include");
    let (plain, face) = ("#include <ottla.h>\n", "#include <ottla.hpp>\n");
    let there = |name: &&&str| Command::new(name).arg("--version").output().is_ok();
    for (name, text) in [
        ("alone.c", format!("{plain}{INITIALIZERS}")),
        ("twice.c", format!("{plain}{plain}{INITIALIZERS}")),
        ("alone.cpp", format!("{plain}{INITIALIZERS}")),
        ("twice.cpp", format!("{plain}{plain}")),
        ("face.cpp", face.to_string()),
        ("face_twice.cpp", format!("{face}{face}{plain}")),
    ] {
        let source = dir.path().join(name);
        std::fs::write(&source, text).unwrap();
        let (own, others, flags) = match name.ends_with(".cpp") {
            true => (compiler("CXX", "c++"), &["g++", "clang++"], CXX),
            false => (compiler("CC", "cc"), &["gcc", "clang"], C),
        };
        let others = others.iter().filter(there).map(Command::new);
        for mut command in std::iter::once(own).chain(others) {
            command.args(flags).args(STRICT).arg("-fsyntax-only");
            succeed(command.arg("-I").arg(&include).arg(&source));
        }
    }
}

/// Nothing but what the list says leaves the library.
#[test]
#[cfg(target_os = "linux")]
fn the_library_exports_what_is_listed() {
    let mut command = Command::new("nm");
    let library = library_dir().join("libottla.so");
    let output = succeed(command.args(["-D", "--defined-only", "-P"]).arg(library));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut exported: Vec<&str> =
        text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    exported.sort_unstable();
    let symbols = std::fs::read_to_string(root().join("include/symbols.txt")).unwrap();
    let listed: Vec<&str> = symbols
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(exported, listed);
}
