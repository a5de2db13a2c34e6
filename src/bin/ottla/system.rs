//! What only the operating system can tell: processor time and memory of this process, and the signals that
//! ask it to end. The only unsafe code of the tool.
#![allow(unsafe_code)]

use std::time::Duration;

/// What this process has used so far.
#[derive(Copy, Clone, Debug, Default)]
pub struct Usage {
    /// Processor time in user and system mode, all threads together.
    pub cpu: Duration,
    /// The most memory that was resident at any time, in bytes.
    pub max_resident_bytes: u64,
}

/// What this process has used so far; `None` where the system does not tell.
#[cfg(unix)]
pub fn usage() -> Option<Usage> {
    let mut raw = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole rusage, which the call fills in; all-zero is a valid rusage.
    let raw = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, raw.as_mut_ptr()) != 0 {
            return None;
        }
        raw.assume_init()
    };
    let time = |tv: libc::timeval| {
        Duration::from_secs(tv.tv_sec as u64) + Duration::from_micros(tv.tv_usec as u64)
    };
    // Apple's systems count bytes, the others KiB.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    Some(Usage {
        cpu: time(raw.ru_utime) + time(raw.ru_stime),
        max_resident_bytes: raw.ru_maxrss as u64 * unit,
    })
}

/// What this process has used so far; `None` where the system does not tell.
#[cfg(not(unix))]
pub fn usage() -> Option<Usage> {
    None
}

/// The signals that ask the process to end, blocked in every thread and waited for in one.
#[cfg(unix)]
pub struct EndSignals {
    set: libc::sigset_t,
}

#[cfg(unix)]
impl EndSignals {
    /// Blocks SIGINT, SIGTERM and SIGHUP in this thread and all that it starts. One that was ignored when the
    /// process began (`nohup`, a shell's background job) stays ignored.
    pub fn block() -> EndSignals {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: sigemptyset initialises the set before anything reads it; the other calls get pointers to
        // whole values that outlive them, and a null where POSIX allows one.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
                let known = libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) == 0;
                if known && now.assume_init().sa_sigaction != libc::SIG_IGN {
                    libc::sigaddset(set.as_mut_ptr(), signal);
                }
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
            EndSignals { set: set.assume_init() }
        }
    }

    /// Waits for the next of them and returns its number; `None` when there is nothing to wait for.
    pub fn wait(&self) -> Option<i32> {
        let mut signal = 0;
        // SAFETY: the set was initialised by `block`, and `signal` is a whole int for the answer.
        let failed = unsafe { libc::sigwait(&self.set, &mut signal) };
        (failed == 0).then_some(signal)
    }
}

/// Where signals do not exist, Ctrl-C ends the process at once.
#[cfg(not(unix))]
pub struct EndSignals;

#[cfg(not(unix))]
impl EndSignals {
    /// Does nothing.
    pub fn block() -> EndSignals {
        EndSignals
    }

    /// No signal ever comes.
    pub fn wait(&self) -> Option<i32> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn processor_time_grows_with_work() {
        let before = usage().unwrap();
        let begun = std::time::Instant::now();
        let mut sum = 0u64;
        while begun.elapsed() < Duration::from_millis(60) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let after = usage().unwrap();
        assert!(after.cpu > before.cpu, "{before:?} {after:?}");
        assert!(after.max_resident_bytes > 100_000, "{after:?}");
    }
}
