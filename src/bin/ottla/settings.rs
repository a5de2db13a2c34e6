//! `ottla settings`: the reference of all settings, made from the table that the library itself reads.

use clap::Args;
use ottla::config::{reference, table};

use crate::exit::{Failure, Outcome, DONE};
use crate::output::print;

const EXAMPLES: &str = "\
Examples:
    ottla settings                 every setting
    ottla settings linger.ms       one setting, in any spelling
    ottla settings retry           those whose name holds a word
    ottla settings --differences   what compat=librdkafka changes";

/// Print the reference of all settings
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Settings {
    /// The setting to explain, or a word to look for in names
    name: Option<String>,

    /// The whole reference as Markdown
    #[arg(long, conflicts_with_all = ["name", "differences"])]
    markdown: bool,

    /// Only where compat=librdkafka has another default or meaning
    #[arg(long, conflicts_with = "name")]
    differences: bool,
}

/// Runs the command.
pub fn run(args: &Settings) -> Outcome {
    let text = match &args.name {
        Some(name) => found(name)?,
        None if args.markdown => reference::markdown(),
        None if args.differences => reference::differences(),
        None => reference::help(),
    };
    print(&text)?;
    Ok(DONE)
}

/// The setting called so, or those whose names hold the word.
fn found(name: &str) -> Result<String, Failure> {
    if let Some((row, _)) = table::find(name) {
        return Ok(explain(row));
    }
    let holds = |row: &&table::Row| row.spellings().any(|spelling| spelling.contains(name));
    let texts: Vec<String> = table::rows().filter(holds).map(explain).collect();
    if texts.is_empty() {
        let hint =
            table::nearest(name).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(Failure::usage(format!("there is no setting `{name}`{hint}")));
    }
    Ok(texts.join("\n"))
}

fn explain(row: &table::Row) -> String {
    let spellings: Vec<&str> = row.spellings().collect();
    let mut text = format!("{}\n  {}\n  value: {}\n", spellings.join(", "), row.doc, row.kind);
    let mut line = |label: &str, what: &str| text.push_str(&format!("  {label}: {what}\n"));
    if !row.default.is_empty() {
        line("default", row.default);
    }
    if let Some(default) = row.librdkafka_default {
        line("default with compat=librdkafka", default);
    }
    if let Some(meaning) = row.librdkafka_meaning {
        line("meaning with compat=librdkafka", meaning);
    }
    match row.status {
        table::Status::Built => {}
        table::Status::Planned => line("status", "only the default is accepted in this version"),
        table::Status::Ignored(why) => line("status", &format!("accepted but ignored: {why}")),
        table::Status::Hook(_) => line("status", "cannot be set by name: it is code"),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_setting_is_explained_in_any_spelling() {
        let text = found("queue.buffering.max.ms").unwrap();
        assert!(text.starts_with("linger.ms, "), "{text}");
        assert!(text.contains("default"), "{text}");
    }

    #[test]
    fn a_word_finds_all_names_that_hold_it_and_a_slip_is_noticed() {
        let text = found("backoff").unwrap();
        assert!(text.contains("retry.backoff.ms") && text.contains("reconnect.backoff.ms"));
        let failure = found("lingr.ms").unwrap_err();
        assert!(failure.to_string().contains("`linger.ms`"), "{failure}");
    }
}
