//! Owns configuration: one table of settings, the parser, the rules between settings, and the
//! typed result. It never reads files or the environment.
//!
//! `table` holds the rows; `value.rs` parses the text of one (`bootstrap.rs` that of servers); `map.rs`
//! collects what was set; `resolve.rs` and `rules.rs` make a `ProducerConfig` (`settings.rs`) of it;
//! `reference.rs` prints the table for readers.

mod bootstrap;
mod map;
pub mod reference;
mod resolve;
mod rules;
mod settings;
pub mod table;
mod value;

pub use bootstrap::BootstrapServer;
pub use map::ConfigMap;
pub use settings::*;
pub use value::Secret;

impl ProducerConfig {
    /// The settings of `pairs`, checked together: [`ConfigMap::from_pairs`], then
    /// [`ConfigMap::build`].
    pub fn from_pairs<K, V>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> crate::error::Result<ProducerConfig>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        ConfigMap::from_pairs(pairs)?.build()
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

#[cfg(test)]
mod rules_tests;

#[cfg(test)]
mod table_tests;
