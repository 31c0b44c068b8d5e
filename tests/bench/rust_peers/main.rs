//! What Rust alone costs, for `tests/bench`: the official typed client, and hyper with a signature made by hand.
//!
//! The argument is the stub's address. Standard input brings a line with a length and so many bytes of JSON: an array of
//! items as DynamoDB writes them. Each further line, `<peer> <operation> <times>`, is done and answered by a line with the
//! nanoseconds of CPU that it took and the number of items that were read.

mod by_hand;
mod sdk;

use std::error::Error;
use std::io::{self, BufRead};

use serde_json::Value;

use by_hand::ByHand;
use sdk::Sdk;

const TABLE: &str = "bench";
const REGION: &str = "eu-central-1";
const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const ITEMS_PER_BATCH: usize = 25;
const IN_FLIGHT: usize = 50;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let address = std::env::args().nth(1).ok_or("expected the stub's address")?;
    let mut stdin = io::stdin().lock();
    let items = read_items(&mut stdin)?;
    // One thread, as of a program that is sparing with CPU: the multi-threaded runtime adds wakes to every call.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sdk = Sdk::new(&address, &items)?;
    let mut by_hand = runtime.block_on(ByHand::connect(&address, items))?;
    for line in stdin.lines() {
        let line = line?;
        let mut words = line.split(' ');
        let (Some(peer), Some(operation), Some(Ok(times))) =
            (words.next(), words.next(), words.next().map(str::parse::<usize>))
        else {
            return Err(format!("expected a peer, an operation and a number, found {line:?}").into());
        };
        let before = cpu_nanoseconds();
        let read = runtime.block_on(async {
            match (peer, operation) {
                ("sdk", "put") => sdk.put(0, times).await,
                ("sdk", "get") => sdk.get(times).await,
                ("sdk", "query") => sdk.query(times).await,
                ("sdk", "batch_write") => sdk.batch_write(times).await,
                ("sdk", "put_in_flight") => sdk.put_in_flight(times).await,
                ("sdk", "get_in_flight") => sdk.get_in_flight(times).await,
                ("by_hand", "put") => by_hand.put(times).await,
                ("by_hand", "get") => by_hand.get(times).await,
                ("by_hand", "query") => by_hand.query(times).await,
                _ => Err(format!("{peer} does no {operation}").into()),
            }
        })?;
        println!("{} {read}", cpu_nanoseconds() - before);
    }
    Ok(())
}

fn read_items(stdin: &mut impl BufRead) -> Outcome<Vec<Value>> {
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    let mut text = vec![0; line.trim().parse()?];
    stdin.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Of all threads, user and system.
#[expect(
    unsafe_code,
    reason = "the time is written into a value of the type that the call takes"
)]
fn cpu_nanoseconds() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "every system that runs the bench has this clock");
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
