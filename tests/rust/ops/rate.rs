//! Rate limits by a clock that is told, and what replies say was consumed.

#![expect(
    clippy::float_cmp,
    reason = "moments are told, and sums of a few tenths come out the same each time"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oxidyn::error::{Error, TransportError, TransportKind};
use oxidyn::ops::capacity::{Detail, asking};
use oxidyn::ops::rate::{Consumed, Limiter, Ticket};
use oxidyn::transport::Call;
use oxidyn::transport::effort::Effort;

use super::drive::{fault, reply};

fn reading(rate: f64) -> Arc<Limiter> {
    Arc::new(Limiter::new(Some(rate), None))
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A read that goes at this moment.
fn goes(limiter: &Arc<Limiter>, now: f64) -> Ticket {
    let mut ticket = limiter.join("Query").unwrap();
    assert_eq!(ticket.wait(at(now)), None);
    ticket
}

/// The moment at which the call goes, looking again when it is told to.
fn goes_at(ticket: &mut Ticket, now: f64) -> f64 {
    let mut now = at(now);
    while let Some(wait) = ticket.wait(now) {
        assert!(wait <= Duration::from_secs(1), "it looks again at least each second");
        now += wait;
    }
    (now.as_secs_f64() * 1e6).round() / 1e6
}

#[test]
fn what_a_call_consumed_is_subtracted_afterwards_and_the_next_waits_until_the_debt_is_paid() {
    let limiter = reading(10.0);

    goes(&limiter, 0.0).consumed(35.0);

    // 10 units for the second that is kept, 35 spent: 25 are missing.
    assert_eq!(goes_at(&mut limiter.join("Query").unwrap(), 0.0), 2.5);
}

#[test]
fn units_are_kept_for_a_second_and_no_longer() {
    let limiter = reading(10.0);

    goes(&limiter, 100.0).consumed(20.0);

    assert_eq!(goes_at(&mut limiter.join("Query").unwrap(), 100.0), 101.0);
}

#[test]
fn calls_go_in_the_order_in_which_they_came() {
    let limiter = reading(10.0);
    goes(&limiter, 0.0).consumed(20.0);
    let mut first = limiter.join("Query").unwrap();
    let mut second = limiter.join("Query").unwrap();

    // It asks first, but stands behind one that is expected to consume what the last one did.
    assert_eq!(second.wait(at(1.0)), Some(Duration::from_secs(1)));
    assert_eq!(first.wait(at(1.0)), None);
    assert_eq!(goes_at(&mut second, 1.0), 3.0);
}

#[test]
fn what_a_call_will_consume_is_learnt_for_each_operation() {
    let limiter = reading(10.0);
    goes(&limiter, 0.0).consumed(100.0);
    let mut get = limiter.join("GetItem").unwrap();
    let mut after_get = limiter.join("Query").unwrap();
    let mut after_query = limiter.join("Query").unwrap();

    assert_eq!(goes_at(&mut get, 0.0), 9.0);
    assert_eq!(goes_at(&mut after_get, 9.0), 9.1);
    assert_eq!(goes_at(&mut after_query, 9.1), 19.1);
}

#[test]
fn later_calls_move_what_is_learnt_by_a_quarter() {
    let limiter = reading(100.0);
    goes(&limiter, 0.0).consumed(40.0);
    goes(&limiter, 10.0).consumed(80.0);

    // 50 are expected of it, so that nothing is left after two.
    let _under_way = [goes(&limiter, 20.0), goes(&limiter, 20.0)];
    let _last = goes(&limiter, 20.0);
    assert_eq!(goes_at(&mut limiter.join("Query").unwrap(), 20.0), 20.5);
}

#[test]
fn a_call_that_is_cancelled_while_it_waits_leaves_the_line() {
    let limiter = reading(1.0);
    goes(&limiter, 0.0).consumed(101.0);
    let cancelled = limiter.join("Query").unwrap();
    let mut next = limiter.join("Query").unwrap();
    assert!(next.wait(at(0.0)).is_some());

    drop(cancelled);

    assert_eq!(goes_at(&mut next, 0.0), 100.0);
}

#[test]
fn one_that_never_asks_again_does_not_hold_up_those_behind_it() {
    let limiter = reading(1.0);
    goes(&limiter, 0.0).consumed(2.0);
    let _stalled = limiter.join("Query").unwrap();

    assert_eq!(goes_at(&mut limiter.join("Query").unwrap(), 0.0), 3.0);
}

#[test]
fn a_call_that_is_cancelled_under_way_has_consumed_what_was_expected_of_it() {
    let limiter = reading(10.0);
    goes(&limiter, 0.0).consumed(10.0);

    drop(goes(&limiter, 10.0));

    goes(&limiter, 10.0);
    assert_eq!(goes_at(&mut limiter.join("Query").unwrap(), 10.0), 11.0);
}

#[test]
fn reads_and_writes_are_counted_apart_and_table_operations_not_at_all() {
    let limiter = Arc::new(Limiter::new(Some(1.0), Some(100.0)));
    for read in ["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"] {
        let mut ticket = limiter.join(read).unwrap();
        goes_at(&mut ticket, 0.0);
        ticket.consumed(1000.0);
    }

    for write in [
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
    ] {
        assert_eq!(limiter.join(write).unwrap().wait(at(0.0)), None, "{write}");
    }
    for neither in ["CreateTable", "DescribeTable", "DeleteTable", "UpdateTimeToLive"] {
        assert!(limiter.join(neither).is_none() && !limiter.holds(neither), "{neither}");
    }
    assert!(reading(1.0).join("PutItem").is_none());
}

#[test]
fn a_limited_call_asks_what_it_consumes() {
    let call = Call {
        operation: "GetItem",
        body: Bytes::from_static(br#"{"TableName":"users"}"#),
    };
    let call = asking(&call, Detail::Total);

    assert_eq!(
        &*call.body,
        br#"{"TableName":"users","ReturnConsumedCapacity":"TOTAL"}"#
    );
}

fn units(told: &[(&str, f64)]) -> Consumed {
    Consumed::Units(told.iter().map(|(table, units)| ((*table).into(), *units)).collect())
}

#[test]
fn consumed_capacity_is_found_wherever_it_stands_and_in_both_forms() {
    let behind =
        r#"{"Items":[{"ConsumedCapacity":{"N":"9"}}],"ConsumedCapacity":{"TableName":"users","CapacityUnits":128.5}}"#;
    let list = r#"{"ConsumedCapacity":[{"CapacityUnits":2.0,"TableName":"a"},{"Table":{"CapacityUnits":7},"CapacityUnits":1e1,"TableName":"b"}]}"#;

    assert_eq!(Consumed::of(&reply(behind)), units(&[("users", 128.5)]));
    assert_eq!(Consumed::of(&reply(list)), units(&[("a", 2.0), ("b", 10.0)]));
    for untold in [
        "{}",
        r#"{"ConsumedCapacity":null}"#,
        r#"{"ConsumedCapacity":[]}"#,
        r#"{"ConsumedCapacity":{"CapacityUnits":"x"}}"#,
        "[]",
    ] {
        assert_eq!(Consumed::of(&reply(untold)), Consumed::Untold, "{untold}");
    }
}

fn lost(ambiguous: bool) -> Error {
    Error::Transport(TransportError {
        kind: TransportKind::Timeout,
        message: String::new(),
        ambiguous,
        effort: Effort::default(),
    })
}

#[test]
fn a_refused_call_consumes_nothing_unless_its_condition_was_looked_at() {
    for code in ["ProvisionedThroughputExceededException", "ValidationException"] {
        assert_eq!(Consumed::of(&fault(code, "{}")), Consumed::Nothing);
    }
    for code in ["ConditionalCheckFailedException", "TransactionCanceledException"] {
        assert_eq!(Consumed::of(&fault(code, "{}")), Consumed::Untold);
    }
    assert_eq!(Consumed::of(&Err(lost(false))), Consumed::Nothing);
    assert_eq!(Consumed::of(&Err(lost(true))), Consumed::Untold);
}

#[test]
fn an_operation_on_several_tables_is_counted_for_each_by_its_name() {
    let limiter = reading(10.0);
    let told = units(&[("users", 30.0), ("orders", 500.0), ("groups", 5.0)]);

    told.settle(goes(&limiter, 0.0), |table| matches!(table, "users" | "groups"));

    assert_eq!(goes_at(&mut limiter.join("Query").unwrap(), 0.0), 2.5);
}

#[test]
fn a_table_that_a_call_did_not_touch_gets_its_units_back() {
    let limiter = reading(2.0);

    units(&[("orders", 500.0)]).settle(goes(&limiter, 0.0), |table| table == "users");

    goes(&limiter, 0.0).consumed(2.0);
    goes(&limiter, 0.0);
}
