//! Writes the C header into OUT_DIR: the text of `include/ottla.h.in`, in which each `@marker@` stands for
//! what cbindgen makes of one file of src/capi, for the error codes, or for Cargo's version. Never touches the
//! source tree: `tests/header.rs` compares the result with `include/ottla.h`.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include");
    println!("cargo:rerun-if-changed=src/capi");
    println!("cargo:rerun-if-changed=src/error");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let header = PathBuf::from(env::var("OUT_DIR")?).join("ottla.h");
    fs::write(&header, write_header(&root)?)?;
    println!("cargo:rustc-env=OTTLA_GENERATED_HEADER={}", header.display());
    Ok(())
}

fn write_header(root: &Path) -> Result<String> {
    let template = fs::read_to_string(root.join("include/ottla.h.in"))?;
    let mut header = String::new();
    for line in template.lines() {
        let marker = line.strip_prefix('@').and_then(|rest| rest.strip_suffix('@'));
        match marker {
            Some("version") => header.push_str(&version()?),
            Some("codes") => header.push_str(&codes(root)?),
            Some(file) => header.push_str(&declarations(root, file)?),
            None => {
                header.push_str(line);
                header.push('\n');
            }
        }
    }
    Ok(header)
}

fn version() -> Result<String> {
    let mut text = String::new();
    for part in ["MAJOR", "MINOR", "PATCH"] {
        let number = env::var(format!("CARGO_PKG_VERSION_{part}"))?;
        writeln!(text, "#define OTTLA_VERSION_{part} {number}")?;
    }
    writeln!(text, "#define OTTLA_VERSION \"{}\"", env::var("CARGO_PKG_VERSION")?)?;
    text.push_str(
        "/** major << 24 | minor << 16 | patch << 8; compare with ottla_version_number(). */\n",
    );
    text.push_str("#define OTTLA_VERSION_NUMBER \\\n    ((uint32_t)OTTLA_VERSION_MAJOR << 24 | ");
    text.push_str("(uint32_t)OTTLA_VERSION_MINOR << 16 | (uint32_t)OTTLA_VERSION_PATCH << 8)\n");
    Ok(text)
}

/// The rows of the error tables, `-101 CLOSED PLAIN,` and the description in the lines after it, as constants.
fn codes(root: &Path) -> Result<String> {
    let mut text = String::new();
    for file in ["src/error/kafka.rs", "src/error/local.rs"] {
        let path = root.join(file);
        let source = fs::read_to_string(&path)?;
        let table = source.split_once("error_table! {\n").ok_or("no error_table!")?.1;
        let table = table.split_once("\n}").ok_or("no end of error_table!")?.0;
        for row in table.split("\";") {
            let Some((head, description)) = row.split_once(",\n") else { continue };
            let mut words = head.split_whitespace();
            let (Some(value), Some(name)) = (words.next(), words.next()) else {
                return Err(format!("{file}: cannot read {row:?}").into());
            };
            let value: i32 = value.parse()?;
            let description = description.trim().trim_start_matches('"').replace("\\\n", "");
            let words: Vec<&str> = description.split_whitespace().collect();
            let value = if value < 0 { format!("({value})") } else { value.to_string() };
            writeln!(text, "/** {} */\n#define OTTLA_ERROR_{name} {value}", words.join(" "))?;
        }
    }
    Ok(text)
}

/// What cbindgen makes of one file of src/capi.
fn declarations(root: &Path, file: &str) -> Result<String> {
    let config = cbindgen::Config::from_file(root.join("include/cbindgen.toml"))?;
    let source = root.join("src/capi").join(file);
    let bindings = cbindgen::Builder::new().with_config(config).with_src(source).generate()?;
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes)?;
    Ok(for_c(text.trim_start()))
}

/// Makes a C programmer's header of cbindgen's: `# Safety` sections become a line about pointers, handle types
/// go by their typedef alone, short comments take one line, negative constants stand in parentheses.
fn for_c(text: &str) -> String {
    let mut out = String::new();
    let mut comment: Option<Vec<String>> = None;
    for line in text.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        match (&mut comment, line.trim()) {
            (None, "/**") => comment = Some(Vec::new()),
            (Some(lines), "*/") => {
                // The closing line stands one column further in than the opening one.
                write_comment(&mut out, &indent[1..], lines);
                comment = None;
            }
            (Some(lines), text) => lines.push(text.trim_start_matches("* ").to_string()),
            (None, _) => {
                out.push_str(&declaration(line));
                out.push('\n');
            }
        }
    }
    out.push('\n');
    out
}

fn declaration(line: &str) -> String {
    if line.starts_with("typedef struct") {
        return line.to_string();
    }
    match line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
        Some((name, value)) => format!("#define {name} (-{value})"),
        None => line.replace("struct ottla_", "ottla_"),
    }
}

fn write_comment(out: &mut String, indent: &str, lines: &[String]) {
    let is_heading = |line: &String| line == "# Safety";
    let safety = lines.iter().position(is_heading).unwrap_or(lines.len());
    let about = lines[..safety].iter().rev().skip_while(|line| *line == "*").count();
    let mut kept = lines[..about].to_vec();
    if let Some(first) = lines.get(safety + 1).filter(|line| !line.starts_with("Nothing is asked"))
    {
        kept.push(format!("Pointers: {first}"));
        kept.extend_from_slice(&lines[safety + 2..]);
    }
    if let [only] = &kept[..] {
        if indent.len() + only.len() < 93 {
            out.push_str(&format!("{indent}/** {only} */\n"));
            return;
        }
    }
    out.push_str(&format!("{indent}/**\n"));
    for line in kept {
        let line = if line == "*" { format!("{indent} *") } else { format!("{indent} * {line}") };
        out.push_str(&format!("{line}\n"));
    }
    out.push_str(&format!("{indent} */\n"));
}
