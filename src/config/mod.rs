//! Owns configuration: one table of settings, the parser, the rules between settings, and the
//! typed result. It never reads files or the environment.

mod settings;

pub use settings::*;
