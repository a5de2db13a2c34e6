//! Owns the settings that somebody set, by the spelling they used. Each is checked at once by
//! itself; what settings mean together is decided by `build`, so the order of calls never matters.

use std::collections::BTreeMap;
use std::fmt;

use super::table::{self, Row};
use super::value::{self, Value};
use super::{resolve, Compat, ProducerConfig};
use crate::error::{Error, ErrorCode, Result};

/// Settings by name, on their way to a [`ProducerConfig`].
#[derive(Clone, Default, PartialEq)]
pub struct ConfigMap {
    /// By spelling, as the table holds it.
    entries: BTreeMap<&'static str, Value>,
}

impl ConfigMap {
    /// No settings.
    pub fn new() -> ConfigMap {
        ConfigMap::default()
    }

    /// The settings of `pairs`, each as if by [`ConfigMap::set`].
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<ConfigMap>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut map = ConfigMap::new();
        for (key, value) in pairs {
            map.set(key.as_ref(), value.as_ref())?;
        }
        Ok(map)
    }

    /// Sets `key`, a Java, librdkafka or ottla name, to `text`; the last call for a key counts.
    ///
    /// CONFIG: the key is unknown, the text is malformed or out of range, or the key names code.
    /// UNSUPPORTED: the key asks for something that is not built yet.
    pub fn set(&mut self, key: &str, text: &str) -> Result<()> {
        let (row, spelling) = known(key)?;
        self.entries.insert(spelling, value::check(row, spelling, text)?);
        Ok(())
    }

    /// What `key` is set to, or its default under the profile chosen so far; empty when it has
    /// none. Secrets read `[hidden]`. CONFIG when the key is unknown.
    pub fn get(&self, key: &str) -> Result<String> {
        let (row, _) = known(key)?;
        match self.explicit(row) {
            Some((_, value)) => Ok(value.to_string()),
            None => Ok(row.default_for(self.compat()).to_owned()),
        }
    }

    /// Checks the settings together and gives them their types.
    ///
    /// CONFIG: a required setting is missing, or two contradict each other.
    pub fn build(&self) -> Result<ProducerConfig> {
        for row in table::rows() {
            self.check_spellings(row)?;
        }
        resolve::resolve(self)
    }

    /// The profile chosen so far.
    pub(super) fn compat(&self) -> Compat {
        match self.entries.get("compat") {
            Some(Value::Word("librdkafka")) => Compat::Librdkafka,
            _ => Compat::Java,
        }
    }

    /// The spelling and the value by which this row was set.
    pub(super) fn explicit(&self, row: &Row) -> Option<(&'static str, &Value)> {
        row.spellings().find_map(|s| self.entries.get_key_value(s)).map(|(s, value)| (*s, value))
    }

    /// One setting under two names must have one value.
    fn check_spellings(&self, row: &Row) -> Result<()> {
        let mut first: Option<(&str, &Value)> = None;
        for spelling in row.spellings() {
            let Some(value) = self.entries.get(spelling) else { continue };
            match first {
                Some((name, other)) if other != value => {
                    let message = format!(
                        "`{name}` and `{spelling}` are two names of one setting, but they are set \
                         to different values",
                    );
                    return Err(Error::new(ErrorCode::CONFIG, message));
                }
                _ => first = Some((spelling, value)),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(k, v)| (k, v.to_string()))).finish()
    }
}

/// The row and the spelling of a key, or an error that suggests a near one.
fn known(key: &str) -> Result<(&'static Row, &'static str)> {
    table::find(key).ok_or_else(|| {
        let hint = table::nearest(key).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        let key = value::shorten(key);
        Error::new(ErrorCode::CONFIG, format!("there is no setting `{key}`{hint}"))
    })
}
