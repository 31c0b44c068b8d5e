//! The retry cases that AWS's SDKs publish for their standard mode (Retry Behavior 2.1) and for their adaptive one.

use std::time::Duration;

use oxidyn::transport::aws::adaptive::Throttle;
use oxidyn::transport::aws::budget::{Budget, Stake, Trouble, Waits};

/// The SDKs' numbers for a service that is not DynamoDB, which their cases are told with; no jitter.
const WAITS: Waits = Waits {
    throttled: Duration::from_secs(1),
    passing: Duration::from_millis(50),
    longest: Duration::from_secs(20),
};
const JITTER: f64 = 1.0;

/// One call, try by try, in the words of the cases.
struct Call<'a> {
    budget: &'a Budget,
    waits: Waits,
    max_attempts: u32,
    tries: u32,
    stake: Option<Stake>,
}

#[derive(Debug, PartialEq)]
enum Then {
    After(Duration),
    OutOfAttempts,
    OutOfTokens,
}

impl<'a> Call<'a> {
    fn new(budget: &'a Budget, max_attempts: u32) -> Self {
        Self {
            budget,
            waits: WAITS,
            max_attempts,
            tries: 0,
            stake: None,
        }
    }

    fn fails(&mut self, trouble: Trouble) -> Then {
        self.asks_to_wait(trouble, None)
    }

    fn asks_to_wait(&mut self, trouble: Trouble, asked: Option<Duration>) -> Then {
        self.tries += 1;
        if self.tries >= self.max_attempts {
            return Then::OutOfAttempts;
        }
        match self.budget.stake(trouble) {
            None => Then::OutOfTokens,
            stake => {
                self.stake = stake;
                Then::After(self.waits.before_next(self.tries, trouble, asked, JITTER))
            }
        }
    }

    fn succeeds(mut self) {
        self.budget.succeeded(self.stake.take());
    }
}

fn after(milliseconds: u64) -> Then {
    Then::After(Duration::from_millis(milliseconds))
}

use Trouble::{Passing, Throttling};

#[test]
fn retry_eventually_succeeds() {
    let budget = Budget::new(500);
    let mut call = Call::new(&budget, 3);

    assert_eq!((call.fails(Passing), budget.left()), (after(50), 486));
    assert_eq!((call.fails(Passing), budget.left()), (after(100), 472));
    call.succeeds();
    assert_eq!(budget.left(), 486);
}

#[test]
fn fails_as_the_attempts_are_over() {
    let budget = Budget::new(500);
    let mut call = Call::new(&budget, 3);

    assert_eq!((call.fails(Passing), budget.left()), (after(50), 486));
    assert_eq!((call.fails(Passing), budget.left()), (after(100), 472));
    assert_eq!((call.fails(Passing), budget.left()), (Then::OutOfAttempts, 472));
}

#[test]
fn the_budget_is_spent_after_a_single_retry() {
    let budget = Budget::new(14);
    let mut call = Call::new(&budget, 5);

    assert_eq!((call.fails(Passing), budget.left()), (after(50), 0));
    assert_eq!((call.fails(Passing), budget.left()), (Then::OutOfTokens, 0));
}

#[test]
fn no_retries_without_a_budget() {
    let budget = Budget::new(0);

    assert_eq!(Call::new(&budget, 3).fails(Passing), Then::OutOfTokens);
    assert_eq!(budget.left(), 0);
}

#[test]
fn waits_double() {
    let budget = Budget::new(500);
    let mut call = Call::new(&budget, 5);

    let waits: Vec<Then> = (0..5).map(|_| call.fails(Passing)).collect();

    assert_eq!(
        waits,
        [after(50), after(100), after(200), after(400), Then::OutOfAttempts]
    );
    assert_eq!(budget.left(), 444);
}

#[test]
fn waits_do_not_exceed_the_longest() {
    let budget = Budget::new(500);
    let mut call = Call::new(&budget, 5);
    call.waits.longest = Duration::from_millis(200);

    let waits: Vec<Then> = (0..5).map(|_| call.fails(Passing)).collect();

    assert_eq!(
        waits,
        [after(50), after(100), after(200), after(200), Then::OutOfAttempts]
    );
    assert_eq!(WAITS.before_next(100_000, Passing, None, JITTER), WAITS.longest);
}

#[test]
fn retries_stop_where_too_few_tokens_are_left() {
    let budget = Budget::new(20);
    let mut call = Call::new(&budget, 5);

    assert_eq!((call.fails(Passing), budget.left()), (after(50), 6));
    assert_eq!((call.fails(Passing), budget.left()), (Then::OutOfTokens, 6));
}

