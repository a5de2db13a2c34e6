//! The thread that runs the turns. A panic in a turn ends the producer: everything outstanding is reported as
//! failed and later calls are refused; it never goes on as if nothing had happened, and never ends the
//! process.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread::{Builder, JoinHandle};

use crate::client::network::Network;
use crate::driver::Driver;
use crate::error::{Error, ErrorCode, Result};

/// Starts the sender thread. `ended` is called on it at its very end, with the reason if it was a fault.
///
/// # Errors
/// `STATE` when the system gives no thread.
pub fn start<N: Network + Send + 'static>(
    mut driver: Driver<N>,
    name: &str,
    ended: impl FnOnce(Option<Error>) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let builder = Builder::new().name(format!("ottla {name}"));
    let started = builder.spawn(move || {
        let run = AssertUnwindSafe(|| while driver.turn() {});
        let fault = catch_unwind(run).err().map(|panic| {
            let what = panic
                .downcast_ref::<&str>()
                .map(|text| text.to_string())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let text = format!("a fault inside ottla ended this producer: {what}");
            // If even this fails, dropping the records reports them.
            let _ = catch_unwind(AssertUnwindSafe(|| driver.abandon(&text)));
            Error::new(ErrorCode::PANIC, text)
        });
        drop(driver);
        ended(fault);
    });
    started.map_err(|cause| {
        Error::new(ErrorCode::STATE, format!("cannot start the sender thread: {cause}"))
    })
}
