//! A record header as the application gives it (KIP-82); borrowed, never copied.

/// A name and a value that travel with a record.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// Never null; may be empty, and may occur more than once in a record.
    pub key: &'a str,
    /// `None` is null, which readers tell from empty.
    pub value: Option<&'a [u8]>,
}
