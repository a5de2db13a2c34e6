//! The house rules, read from the text of the sources: who may import whom, where unsafe code, clocks,
//! threads and sockets may stand, how long things may be. Each rule has a test that shows it can fail.
//! To move a border, change the table here and say why in the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may name of the crate: modules, or `module::part` where only that part is open to
/// it. A row names nothing that stands above it, but for the network's trait, which belongs to who calls it.
const LAYERS: &[(&str, &[&str])] = &[
    ("sync", &[]),
    ("time", &[]),
    ("backoff", &[]),
    ("error", &[]),
    ("config", &["error"]),
    ("log", &["config", "error"]),
    ("metrics", &["time"]),
    ("record", &["error"]),
    ("protocol", &["error"]),
    ("delivery", &["error", "sync"]),
    ("partitioner", &["config", "record"]),
    ("metadata", &["backoff", "config::BootstrapServer", "error", "protocol", "time"]),
    ("net", &["client::network", "error", "protocol::frame", "time"]),
    ("client", &["backoff", "error", "metadata", "protocol", "time"]),
    ("txn", &["backoff", "error", "metadata", "protocol", "record", "sync", "time"]),
    (
        "accumulator",
        &[
            "delivery",
            "error",
            "metadata",
            "partitioner",
            "protocol::frame",
            "record",
            "sync",
            "time",
        ],
    ),
    (
        "sender",
        &[
            "accumulator",
            "backoff",
            "client",
            "delivery",
            "error",
            "log",
            "metadata",
            "metrics",
            "partitioner",
            "protocol",
            "record",
            "sync",
            "time",
            "txn",
        ],
    ),
    ("encoder", &["accumulator"]),
    ("driver", &["client", "error", "metrics", "sender", "time"]),
    ("mock", &["error", "protocol", "record", "time"]),
    (
        "producer",
        &[
            "accumulator",
            "backoff",
            "client",
            "config",
            "delivery",
            "driver",
            "encoder",
            "error",
            "log",
            "metadata",
            "metrics",
            "mock",
            "net",
            "partitioner",
            "protocol",
            "record",
            "sender",
            "sync",
            "time",
            "txn",
        ],
    ),
    (
        "capi",
        &[
            "config", "delivery", "error", "log", "metadata", "metrics", "mock", "producer",
            "protocol", "record", "txn",
        ],
    ),
];

/// Words that may stand only in these files and folders (and in tests).
const PLACES: &[(&str, &[&str])] = &[
    ("unsafe", &["capi/", "producer/fork.rs", "bin/ottla/system.rs"]),
    ("extern \"C\"", &["capi/", "producer/fork.rs"]),
    ("from_raw", &["capi/"]),
    ("into_raw", &["capi/"]),
    ("SystemTime::now", &["time.rs"]),
    (
        "Instant::now",
        &[
            "time.rs",
            // Waits of application threads; what the core decides goes by the time it is given.
            "accumulator/mod.rs",
            "accumulator/pool.rs",
            "delivery/outstanding.rs",
            "delivery/queue.rs",
            "producer/",
            "bin/",
        ],
    ),
    ("thread::spawn", &[]),
    (
        "thread::Builder",
        &[
            "delivery/queue.rs",
            "driver/thread.rs",
            "encoder/mod.rs",
            "mock/server.rs",
            "net/mio_sockets.rs",
            "bin/",
        ],
    ),
    ("thread::sleep", &["capi/registry.rs", "bin/ottla/perf/pace.rs"]),
    ("mio::", &["net/mio_sockets.rs", "mock/server.rs", "mock/server_loop.rs"]),
    ("TcpStream", &["net/mio_sockets.rs", "mock/server_loop.rs"]),
    ("TcpListener", &["mock/server_loop.rs"]),
    ("UdpSocket", &[]),
    ("process::exit", &["bin/"]),
];

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const LINE_CHARACTERS: usize = 110;

/// Functions that may be longer, and why.
const LONG_FUNCTIONS: &[(&str, &str)] = &[
    // One arm for each function of the C face.
    ("src/capi/guard_tests.rs", "call"),
];

