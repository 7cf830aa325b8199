//! A receiver of webhooks on a local port. It keeps what it receives, and answers with a status that a test sets.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A request that was received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub at: Instant,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

pub(crate) struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    answer: Arc<Mutex<Answer>>,
}

/// How a receiver answers.
#[derive(Clone, Default)]
struct Answer {
    /// The answer; empty for none at all.
    text: String,
    /// Requests whose body has the first text get the second as their answer.
    refusal: Option<(String, String)>,
    /// Requests whose body is longer get the answer.
    longest: Option<(usize, String)>,
}

impl Receiver {
    /// A receiver on a free port, which answers 204.
    pub(crate) fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    pub(crate) fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("an address");
        let (received, answer) = (Arc::<Mutex<Vec<Received>>>::default(), Arc::<Mutex<Answer>>::default());
        answer.lock().expect("a lock").text = status(204);
        let (into, with) = (received.clone(), answer.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (into, with) = (into.clone(), with.clone());
                thread::spawn(move || serve(stream, &into, &with));
            }
        });
        Self { address, received, answer }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Sets the status of further answers.
    pub(crate) fn answer_with(&self, code: u16) {
        self.set(status(code));
    }

    /// Receives further requests and answers none of them.
    pub(crate) fn hang(&self) {
        self.set(String::new());
    }

    /// Answers further requests with 503 and the time after which another attempt is welcome.
    pub(crate) fn ask_for_patience(&self, seconds: u32) {
        self.set(format!(
            "HTTP/1.1 503 Later\r\nretry-after: {seconds}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ));
    }

    /// Answers further requests whose body has a text with this status, whatever the others get.
    pub(crate) fn refuse(&self, text: &str, code: u16) {
        self.answer.lock().expect("a lock").refusal = Some((text.to_owned(), status(code)));
    }

    /// Answers further requests whose body has more bytes with this status.
    pub(crate) fn refuse_over(&self, bytes: usize, code: u16) {
        self.answer.lock().expect("a lock").longest = Some((bytes, status(code)));
    }

    fn set(&self, text: String) {
        self.answer.lock().expect("a lock").text = text;
    }

    /// Answers further requests with a redirect to this URL.
    pub(crate) fn redirect_to(&self, url: &str) {
        self.set(format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n"));
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("a lock").clone()
    }

    /// Waits until so many requests have been received.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.received().len() < count {
            assert!(Instant::now() < deadline, "{count} requests were expected: {:?}", self.received());
            thread::sleep(Duration::from_millis(10));
        }
        self.received()
    }
}

fn status(code: u16) -> String {
    format!("HTTP/1.1 {code} Answer\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn serve(mut stream: TcpStream, into: &Mutex<Vec<Received>>, with: &Mutex<Answer>) -> Option<()> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers: BTreeMap<String, String> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < end + 4 + length {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
    let Answer { text, refusal, longest } = with.lock().expect("a lock").clone();
    let body = bytes[end + 4..].to_vec();
    let refusal = refusal.filter(|(part, _)| String::from_utf8_lossy(&body).contains(part)).map(|(_, answer)| answer);
    let too_long = longest.filter(|(bytes, _)| body.len() > *bytes).map(|(_, answer)| answer);
    let text = refusal.or(too_long).unwrap_or(text);
    into.lock().expect("a lock").push(Received { at: Instant::now(), headers, body });
    if text.is_empty() {
        // The sender closes the connection at last.
        stream.read_to_end(&mut Vec::new()).ok()?;
    }
    stream.write_all(text.as_bytes()).ok()
}
