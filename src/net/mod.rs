//! Owns the bytes on the wire: frames, channels, the selector. Only `mio_sockets.rs` names mio.
pub mod frame;
pub mod sockets;
