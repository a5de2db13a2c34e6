//! The sender thread: one turn after the other, asleep in between until the exact next deadline.
//! Decides nothing; it moves values between the network, the sender and the application's commands.

pub mod thread;
mod turn;

pub use turn::Driver;