struct Source {
    /// From the root of the repository.
    path: String,
    text: String,
    /// Compiled only for tests.
    for_tests: bool,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into(), for_tests: false }
    }

    /// Its place below src.
    fn place(&self) -> &str {
        self.path.strip_prefix("src/").unwrap_or(&self.path)
    }

    /// The lines that ship, numbered from 1: without modules for tests and, if told, without comments.
    fn shipped(&self, comments: bool) -> Vec<(usize, String)> {
        let mut lines = Vec::new();
        if self.for_tests {
            return lines;
        }
        let mut skip_to: Option<String> = None;
        let mut test_only = false;
        for (index, line) in self.text.lines().enumerate() {
            if let Some(end) = &skip_to {
                if line == end {
                    skip_to = None;
                }
                continue;
            }
            let code = line.trim_start();
            if is_for_tests(code) {
                test_only = true;
            } else if test_only && !code.starts_with("#[") {
                test_only = false;
                if line.ends_with('{') {
                    let indent = &line[..line.len() - code.len()];
                    skip_to = Some(format!("{indent}}}"));
                }
                continue;
            }
            let kept = if comments { line } else { without_comment(line) };
            lines.push((index + 1, kept.to_string()));
        }
        lines
    }
}

fn is_for_tests(attribute: &str) -> bool {
    attribute.starts_with("#[cfg(test)]") || attribute.starts_with("#[cfg(all(test")
}

/// The line up to a comment. Slashes in a string count as one too, but behind `:` (as in a URL) do not.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Every place where a file breaks the rule, as "path:line: words".
type Rule = fn(&Source) -> Vec<String>;

fn imports(source: &Source) -> Vec<String> {
    let module = source.place().split('/').next().unwrap_or_default().trim_end_matches(".rs");
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        let free = ["lib", "bin", "sim", "races"].contains(&module);
        return if free { vec![] } else { vec![format!("{}:1: not in LAYERS", source.path)] };
    };
    let mut found = Vec::new();
    for (number, line) in source.shipped(false) {
        for (at, _) in line.match_indices("crate::") {
            let mut path = line[at + 7..].split("::");
            let name: String = word(path.next().unwrap_or_default());
            let part: String = word(path.next().unwrap_or_default());
            let exact = format!("{name}::{part}");
            let fits = |&open: &&str| open == name || open == exact;
            let own = name == module || !name.starts_with(|c: char| c.is_lowercase());
            if !own && !allowed.iter().any(fits) {
                found.push(format!("{}:{number}: {module} may not import {exact}", source.path));
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn places(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in source.shipped(false) {
        for (what, allowed) in PLACES {
            let begins =
                |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let ends = |at: usize| {
                let is_word = what.ends_with(|c: char| c.is_alphanumeric());
                let next = line[at + what.len()..].chars().next();
                !is_word || !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
            };
            let stands = line.match_indices(what).any(|(at, _)| begins(at) && ends(at));
            if stands && !allowed.iter().any(|place| source.place().starts_with(place)) {
                found.push(format!("{}:{number}: {what} does not belong here", source.path));
            }
        }
    }
    found
}

/// A panic needs its reason beside it: in the same line or in a comment right above.
fn panics(source: &Source) -> Vec<String> {
    let lines = source.shipped(true);
    let says_why = |at: usize| {
        let commented = |line: &str| without_comment(line) != line;
        commented(&lines[at].1) || at > 0 && lines[at - 1].1.trim_start().starts_with("//")
    };
    let words = [".unwrap()", ".expect("];
    (0..lines.len())
        .filter(|&at| words.iter().any(|word| without_comment(&lines[at].1).contains(word)))
        .filter(|&at| !says_why(at))
        .map(|at| format!("{}:{}: a panic without a reason", source.path, lines[at].0))
        .collect()
}

fn lengths(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let count = source.text.lines().count();
    if count > FILE_LINES {
        found.push(format!("{}:{count}: more than {FILE_LINES} lines", source.path));
    }
    for (index, line) in source.text.lines().enumerate() {
        let characters = line.chars().count();
        if characters > LINE_CHARACTERS {
            found.push(format!("{}:{}: {characters} characters", source.path, index + 1));
        }
    }
    found
}

/// The name of the function that begins in this line.
fn function_name(line: &str) -> Option<String> {
    let code = line.trim_start();
    let before = code.split("fn ").next()?;
    let words = ["pub", "pub(super)", "pub(crate)", "const", "unsafe", "extern", "\"C\"", "async"];
    let is_head = before.split_whitespace().all(|word| words.contains(&word));
    (is_head && code.contains("fn ")).then(|| word(&code[before.len() + 3..]))
}

fn functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let own = |rest: &str| !rest.starts_with(|c: char| c.is_whitespace());
        // Its end: the brace, or the semicolon of a declaration, that stands as deep as its head.
        let end = lines[at..].iter().position(|line| {
            let inside = line.strip_prefix(indent).is_some_and(own);
            *line == closing || inside && (line.ends_with(';') || line.ends_with('}'))
        });
        let length = end.map_or(lines.len() - at, |end| end + 1);
        let excused = LONG_FUNCTIONS.contains(&(source.path.as_str(), name.as_str()));
        if length > FUNCTION_LINES && !excused {
            found.push(format!("{}:{}: {name} has {length} lines", source.path, at + 1));
        }
    }
    found
}

fn heads(source: &Source) -> Vec<String> {
    match source.text.starts_with("//! ") {
        true => vec![],
        false => vec![format!("{}:1: does not begin with what it owns (//!)", source.path)],
    }
}

/// Words that say "not finished", and names of one workplace; split, so as not to find themselves.
fn leftovers(source: &Source) -> Vec<String> {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("/wo", "rk/"),
        concat!("/tm", "p/"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("pypi", ".org"),
        concat!("proxy.golang", ".org"),
    ];
    let lines = source.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(format!("{}:{}: {word}", source.path, index + 1))
        })
        .collect()
}

