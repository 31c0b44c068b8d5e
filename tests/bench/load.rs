//! Load on a web server, for `tests/bench`: GET requests over connections that are kept.
//!
//! Arguments are the server's port and the number of connections. Each line of standard input, `<path> <requests>`, is one
//! round; when all are answered, the number of bytes of their bodies is printed. A status other than 200 ends the program.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, thread};

type Connection = BufReader<TcpStream>;

fn main() -> io::Result<()> {
    let mut arguments = env::args()
        .skip(1)
        .map(|argument| argument.parse::<u16>().expect("a number"));
    let (port, count) = arguments
        .next()
        .zip(arguments.next())
        .expect("a port and the number of connections");
    let mut connections = (0..count).map(|_| connect(port)).collect::<io::Result<Vec<_>>>()?;
    for line in io::stdin().lines() {
        let line = line?;
        let (path, requests) = line.split_once(' ').expect("a path and the number of requests");
        let left = AtomicU64::new(requests.parse().map_err(io::Error::other)?);
        let bytes = AtomicU64::new(0);
        thread::scope(|scope| {
            for connection in &mut connections {
                scope.spawn(|| load(connection, path, &left, &bytes).expect("an answer"));
            }
        });
        println!("{}", bytes.into_inner());
    }
    Ok(())
}

fn connect(port: u16) -> io::Result<Connection> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::with_capacity(64 * 1024, stream))
}

/// Send requests, one after the other, as long as any are left.
fn load(connection: &mut Connection, path: &str, left: &AtomicU64, bytes: &AtomicU64) -> io::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
    while left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        .is_ok()
    {
        connection.get_mut().write_all(request.as_bytes())?;
        bytes.fetch_add(read_answer(connection)?, Ordering::Relaxed);
    }
    Ok(())
}

/// Read one answer and say how many bytes its body has.
fn read_answer(connection: &mut Connection) -> io::Result<u64> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        connection.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    io::copy(&mut connection.take(length), &mut io::sink())
}
