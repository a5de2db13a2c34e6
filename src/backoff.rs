//! Owns the arithmetic of waiting longer after each failure (KIP-580): base 2, ±20 % jitter, a cap.
//! Never reads a clock and never counts: the number of failures and the randomness are arguments.

/// How much a delay may differ from its nominal value.
const JITTER: f64 = 0.2;

/// A row of growing delays.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ExponentialBackoff {
    initial_ms: u64,
    max_ms: u64,
}

impl ExponentialBackoff {
    /// Delays that begin at `initial_ms` and double up to `max_ms`. A maximum below the beginning
    /// lowers the beginning, as in Java.
    pub fn new(initial_ms: u64, max_ms: u64) -> ExponentialBackoff {
        ExponentialBackoff { initial_ms: initial_ms.min(max_ms), max_ms }
    }

    /// The delay in milliseconds after `attempts` earlier ones (0 gives the initial delay). The
    /// jitter never takes it above the cap; a delay that cannot grow has no jitter, so that equal
    /// `backoff.ms` and `backoff.max.ms` mean exactly that time.
    pub fn delay_ms(&self, attempts: u32, random: &mut fastrand::Rng) -> u64 {
        if self.initial_ms >= self.max_ms {
            return self.initial_ms;
        }
        let nominal = self.initial_ms as f64 * 2f64.powi(attempts.min(62) as i32);
        let jittered =
            nominal.min(self.max_ms as f64) * (1.0 + JITTER * (2.0 * random.f64() - 1.0));
        (jittered as u64).min(self.max_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_with_jitter_up_to_the_cap() {
        let backoff = ExponentialBackoff::new(100, 1000);
        let mut random = fastrand::Rng::with_seed(7);
        for (attempts, nominal) in [(0, 100), (1, 200), (2, 400), (3, 800), (4, 1000), (40, 1000)] {
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..if cfg!(miri) { 20 } else { 200 } {
                let delay = backoff.delay_ms(attempts, &mut random);
                assert!(delay >= nominal * 8 / 10, "{attempts}: {delay}");
                assert!(delay <= (nominal * 12 / 10).min(1000), "{attempts}: {delay}");
                seen.insert(delay);
            }
            assert!(seen.len() > 10, "{attempts}: no jitter");
        }
    }

    #[test]
    fn without_growth_the_delay_is_constant() {
        let mut random = fastrand::Rng::with_seed(7);
        for attempts in [0, 1, 20, u32::MAX] {
            assert_eq!(ExponentialBackoff::new(50, 50).delay_ms(attempts, &mut random), 50);
            assert_eq!(ExponentialBackoff::new(100, 50).delay_ms(attempts, &mut random), 50);
            assert_eq!(ExponentialBackoff::new(0, 0).delay_ms(attempts, &mut random), 0);
        }
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        let backoff = ExponentialBackoff::new(u64::MAX / 2, u64::MAX);
        let mut random = fastrand::Rng::with_seed(7);
        assert!(backoff.delay_ms(u32::MAX, &mut random) >= u64::MAX / 2);
    }
}
