//! Owns the reading of `bootstrap.servers`. Never resolves a name: that happens at connect time.

use std::fmt;
use std::net::Ipv6Addr;

use crate::error::{Error, ErrorCode, Result};

/// The port of a server that names none.
const DEFAULT_PORT: u16 = 9092;

/// One entry of `bootstrap.servers`.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct BootstrapServer {
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
}

impl BootstrapServer {
    /// Reads `host:port,host,[v6]:port`, the value of `key`: without a port it is 9092. A leading
    /// `plaintext://`, which librdkafka knows, is allowed, and so are spaces around entries and empty
    /// entries. Entries that occur twice count once.
    ///
    /// # Errors
    /// `CONFIG`, naming the entry and what is wrong with it.
    pub fn parse_list(key: &str, list: &str) -> Result<Vec<BootstrapServer>> {
        let mut servers = Vec::new();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let server = parse_entry(entry).map_err(|what| {
                let shown = super::value::shorten(entry);
                let message =
                    format!("`{key}` must be a list of host:port with commas: {what} in `{shown}`");
                Error::new(ErrorCode::CONFIG, message)
            })?;
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        Ok(servers)
    }
}

impl fmt::Display for BootstrapServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn parse_entry(entry: &str) -> std::result::Result<BootstrapServer, String> {
    let address = match entry.split_once("://") {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("plaintext") => address,
        Some((scheme, _)) => {
            return Err(format!("{scheme}:// is not for here (security.protocol says it)"))
        }
        None => entry,
    };
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or("a bracket is not closed")?;
            let literal = host.split_once('%').map_or(host, |(address, _scope)| address);
            if literal.parse::<Ipv6Addr>().is_err() {
                return Err(format!("\"{host}\" is not an IPv6 address"));
            }
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (host, None),
                None => return Err(format!("\"{rest}\" behind the bracket")),
                port => (host, port),
            }
        }
        None => match address.rsplit_once(':') {
            // Several colons without brackets could be read in two ways.
            Some((host, _)) if host.contains(':') => {
                return Err("an IPv6 address without brackets".to_owned())
            }
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-._:%".contains(letter);
    if let Some(letter) = host.chars().find(|&letter| !allowed(letter)) {
        return Err(format!("{letter:?} cannot be part of a host name"));
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("\"{port}\" is not a port between 1 and 65535")),
        },
    };
    Ok(BootstrapServer { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &str) -> Vec<(String, u16)> {
        let servers = BootstrapServer::parse_list("bootstrap.servers", list).unwrap();
        servers.into_iter().map(|server| (server.host, server.port)).collect()
    }

    #[test]
    fn hosts_addresses_and_brackets() {
        let list =
            " kafka-1:9092, 10.0.0.2:1 ,[::1]:9093,[fe80::1%eth0]:65535,PLAINTEXT://b:3,,c,[::2]";
        let expected = [
            ("kafka-1", 9092),
            ("10.0.0.2", 1),
            ("::1", 9093),
            ("fe80::1%eth0", 65535),
            ("b", 3),
            ("c", 9092),
            ("::2", 9092),
        ];
        assert_eq!(parsed(list), expected.map(|(host, port)| (host.to_owned(), port)));
        assert_eq!(parsed(" , "), []);
        assert_eq!(parsed("a:1,a:1,a:2,a,a:9092").len(), 3);
    }

    #[test]
    fn errors_name_the_setting_the_entry_and_what_is_wrong() {
        for (list, what) in [
            ("a:1,localhost:", "\"\" is not a port between 1 and 65535 in `localhost:`"),
            ("a:0", "\"0\" is not a port"),
            ("a:65536", "\"65536\" is not a port"),
            ("a:-1", "\"-1\" is not a port"),
            (":9092", "the host is missing"),
            ("::1:9092", "without brackets"),
            ("[::1:9092", "a bracket is not closed"),
            ("[::1]9092", "\"9092\" behind the bracket"),
            ("[kafka]:9092", "\"kafka\" is not an IPv6 address"),
            ("a b:9092", "' ' cannot be part of a host name"),
            ("bücher.example:9092", "'ü' cannot be part"),
            ("a/b:9092", "'/' cannot be part"),
            ("ssl://a:9092", "security.protocol"),
        ] {
            let error = BootstrapServer::parse_list("metadata.broker.list", list).unwrap_err();
            assert_eq!(error.code(), ErrorCode::CONFIG);
            let text = error.message();
            assert!(
                text.contains(what) && text.contains("`metadata.broker.list`"),
                "{list}: {text}"
            );
        }
    }
}
