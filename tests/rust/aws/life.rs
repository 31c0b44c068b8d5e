//! When credentials are renewed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oxidyn::transport::aws::life::{Life, Standing};

fn standings(left: u64, moments: &[u64]) -> Vec<Standing> {
    let at = |seconds: u64| -> SystemTime { UNIX_EPOCH + Duration::from_secs(seconds) };
    let life = Life::new(at(0), at(left));
    moments.iter().map(|&moment| life.standing(at(moment))).collect()
}

#[test]
fn credentials_of_an_hour_are_renewed_five_minutes_early_and_given_up_ten_seconds_early() {
    use Standing::{Aging, Fresh, Over};

    assert_eq!(
        standings(3600, &[0, 3299, 3300, 3589, 3590, 3600]),
        [Fresh, Fresh, Aging, Aging, Over, Over]
    );
}

#[test]
fn credentials_of_a_minute_are_fresh_for_most_of_it() {
    use Standing::{Aging, Fresh, Over};

    assert_eq!(standings(60, &[0, 44, 45, 52, 53]), [Fresh, Fresh, Aging, Aging, Over]);
}

#[test]
fn credentials_that_were_over_when_they_came_are_over() {
    assert_eq!(standings(0, &[0, 1]), [Standing::Over; 2]);
}