/// The files that a crate is made of, from its root on, and whether only tests see them.
fn reachable(root: &Path, files: &mut BTreeMap<PathBuf, bool>, for_tests: bool) {
    if files.get(root).is_some_and(|&known| !known || for_tests) {
        return;
    }
    files.insert(root.to_path_buf(), for_tests);
    let Ok(text) = fs::read_to_string(root) else { return };
    let stem = root.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let here = root.parent().unwrap_or(Path::new(""));
    let owns_folder = ["lib", "main", "mod"].contains(&stem);
    let below = if owns_folder { here.to_path_buf() } else { here.join(stem) };
    let (mut path, mut test_only) = (None, false);
    for line in text.lines().map(str::trim) {
        if is_for_tests(line) {
            test_only = true;
        } else if let Some(named) = line.strip_prefix("#[path = \"") {
            path = Some(named.trim_end_matches("\"]").to_string());
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            let words = line.trim_end_matches(';').rsplit_once("mod ");
            if let (true, Some((_, name))) = (line.ends_with(';'), words) {
                let file = match path.take() {
                    Some(named) => here.join(named),
                    None if below.join(name).join("mod.rs").exists() => {
                        below.join(name).join("mod.rs")
                    }
                    None => below.join(format!("{name}.rs")),
                };
                reachable(&file, files, for_tests || test_only);
            }
            (path, test_only) = (None, false);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with one of these endings.
fn walk(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) {
    const OTHERS: [&str; 7] =
        ["target", "build", "out", "corpus", "artifacts", "node_modules", "__pycache__"];
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_string();
        if path.is_dir() && !name.starts_with('.') && !OTHERS.contains(&name.as_str()) {
            walk(&path, endings, files);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    files.sort();
}

fn sources(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut crate_files = BTreeMap::new();
    for start in ["src/lib.rs", "src/bin/ottla/main.rs", "src/bin/ottla_sim.rs"] {
        reachable(&root.join(start), &mut crate_files, false);
    }
    let mut files = Vec::new();
    walk(&root.join(folder), endings, &mut files);
    let source = |file: &PathBuf| {
        let path = file.strip_prefix(&root).ok()?.to_str()?.to_string();
        let for_tests = crate_files.get(file).copied().unwrap_or(false);
        Some(Source { path, text: fs::read_to_string(file).ok()?, for_tests })
    };
    files.iter().filter_map(source).collect()
}

fn assert_clean(sources: &[Source], rules: &[Rule]) {
    assert!(!sources.is_empty());
    let all = sources.iter().flat_map(|source| rules.iter().flat_map(move |rule| rule(source)));
    let found: Vec<String> = all.collect();
    assert!(found.is_empty(), "{} violations\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_library_keeps_its_layers_and_places() {
    assert_clean(&sources("src", &[".rs"]), &[imports, places, panics]);
}

#[test]
fn nothing_is_too_long() {
    for folder in ["src", "tests", "fuzz/fuzz_targets", "examples"] {
        let found = sources(folder, &[".rs"]);
        if !found.is_empty() {
            assert_clean(&found, &[lengths, functions, heads]);
        }
    }
}

#[test]
fn nothing_is_left_over() {
    let endings =
        [".rs", ".toml", ".sh", ".py", ".go", ".c", ".cc", ".cpp", ".h", ".hpp", ".md", ".yml"];
    assert_clean(&sources("", &endings), &[leftovers]);
}

#[test]
fn every_file_is_part_of_the_crate() {
    let mut files = BTreeMap::new();
    for start in ["src/lib.rs", "src/bin/ottla/main.rs", "src/bin/ottla_sim.rs"] {
        reachable(&root().join(start), &mut files, false);
    }
    let mut all = Vec::new();
    walk(&root().join("src"), &[".rs"], &mut all);
    let lost: BTreeSet<_> = all.iter().filter(|file| !files.contains_key(*file)).collect();
    assert!(lost.is_empty(), "not reachable from any root: {lost:#?}");
    let missing: BTreeSet<_> = files.keys().filter(|file| !file.exists()).collect();
    assert!(missing.is_empty(), "declared but not there: {missing:#?}");
}

fn count(rule: Rule, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn the_rules_about_imports_and_places_can_fail() {
    let up = "use crate::sender::Sender;\n";
    assert_eq!(count(imports, "src/record/size.rs", up), 1);
    assert_eq!(count(imports, "src/driver/turn.rs", up), 0);
    assert_eq!(count(imports, "src/sender/produce.rs", "use crate::net::selector::Selector;\n"), 1);
    assert_eq!(count(imports, "src/net/channel.rs", "use crate::protocol::frame::Frame;\n"), 0);
    assert_eq!(count(imports, "src/net/channel.rs", "use crate::protocol::versions::RANGES;\n"), 1);
    assert_eq!(count(imports, "src/new/mod.rs", ""), 1, "an unknown module");
    let tested = "fn a() {}\n#[cfg(test)]\nmod tests {\n    use crate::sender::A;\n}\n";
    assert_eq!(count(imports, "src/record/size.rs", tested), 0);
    assert_eq!(count(imports, "src/record/size.rs", "// crate::sender is far away\n"), 0);
    assert_eq!(count(places, "src/record/size.rs", "    unsafe { x() }\n"), 1);
    assert_eq!(count(places, "src/record/size.rs", "#![deny(unsafe_code)]\n"), 0);
    assert_eq!(count(places, "src/capi/send.rs", "    unsafe { x() }\n"), 0);
    assert_eq!(count(places, "src/sender/mod.rs", "let now = Instant::now();\n"), 1);
    assert_eq!(count(places, "src/sender/mod.rs", "thread::spawn(work);\n"), 1);
    assert_eq!(count(places, "src/client/mod.rs", "use mio::net::TcpStream;\n"), 2);
    assert_eq!(count(panics, "src/a.rs", "x.unwrap();\n"), 1);
    assert_eq!(count(panics, "src/a.rs", "x.unwrap(); // it was checked above\n"), 0);
    assert_eq!(count(panics, "src/a.rs", "// it was checked above\nx.unwrap();\n"), 0);
}

#[test]
fn the_rules_about_text_can_fail() {
    assert_eq!(count(lengths, "src/a.rs", &"x\n".repeat(FILE_LINES)), 0);
    assert_eq!(count(lengths, "src/a.rs", &"x\n".repeat(FILE_LINES + 1)), 1);
    assert_eq!(count(lengths, "src/a.rs", &"ä".repeat(LINE_CHARACTERS)), 0);
    assert_eq!(count(lengths, "src/a.rs", &"x".repeat(LINE_CHARACTERS + 1)), 1);
    let function = |lines: usize| {
        format!(
            "    pub fn a(\n        b: u8,\n    ) {{\n{}    }}\n}}\n",
            "        c;\n".repeat(lines)
        )
    };
    assert_eq!(count(functions, "src/a.rs", &function(FUNCTION_LINES - 4)), 0);
    assert_eq!(count(functions, "src/a.rs", &function(FUNCTION_LINES)), 1);
    let declared = format!("    fn a();\n{}", "    // more\n".repeat(80));
    assert_eq!(count(functions, "src/a.rs", &declared), 0);
    assert_eq!(count(heads, "src/a.rs", "use std::fmt;\n"), 1);
    assert_eq!(count(leftovers, "src/a.rs", concat!("// TO", "DO: more\n")), 1);
    assert_eq!(count(leftovers, "src/a.rs", concat!("let x = \"/tm", "p/x\";\n")), 1);
    assert_eq!(count(leftovers, "src/a.rs", "// done\n"), 0);
}

#[test]
fn a_lost_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "pub mod a;\n#[cfg(test)]\n#[path = \"b_tests.rs\"]\nmod tests;\n// mod c;\n");
    for name in ["a.rs", "b_tests.rs", "c.rs"] {
        write(name, "");
    }
    let mut files = BTreeMap::new();
    reachable(&folder.path().join("lib.rs"), &mut files, false);
    let names: Vec<_> = files
        .iter()
        .map(|(path, for_tests)| (path.file_name().unwrap().to_str().unwrap(), *for_tests))
        .collect();
    assert_eq!(names, [("a.rs", false), ("b_tests.rs", true), ("lib.rs", false)]);
}
