//! The adaptive retry mode: a client that was throttled slows itself down, and speeds up again by degrees.
//!
//! The rate follows the cubic curve that AWS's tools share. Times are seconds of a clock that never goes back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const LEAST_RATE: f64 = 0.5;
const LEAST_CAPACITY: f64 = 1.0;
/// How much of the measured rate the newest half second makes.
const SMOOTH: f64 = 0.8;
/// What is left of the rate after throttling.
const BETA: f64 = 0.7;
const SCALE: f64 = 0.4;

/// The rate of one client's requests, all its connections together.
#[derive(Debug)]
pub struct Throttle(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Until the first throttling nothing is held back.
    enabled: bool,
    fill_rate: f64,
    max_capacity: f64,
    capacity: f64,
    filled_at: Option<f64>,
    measured_rate: f64,
    /// The half second that requests are counted in.
    bucket: f64,
    requests: u32,
    /// The rate when it was throttled last, and when that was.
    last_max_rate: f64,
    throttled_at: f64,
    /// How long the curve takes back to that rate.
    window: f64,
}

impl Throttle {
    #[must_use]
    pub fn new(now: f64) -> Self {
        Self(Mutex::new(State {
            enabled: false,
            fill_rate: 0.0,
            max_capacity: 0.0,
            capacity: 0.0,
            filled_at: None,
            measured_rate: 0.0,
            bucket: now.floor(),
            requests: 0,
            last_max_rate: 0.0,
            throttled_at: now,
            window: 0.0,
        }))
    }

    /// Take the right to send one request, or the wait after which to ask again.
    pub fn pass(&self, now: f64) -> Option<Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.enabled {
            return None;
        }
        state.refill(now);
        if state.capacity >= 1.0 {
            state.capacity -= 1.0;
            return None;
        }
        let wait = Duration::from_secs_f64((1.0 - state.capacity) / state.fill_rate);
        if wait.is_zero() {
            // Less than a nanosecond is lacking, which no clock would see pass.
            state.capacity = 0.0;
            return None;
        }
        Some(wait)
    }

    /// An answer came. The new rate, in requests a second.
    pub fn answered(&self, now: f64, throttled: bool) -> f64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.measure(now);
        let rate = if throttled {
            let rate = if state.enabled {
                state.measured_rate.min(state.fill_rate)
            } else {
                state.measured_rate
            };
            state.last_max_rate = rate;
            state.set_window();
            state.throttled_at = now;
            state.enabled = true;
            rate * BETA
        } else {
            state.set_window();
            state.recovered(now)
        };
        let rate = rate.min(2.0 * state.measured_rate);
        state.set_rate(now, rate);
        state.fill_rate
    }

    /// The smoothed rate of requests, in requests a second.
    #[must_use]
    pub fn measured_rate(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).measured_rate
    }
}

impl State {
    fn refill(&mut self, now: f64) {
        if let Some(before) = self.filled_at {
            self.capacity = (self.capacity + (now - before) * self.fill_rate).min(self.max_capacity);
        }
        self.filled_at = Some(now);
    }

    fn set_rate(&mut self, now: f64, rate: f64) {
        // What was filled until now was filled at the old rate.
        self.refill(now);
        self.fill_rate = rate.max(LEAST_RATE);
        self.max_capacity = rate.max(LEAST_CAPACITY);
        self.capacity = self.capacity.min(self.max_capacity);
    }

    fn measure(&mut self, now: f64) {
        let bucket = (now * 2.0).floor() / 2.0;
        self.requests += 1;
        if bucket > self.bucket {
            let rate = f64::from(self.requests) / (bucket - self.bucket);
            self.measured_rate = rate * SMOOTH + self.measured_rate * (1.0 - SMOOTH);
            self.requests = 0;
            self.bucket = bucket;
        }
    }

    fn set_window(&mut self) {
        self.window = (self.last_max_rate * (1.0 - BETA) / SCALE).cbrt();
    }

    fn recovered(&self, now: f64) -> f64 {
        let since = now - self.throttled_at - self.window;
        SCALE * since.powi(3) + self.last_max_rate
    }
}