#[test]
fn the_budget_recovers_by_success() {
    let budget = Budget::new(30);
    let mut call = Call::new(&budget, 5);
    assert_eq!((call.fails(Passing), budget.left()), (after(50), 16));
    assert_eq!((call.fails(Passing), budget.left()), (after(100), 2));
    call.succeeds();
    assert_eq!(budget.left(), 16);

    let mut call = Call::new(&budget, 5);
    assert_eq!((call.fails(Passing), budget.left()), (after(50), 2));
    call.succeeds();
    assert_eq!(budget.left(), 16);

    Call::new(&budget, 5).succeeds();
    assert_eq!(budget.left(), 17);
}

#[test]
fn throttling_costs_less_and_waits_longer() {
    let budget = Budget::new(500);
    let mut call = Call::new(&budget, 3);

    assert_eq!((call.fails(Throttling), budget.left()), (after(1000), 495));
    call.succeeds();
    assert_eq!(budget.left(), 500);
}

#[test]
fn the_budget_is_never_more_than_full() {
    let budget = Budget::new(500);

    for _ in 0..3 {
        Call::new(&budget, 3).succeeds();
    }

    assert_eq!(budget.left(), 500);
}

#[test]
fn a_wait_that_the_service_asks_for_lies_between_the_own_one_and_five_seconds_more() {
    for (asked, expected) in [(10, 50), (3000, 3000), (10_000, 5050)] {
        let budget = Budget::new(500);
        let then = Call::new(&budget, 3).asks_to_wait(Passing, Some(Duration::from_millis(asked)));

        assert_eq!(then, after(expected), "{asked} asked");
    }
}

#[test]
fn jitter_takes_any_part_of_the_wait() {
    assert_eq!(WAITS.before_next(2, Passing, None, 0.0), Duration::ZERO);
    assert_eq!(WAITS.before_next(2, Passing, None, 0.5), Duration::from_millis(50));
}

#[test]
fn dynamodbs_first_wait_is_25_milliseconds() {
    assert_eq!(
        Waits::DYNAMODB.before_next(1, Passing, None, JITTER),
        Duration::from_millis(25)
    );
}

#[test]
fn many_threads_take_no_more_than_the_budget_has() {
    let budget = Budget::new(500);

    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..50).filter(|_| budget.stake(Passing).is_some()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });

    assert_eq!((taken, budget.left()), (35, 10));
}

mod adaptive {
    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    /// (throttled, when, the measured rate, the rate that requests are let through with).
    const CASES: &[(bool, f64, f64, f64)] = &[
        (false, 0.2, 0.0, 0.5),
        (false, 0.4, 0.0, 0.5),
        (false, 0.6, 4.8, 0.5),
        (false, 0.8, 4.8, 0.5),
        (false, 1.0, 4.16, 0.5),
        (false, 1.2, 4.16, 0.6912),
        (false, 1.4, 4.16, 1.0976),
        (false, 1.6, 5.632, 1.6384),
        (false, 1.8, 5.632, 2.3328),
        (true, 2.0, 4.3264, 3.02848),
        (false, 2.2, 4.3264, 3.486_639_173_470_26),
        (false, 2.4, 4.3264, 3.821_874_416_040_255),
        (false, 2.6, 5.665_28, 4.053_385_727_709_987),
        (false, 2.8, 5.665_28, 4.200_373_108_479_454),
        (false, 3.0, 4.333_056, 4.282_036_558_348_658),
        (true, 3.2, 4.333_056, 2.997_425_590_844_06),
        (false, 3.4, 4.333_056, 3.452_226_394_386_346_3),
    ];

    #[test]
    fn rates_follow_the_published_curve() {
        let throttle = Throttle::new(0.0);

        for &(throttled, now, measured, rate) in CASES {
            let found = throttle.answered(now, throttled);

            assert!(
                near(throttle.measured_rate(), measured),
                "measured at {now}: {}",
                throttle.measured_rate()
            );
            assert!(near(found, rate), "at {now}: {found}");
        }
    }

    #[test]
    fn nothing_is_held_back_before_the_first_throttling() {
        let throttle = Throttle::new(0.0);

        for request in 0..1000 {
            assert_eq!(throttle.pass(f64::from(request) / 1e6), None);
        }
    }

    #[test]
    fn what_is_held_back_passes_after_the_wait_that_was_told() {
        let throttle = Throttle::new(0.0);
        throttle.answered(0.0, true);

        let mut now = 0.0;
        let mut sent = 0;
        while now < 60.0 {
            match throttle.pass(now) {
                None => sent += 1,
                Some(wait) => {
                    now += wait.as_secs_f64();
                    assert_eq!(throttle.pass(now), None, "after the wait");
                    sent += 1;
                }
            }
        }

        // Half a request a second is the slowest.
        assert!((29..=31).contains(&sent), "{sent}");
    }
}
