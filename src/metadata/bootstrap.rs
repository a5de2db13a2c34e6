//! Owns the reading of `bootstrap.servers`. Never resolves a name: that happens at connect time.

use std::net::Ipv6Addr;

use crate::error::{Error, ErrorCode, Result};

/// One entry of `bootstrap.servers`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BootstrapServer {
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
}

/// Reads `host:port,host:port`. IPv6 addresses stand in brackets; a leading `PROTOCOL://`, which
/// librdkafka and Java's listeners know, is allowed and ignored; spaces around entries and empty
/// entries too. Entries that occur twice count once.
///
/// # Errors
/// `CONFIG`, naming the entry and what is wrong with it; also when there is no entry at all.
pub fn parse_bootstrap_servers(list: &str) -> Result<Vec<BootstrapServer>> {
    let mut servers = Vec::new();
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let server = parse_entry(entry).map_err(|what| {
            let message = format!("bootstrap.servers: {what} in \"{entry}\" (expected host:port)");
            Error::new(ErrorCode::CONFIG, message)
        })?;
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    if servers.is_empty() {
        let message = "bootstrap.servers: no server is given (expected host:port,host:port)";
        return Err(Error::new(ErrorCode::CONFIG, message));
    }
    Ok(servers)
}

fn parse_entry(entry: &str) -> std::result::Result<BootstrapServer, String> {
    let address = entry.split_once("://").map_or(entry, |(_, address)| address);
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or("a bracket is not closed")?;
            let literal = host.split_once('%').map_or(host, |(address, _scope)| address);
            if literal.parse::<Ipv6Addr>().is_err() {
                return Err(format!("\"{host}\" is not an IPv6 address"));
            }
            (host, rest.strip_prefix(':').ok_or("the port is missing")?)
        }
        None => {
            let (host, port) = address.rsplit_once(':').ok_or("the port is missing")?;
            if host.contains(':') {
                return Err("an IPv6 address without brackets".to_owned());
            }
            (host, port)
        }
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let odd = |letter: char| !(letter.is_ascii_alphanumeric() || "-._:%".contains(letter));
    if let Some(letter) = host.chars().find(|&letter| letter.is_ascii() && odd(letter)) {
        return Err(format!("{letter:?} cannot be part of a host name"));
    }
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(BootstrapServer { host: host.to_owned(), port }),
        _ => Err(format!("\"{port}\" is not a port between 1 and 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &str) -> Vec<(String, u16)> {
        let servers = parse_bootstrap_servers(list).unwrap();
        servers.into_iter().map(|server| (server.host, server.port)).collect()
    }

    #[test]
    fn hosts_addresses_and_brackets() {
        assert_eq!(
            parsed(" kafka-1:9092, 10.0.0.2:1 ,[::1]:9093,[fe80::1%eth0]:65535,SSL://b:3,,"),
            [
                ("kafka-1".to_owned(), 9092),
                ("10.0.0.2".to_owned(), 1),
                ("::1".to_owned(), 9093),
                ("fe80::1%eth0".to_owned(), 65535),
                ("b".to_owned(), 3),
            ]
        );
        assert_eq!(parsed("bücher.example:9092"), [("bücher.example".to_owned(), 9092)]);
    }

    #[test]
    fn entries_that_occur_twice_count_once() {
        assert_eq!(parsed("a:1,a:1,a:2").len(), 2);
    }

    #[test]
    fn errors_name_the_entry_and_what_is_wrong() {
        for (list, what) in [
            ("", "no server is given"),
            (" , ", "no server is given"),
            ("a:1,localhost", "the port is missing in \"localhost\""),
            ("a:0", "\"0\" is not a port"),
            ("a:65536", "\"65536\" is not a port"),
            ("a:-1", "\"-1\" is not a port"),
            ("a:", "\"\" is not a port"),
            (":9092", "the host is missing"),
            ("::1:9092", "without brackets"),
            ("[::1:9092", "a bracket is not closed"),
            ("[::1]9092", "the port is missing"),
            ("[kafka]:9092", "\"kafka\" is not an IPv6 address"),
            ("a b:9092", "' ' cannot be part of a host name"),
            ("http://a/b:9092", "'/' cannot be part"),
        ] {
            let error = parse_bootstrap_servers(list).unwrap_err();
            assert_eq!(error.code(), ErrorCode::CONFIG);
            assert!(error.message().contains(what), "{list}: {}", error.message());
        }
    }
}
