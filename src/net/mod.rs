//! Owns the bytes on their way: channels and the selector that moves frames through them. Never decides
//! what to send or when to try again, and never reads a clock. Only `mio_sockets.rs` names mio.

pub mod channel;
pub mod filter;
pub mod frame_reader;
pub mod idle;
pub mod mio_sockets;
pub mod receive_budget;
pub mod selector;
pub mod sockets;

#[cfg(test)]
mod fake_sockets;
#[cfg(test)]
mod veil;
