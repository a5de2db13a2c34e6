//! Owns what people read about settings: the published reference, the list for `--help`, and the
//! table of differences between the profiles, all made from the table. It never adds facts of its
//! own.

use std::fmt::Write;

use super::table::{self, Row, Status, GROUPS};

/// The published reference, in Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Settings\n\n\
         Each setting has one name and may have other spellings, from Java or librdkafka, that mean\n\
         the same. *planned*: only the default is accepted for now, anything else is an error.\n\
         *ignored*: accepted with a warning. *code*: cannot be a setting; the text says what to do.\n",
    );
    for (heading, rows) in GROUPS {
        let _ = write!(
            out,
            "\n## {heading}\n\n\
             | name | also spelled | value | default | status | meaning |\n\
             |---|---|---|---|---|---|\n",
        );
        for row in *rows {
            markdown_row(&mut out, row);
        }
    }
    out.push_str("\n## Where compat=librdkafka differs\n\n");
    out.push_str(&differences());
    out
}

/// What `compat=librdkafka` changes: one Markdown table row per setting whose default or meaning
/// is another one.
pub fn differences() -> String {
    let mut out = String::from(
        "| name | default, compat=java | default, compat=librdkafka | other meaning |\n\
         |---|---|---|---|\n",
    );
    for row in table::rows() {
        if row.librdkafka_default.is_none() && row.librdkafka_meaning.is_none() {
            continue;
        }
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            code(row.name),
            code(row.default),
            code(row.librdkafka_default.unwrap_or(row.default)),
            cell(row.librdkafka_meaning.unwrap_or_default()),
        );
    }
    out
}

/// The list for `--help`: every setting that can be set, with its default and its meaning.
pub fn help() -> String {
    let mut out = String::new();
    for (heading, rows) in GROUPS {
        let mut shown = rows.iter().filter(|row| row.status == Status::Built).peekable();
        if shown.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "{heading}:");
        for row in shown {
            let names: Vec<&str> = row.spellings().collect();
            let _ = write!(out, "  {} ({}", names.join(", "), row.kind);
            if !row.default.is_empty() {
                let _ = write!(out, "; default {}", row.default);
            }
            let _ = writeln!(out, ")\n      {}", row.doc);
        }
    }
    out
}

fn markdown_row(out: &mut String, row: &Row) {
    let aliases: Vec<String> = row.aliases.iter().map(|alias| code(alias)).collect();
    let (status, value) = match row.status {
        Status::Built => (format!("since {}", row.since), row.kind.to_string()),
        Status::Planned => ("planned".to_owned(), row.kind.to_string()),
        Status::Ignored(why) => (format!("ignored: {why}"), row.kind.to_string()),
        Status::Hook(_) => ("code".to_owned(), String::new()),
    };
    let _ = writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} |",
        code(row.name),
        aliases.join(", "),
        cell(&value),
        code(row.default),
        cell(&status),
        cell(row.doc),
    );
}

/// Text in a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Literal text in a table cell; nothing when there is none.
fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{}`", cell(text))
    }
}
