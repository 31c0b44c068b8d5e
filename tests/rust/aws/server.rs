//! A server of scripted answers, and of the ways in which one may fail to answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of one request.
#[derive(Debug, Clone)]
pub enum Line {
    /// These bytes, whole; the connection is kept.
    Answer(Vec<u8>),
    /// These bytes, and the connection is closed.
    Close(Vec<u8>),
    /// Nothing, for as long as the client waits.
    Silence,
}

/// Answers each request, on whichever connection, by the next line; `{}` after the last.
pub struct Server {
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    script: std::collections::VecDeque<Line>,
    requests: Vec<Request>,
    connections: usize,
    under_way: usize,
    most_at_once: usize,
    /// Held by silent connections, so that they stay open.
    silent: Vec<TcpStream>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

pub fn ok(body: &str) -> Line {
    Line::Answer(answer(200, &[("x-amzn-requestid", "R1")], body))
}

pub fn refusal(status: u16, code: &str) -> Line {
    refusal_with(status, code, &[])
}

pub fn refusal_with(status: u16, code: &str, headers: &[(&str, &str)]) -> Line {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#);
    Line::Answer(answer(status, headers, &body))
}

impl Server {
    pub fn start(script: impl IntoIterator<Item = Line>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            script: script.into_iter().collect(),
            requests: Vec::new(),
            connections: 0,
            under_way: 0,
            most_at_once: 0,
            silent: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { url, state }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The most requests that waited for their answer at one time.
    pub fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

/// An error ends the connection: the client went away, which is part of the tests.
fn serve(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    state.lock().unwrap().connections += 1;
    let mut received = Vec::new();
    loop {
        let request = read_request(&mut stream, &mut received)?;
        let line = {
            let mut state = state.lock().unwrap();
            state.requests.push(request);
            state.under_way += 1;
            state.most_at_once = state.most_at_once.max(state.under_way);
            state.script.pop_front().unwrap_or_else(|| ok("{}"))
        };
        if !matches!(line, Line::Silence) {
            state.lock().unwrap().under_way -= 1;
        }
        match line {
            Line::Answer(bytes) => stream.write_all(&bytes).ok()?,
            Line::Close(bytes) => return stream.write_all(&bytes).ok(),
            Line::Silence => {
                state.lock().unwrap().silent.push(stream.try_clone().ok()?);
                // Until the client closes.
                let _ = stream.read(&mut [0]);
                return None;
            }
        }
    }
}

fn read_request(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(received[..end].to_vec()).ok()?;
            let mut request = Request { head, body: Vec::new() };
            let length: usize = request.header("content-length")?.parse().ok()?;
            if received.len() >= end + 4 + length {
                request.body = received[end + 4..end + 4 + length].to_vec();
                received.drain(..end + 4 + length);
                return Some(request);
            }
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk).ok()? {
            0 => return None,
            read => received.extend_from_slice(&chunk[..read]),
        }
    }
}
