//! A DynamoDB of fixed answers, for `tests/bench`: so cheap that what is measured is the client.
//!
//! Standard input brings the answers, each as `<operation> <length>\n` and a whole HTTP response of that length, ended by
//! an empty line; several answers to one operation are given in turn. The port on 127.0.0.1 is printed; the stub ends, printing how many requests it answered, when standard
//! input closes. Plain blocking sockets, one thread per connection: about ten microseconds a request, nearly all of them
//! the kernel's. `X-Amz-Target: Bench.LastBody` answers with the body of the last request, so that the bench can check
//! what a client really sent.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const LAST_BODY: &[u8] = b"LastBody";

struct Stub {
    answers: HashMap<Vec<u8>, Answers>,
    last_body: Mutex<Vec<u8>>,
    answered: AtomicU64,
}

/// The answers to one operation.
#[derive(Default)]
struct Answers {
    responses: Vec<Vec<u8>>,
    given: AtomicUsize,
}

impl Answers {
    fn next(&self) -> &[u8] {
        &self.responses[self.given.fetch_add(1, Ordering::Relaxed) % self.responses.len()]
    }
}

fn main() -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    let stub = Arc::new(Stub {
        answers: read_answers(&mut stdin)?,
        last_body: Mutex::default(),
        answered: 0.into(),
    });
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?.port());
    let shared = Arc::clone(&stub);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let stub = Arc::clone(&shared);
            // A client that goes away ends its connection's thread, nothing else.
            thread::spawn(move || stub.serve(stream));
        }
    });
    io::copy(&mut stdin, &mut io::sink())?;
    println!("{}", stub.answered.load(Ordering::Relaxed));
    Ok(())
}

fn read_answers(stdin: &mut impl BufRead) -> io::Result<HashMap<Vec<u8>, Answers>> {
    let mut answers: HashMap<Vec<u8>, Answers> = HashMap::new();
    loop {
        let mut head = String::new();
        stdin.read_line(&mut head)?;
        let Some((operation, length)) = head.trim_end().split_once(' ') else {
            return Ok(answers);
        };
        let length: usize = length.parse().map_err(io::Error::other)?;
        let mut response = vec![0; length];
        stdin.read_exact(&mut response)?;
        let answers = answers.entry(operation.as_bytes().to_vec()).or_default();
        answers.responses.push(response);
    }
}

impl Stub {
    /// Answer the requests of one connection until it closes.
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut filled = 0;
        loop {
            while let Some(request) = Request::parse(&buffer[..filled]) {
                let length = request.length;
                self.answer(&request, &mut stream)?;
                buffer.copy_within(length..filled, 0);
                filled -= length;
            }
            if filled == buffer.len() {
                buffer.resize(2 * filled, 0);
            }
            match stream.read(&mut buffer[filled..])? {
                0 => return Ok(()),
                read => filled += read,
            }
        }
    }

    fn answer(&self, request: &Request<'_>, stream: &mut TcpStream) -> io::Result<()> {
        if let Some(answers) = self.answers.get(request.operation) {
            let mut last = self.last_body.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            last.clear();
            last.extend_from_slice(request.body);
            drop(last);
            self.answered.fetch_add(1, Ordering::Relaxed);
            return stream.write_all(answers.next());
        }
        let (status, body) = if request.operation == LAST_BODY {
            (
                "200 OK",
                self.last_body
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .clone(),
            )
        } else {
            let operation = String::from_utf8_lossy(request.operation);
            let message =
                format!(r#"{{"__type":"ValidationException","message":"the stub has no answer to {operation}"}}"#);
            ("400 Bad Request", message.into_bytes())
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat())
    }
}

struct Request<'a> {
    /// What follows the dot of `X-Amz-Target`.
    operation: &'a [u8],
    body: &'a [u8],
    /// Of the whole request, head and body.
    length: usize,
}

impl<'a> Request<'a> {
    /// The first request in `bytes`, once it is there entirely.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let body_start = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let mut operation: &[u8] = b"";
        let mut content_length = 0;
        for line in bytes[..body_start].split(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"x-amz-target") {
                operation = value.rsplit(|&byte| byte == b'.').next().unwrap_or(value);
            } else if name.eq_ignore_ascii_case(b"content-length") {
                content_length = std::str::from_utf8(value).ok()?.parse().ok()?;
            }
        }
        let length = body_start + content_length;
        Some(Self {
            operation,
            body: bytes.get(body_start..length)?,
            length,
        })
    }
}
