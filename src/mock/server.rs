//! Owns the embedded cluster as a service on loopback: start, the shared state, stop. The sockets
//! are `server_loop`'s, the control methods `control`'s.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use mio::Waker;

use crate::error::{Error, ErrorCode, Result};
use crate::time::{Clock, SystemClock};

use super::cluster::Cluster;
use super::server_loop::ServerLoop;

/// A [`Cluster`] that serves TCP on 127.0.0.1, one port per broker, from one background thread
/// that sleeps while there is nothing to do. Every control method of the cluster is a method here,
/// too, and takes effect at once. Any thread may call any method.
pub struct MockCluster {
    shared: Arc<Shared>,
    waker: Waker,
    addresses: Vec<SocketAddr>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What callers and the thread share.
pub(super) struct Shared {
    cluster: Mutex<Cluster>,
    pub(super) clock: SystemClock,
    pub(super) closing: AtomicBool,
    /// How often the thread woke up.
    pub(super) turns: AtomicU64,
}

impl Shared {
    /// The cluster. A caller's closure that panicked has not left a method of the cluster half
    /// done, so the lock's poison means nothing.
    pub(super) fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MockCluster {
    /// Starts a cluster of `brokers` brokers on free ports.
    /// Errors: `TRANSPORT` when the system has no socket, port or thread to give.
    pub fn start(brokers: usize) -> Result<MockCluster> {
        MockCluster::serve(Cluster::new(brokers, fastrand::u64(..)))
    }

    /// Starts serving a cluster that was made, and perhaps already told things, elsewhere. The
    /// advertised addresses and the wall clock become the real ones.
    pub fn serve(mut cluster: Cluster) -> Result<MockCluster> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorCode::TRANSPORT, format!("the mock cluster cannot start: {error}"))
        };
        let clock = SystemClock::new();
        cluster.set_wall_origin_ms(clock.wall_ms() - clock.now().as_ms() as i64);
        let (mut server, waker) = ServerLoop::new().map_err(failed)?;
        let mut addresses = Vec::new();
        for broker in cluster.broker_ids() {
            let address = server.listen(broker).map_err(failed)?;
            cluster.set_broker_address(broker, &address.ip().to_string(), address.port())?;
            addresses.push(address);
        }
        let shared = Arc::new(Shared {
            cluster: Mutex::new(cluster),
            clock,
            closing: AtomicBool::new(false),
            turns: AtomicU64::new(0),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("ottla-mock".to_owned())
            .spawn(move || server.run(&served))
            .map_err(failed)?;
        let thread = Mutex::new(Some(thread));
        Ok(MockCluster { shared, waker, addresses, thread })
    }

    /// The addresses of all brokers, as `bootstrap.servers` wants them.
    pub fn bootstrap_servers(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        addresses.join(",")
    }

    /// Calls `change` with the cluster, between two requests, and lets the thread see what it did.
    pub fn with<R>(&self, change: impl FnOnce(&mut Cluster) -> R) -> R {
        let result = change(&mut self.advanced());
        self.wake();
        result
    }

    /// Calls `look` with the cluster, between two requests.
    pub fn read<R>(&self, look: impl FnOnce(&Cluster) -> R) -> R {
        look(&self.advanced())
    }

    /// The cluster, with everything done that is due: markers need no thread that wakes up.
    fn advanced(&self) -> MutexGuard<'_, Cluster> {
        let mut cluster = self.shared.cluster();
        cluster.advance(self.shared.clock.now());
        cluster
    }

    /// How often the thread has woken up so far: it stands still while nothing happens.
    pub fn turns(&self) -> u64 {
        self.shared.turns.load(Ordering::Relaxed)
    }

    /// Stops serving: connections close, ports are free again, the thread is gone. The cluster can
    /// still be read. Also done on drop; a second call does nothing.
    pub fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.wake();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Fails only if the thread panicked, which closed everything just as well.
            let _ = thread.join();
        }
    }

    fn wake(&self) {
        // Fails only when the poll is gone, and then nobody sleeps.
        let _ = self.waker.wake();
    }
}

impl Drop for MockCluster {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for MockCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MockCluster({})", self.bootstrap_servers())
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
