//! Batches on a service that throttles, leaves entries undone and loses answers by chance: each entry is done, or is named.

use std::collections::BTreeSet;

use bytes::Bytes;
use oxidyn::error::{Error, Result};
use oxidyn::ops::backoff::Backoff;
use oxidyn::ops::batch_write::{BatchWrite, Write};
use oxidyn::transport::scripted::lost;
use oxidyn::transport::{Call, Reply};

use super::drive::{fault, names, reply, run};

const GIVEN: usize = 120;

/// A store that does to each request what the next number says.
struct Service {
    random: u64,
    done: BTreeSet<usize>,
    /// How many in a hundred requests are lost, carried out or not.
    lossy: u64,
}

impl Service {
    /// The next of a linear congruential generator, of which the upper bits serve.
    fn chance(&mut self, of: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % of
    }

    fn answer(&mut self, call: &Call) -> Result<Reply> {
        let body = std::str::from_utf8(&call.body).unwrap();
        let keys: Vec<usize> = body
            .split(r#"{"N":""#)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        if self.chance(100) < self.lossy {
            let is_carried_out = self.chance(2) == 0;
            if is_carried_out {
                self.done.extend(&keys);
            }
            return lost(true);
        }
        if self.chance(4) == 0 {
            return fault("ThrottlingException", "{}");
        }
        let mut left = Vec::new();
        for key in keys {
            if self.chance(5) == 0 {
                left.push(format!(r#"{{"DeleteRequest":{{"Key":{{"id":{{"N":"{key}"}}}}}}}}"#));
            } else {
                self.done.insert(key);
            }
        }
        let left = if left.is_empty() {
            String::new()
        } else {
            format!(r#""users":[{}]"#, left.join(","))
        };
        reply(format!(r#"{{"UnprocessedItems":{{{left}}}}}"#))
    }
}

fn deletes() -> BatchWrite {
    let key = |number| Bytes::from(format!(r#"{{"id":{{"N":"{number}"}}}}"#));
    BatchWrite::new(
        "users",
        &names(["id"]),
        (0..GIVEN).map(|number| Write::Delete(key(number))),
    )
    .unwrap()
}

#[test]
fn each_entry_is_done_or_named_whatever_the_service_does() {
    let (mut whole, mut incomplete) = (0, 0);
    for seed in 0..500 {
        let mut service = Service {
            random: seed,
            done: BTreeSet::new(),
            lossy: seed % 40,
        };
        let batch = deletes().with_backoff(Backoff::seeded(seed)).at_once(3);

        let (output, _) = run(&batch, |call| service.answer(&call));

        let named: BTreeSet<usize> = match output {
            Ok(()) => {
                whole += 1;
                BTreeSet::new()
            }
            Err(Error::Incomplete(error)) => {
                incomplete += 1;
                // Of what is named, only what a lost request held may be done.
                assert!(error.causes.iter().all(Error::is_ambiguous), "seed {seed}");
                assert!(!error.causes.is_empty() || service.done.is_disjoint(&error.entries.iter().copied().collect()));
                error.entries.into_iter().collect()
            }
            // Nothing is known to be done.
            Err(_) => (0..GIVEN).collect(),
        };
        for entry in 0..GIVEN {
            assert!(
                service.done.contains(&entry) || named.contains(&entry),
                "seed {seed}: entry {entry} is neither done nor named"
            );
        }
    }
    assert!(whole > 10 && incomplete > 100, "{whole} whole, {incomplete} incomplete");
}
