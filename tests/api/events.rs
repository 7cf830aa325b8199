//! `/v1/events`: who is told of what, resumption, and the end of a stream.

use crate::support::appliance::{Appliance, subject};
use crate::support::client::Client;
use crate::support::kms_fixture::KmsFixture;
use crate::support::large_log;
use crate::support::raw_http::{connect_tls, read_to_end};
use reqwest::Method;
use reqwest::blocking::Response;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

const EVENTS: &str = "/v1/events";
const FOLLOWS: (&str, &str) = ("accept", "text/event-stream");

/// A stream as a client reads it.
struct Reader(BufReader<Response>);

#[derive(Debug)]
struct Block {
    name: String,
    id: u64,
    data: Value,
}

impl Reader {
    fn open(client: &Client, query: &str) -> Self {
        Self::of(client.open(EVENTS, query, &[FOLLOWS]))
    }

    fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self(BufReader::new(answer))
    }

    /// Opens a stream, and reads its beginning.
    fn ready(client: &Client) -> (Self, u64) {
        let mut reader = Self::open(client, "");
        let ready = reader.next().expect("a beginning");
        assert_eq!((ready.name.as_str(), &ready.data["number"]), ("ready", &json!(ready.id)));
        (reader, ready.id)
    }

    /// The next block with data; `None` at the end.
    fn next(&mut self) -> Option<Block> {
        let (mut name, mut id, mut data) = (String::new(), 0, None);
        let mut line = String::new();
        while self.0.read_line(&mut line).is_ok_and(|length| length > 0) {
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => name = value.to_owned(),
                Some(("id", value)) => id = value.parse().expect("a number"),
                Some(("data", value)) => data = Some(serde_json::from_str(value).expect("JSON")),
                _ if line.trim_end().is_empty() => {
                    if let Some(data) = data.take() {
                        return Some(Block { name, id, data });
                    }
                }
                _ => {}
            }
            line.clear();
        }
        None
    }

    /// Reads until a change of this resource comes.
    fn until(&mut self, kind: &str, id: &str) -> Block {
        loop {
            let block = self.next().unwrap_or_else(|| panic!("the stream ended before {kind}/{id}"));
            if block.data["kind"] == kind && block.data["id"] == id {
                return block;
            }
        }
    }

    fn rest(mut self) -> Vec<Block> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

#[test]
fn a_change_is_told_without_its_data() {
    let kms = KmsFixture::new();
    let admin = kms.appliance.admin();
    let (mut reader, _) = Reader::ready(&admin);
    let key = kms.create(json!({"Description": "very private"}));
    let mut told = reader.until("key", key["id"].as_str().expect("an id"));
    assert_eq!(told.name, "change");
    // That the creation has begun may be told before there is a key.
    if told.data["kms"].is_null() {
        told = reader.until("key", key["id"].as_str().expect("an id"));
    }
    let members: Vec<_> = told.data.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, ["event", "id", "kind", "kms", "many", "number", "records"]);
    assert_eq!(told.data["kms"], key["kms_id"]);
    assert_eq!(told.data["number"], told.id);
    assert!(!told.data.to_string().contains("private"));
}

#[test]
fn a_reader_is_told_only_of_what_the_reader_may_view() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let (first, second) = (appliance.kms("first", &["eu-west-1"]), appliance.kms("second", &["eu-west-2"]));
    let ann = appliance.user("ann");
    let permit = |kms: &str, permit: bool| {
        let entry = json!({"acls": [{"user_id": subject(&ann), "actions": ["reportview"], "permit": permit}]});
        admin.post(&format!("/v1/cckm/aws/kms/{kms}/update-acls"), entry).expect(200);
    };
    permit(&second, true);
    let (mut reader, _) = Reader::ready(&ann);
    admin.post(&format!("/v1/cckm/aws/kms/{first}/archive"), json!({})).expect(200);
    appliance.user("bob");
    admin.post(&format!("/v1/cckm/aws/kms/{second}/archive"), json!({})).expect(200);
    let told = reader.next().expect("a change");
    assert_eq!((&told.data["kind"], &told.data["id"]), (&json!("kms"), &json!(second)), "{told:?}");
    admin.post(&format!("/v1/cckm/aws/kms/{second}/recover"), json!({})).expect(200);
    assert_eq!(reader.next().expect("a change").data["id"], json!(second));
    permit(&second, false);
    admin.post(&format!("/v1/cckm/aws/kms/{second}/archive"), json!({})).expect(200);
    // The own account comes after what is not told any more.
    ann.patch("/v1/auth/self/user", json!({"nickname": "a"})).expect(200);
    let told = reader.next().expect("a change");
    assert_eq!((&told.data["kind"], &told.data["id"]), (&json!("user"), &json!(subject(&ann))), "{told:?}");
}

#[test]
fn a_stream_is_resumed_where_it_ended_also_after_a_restart() {
    let mut appliance = Appliance::start();
    let (_, number) = Reader::ready(&appliance.admin());
    let first = appliance.kms("first", &["eu-west-1"]);
    appliance.terminate();
    appliance.restart();
    let admin = appliance.admin();
    let mut by_query = Reader::open(&admin, &format!("?after={number}"));
    assert_eq!(by_query.next().expect("a beginning").name, "ready");
    let told = by_query.until("kms", &first);
    let last = told.id.to_string();
    let mut by_header = Reader::of(admin.open(EVENTS, "?after=0", &[FOLLOWS, ("last-event-id", &last)]));
    assert_eq!(by_header.next().expect("a beginning").id, told.id);
    let second = appliance.kms("second", &["eu-west-2"]);
    let told = by_header.until("kms", &second);
    assert!(told.id > last.parse::<u64>().expect("a number"));
    // A record that is not there is of a log that was replaced.
    let reset = Reader::open(&admin, "?after=99999999").next().expect("a beginning");
    assert_eq!(reset.name, "reset");
    assert!(reset.id >= told.id && reset.id < 99_999_999);
    for bad in ["x", "-1"] {
        admin.get(&format!("/v1/events?after={bad}")).refused(400, "NCERRInvalidParamValue");
    }
}

#[test]
fn a_stream_ends_with_its_session() {
    let appliance = Appliance::start();
    let ann = appliance.user("ann");
    let (reader, _) = Reader::ready(&ann);
    let tokens = ann.get("/v1/auth/tokens").expect(200)["resources"].clone();
    for token in tokens.as_array().expect("tokens") {
        let id = token["id"].as_str().expect("an id");
        appliance.admin().delete(&format!("/v1/auth/tokens/{id}")).expect(204);
    }
    let began = Instant::now();
    reader.rest();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    ann.get("/v1/events").refused(401, "NCERRUnauthorized");
}

#[test]
fn an_open_stream_does_not_delay_the_end_of_the_program() {
    let mut appliance = Appliance::start();
    let (reader, _) = Reader::ready(&appliance.admin());
    let began = Instant::now();
    assert!(appliance.terminate().success());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    reader.rest();
}

#[test]
fn a_user_has_a_bounded_number_of_streams() {
    let appliance = Appliance::start();
    let (admin, ann) = (appliance.admin(), appliance.user("ann"));
    let mut open: Vec<_> = (0..10).map(|_| Reader::ready(&ann).0).collect();
    let refused = ann.get("/v1/events");
    assert_eq!((&refused.body["reason"], &refused.body["limit"]["most"]), (&json!("too_many_streams"), &json!(10)));
    assert!(refused.headers.contains_key("retry-after"));
    refused.refused(429, "NCERRTooManyRequests");
    drop(Reader::ready(&admin));
    open.pop();
    // The server notices that the client is gone with the next piece.
    let began = Instant::now();
    while ann.get("/v1/events").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(40), "the place is still taken");
        ann.patch("/v1/auth/self/user", json!({"nickname": format!("{:?}", began.elapsed())})).expect(200);
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn a_request_that_does_not_ask_for_a_stream_gets_what_there_is() {
    let appliance = Appliance::start();
    let admin = appliance.admin();
    let kms = appliance.kms("first", &["eu-west-1"]);
    let blocks = Reader::of(admin.open(EVENTS, "?after=0", &[])).rest();
    assert_eq!(blocks[0].name, "ready");
    let told: Vec<_> = blocks[1..].iter().map(|block| (&block.data["kind"], &block.data["id"])).collect();
    assert!(told.contains(&(&json!("kms"), &json!(kms))), "{told:?}");
    assert!(blocks.windows(2).all(|pair| pair[0].id <= pair[1].id), "{blocks:?}");
    assert_eq!(admin.send(Method::HEAD, "/v1/events", None).status, 200);
}

#[test]
fn a_job_on_many_keys_is_not_told_key_by_key() {
    let kms = KmsFixture::new();
    let admin = kms.appliance.admin();
    let keys: Vec<_> = (0..60).map(|_| kms.create(json!({}))["id"].clone()).collect();
    let number = admin.get("/v1/audit/records?limit=1").expect(200)["resources"][0]["number"].clone();
    let job = admin.post("/v1/cckm/aws/bulkjob", json!({"operation": "disablekey", "keys": keys}));
    assert!(job.status < 300, "{}", job.text);
    let path = format!("/v1/cckm/aws/bulkjob/{}", job.body["id"].as_str().expect("an id"));
    let began = Instant::now();
    while admin.get(&path).expect(200)["completed_at"].is_null() {
        assert!(began.elapsed() < Duration::from_secs(60), "the job does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    let blocks = Reader::of(admin.open(EVENTS, &format!("?after={number}"), &[])).rest();
    let of_keys: Vec<_> = blocks.iter().filter(|block| block.data["kind"] == "key").collect();
    assert_eq!(of_keys.len(), 1, "{of_keys:?}");
    assert_eq!((&of_keys[0].data["many"], &of_keys[0].data["id"]), (&json!(true), &Value::Null));
    assert!(of_keys[0].data["records"].as_u64() >= Some(60), "{of_keys:?}");
}

/// The changes that one piece of a stream has: it is many times larger than what lies between the program and a client.
const CHANGED: u64 = 6000;

#[test]
fn a_reader_that_never_reads_costs_little_memory_and_is_let_go() {
    let stages = ["CLIENT_REQUEST_TIMEOUT", "CLIENT_ANSWER_TIMEOUT", "KEEP_ALIVE"];
    let settings = stages.map(|stage| format!("CLAVIGER_SERVER_{stage}_SECONDS"));
    let mut appliance = Appliance::start_with(&settings.each_ref().map(|name| (name.as_str(), "1")));
    assert!(appliance.terminate().success());
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let ledger = large_log::open(&appliance.data()).expect("the log");
        large_log::fill(&ledger, CHANGED, CHANGED, 100).await.expect("recorded");
        ledger.close().await;
    });
    appliance.restart();
    let admin = appliance.admin();
    let piece = admin.get("/v1/events?after=0").text.len();
    assert!(piece > 1024 * 1024, "{piece} bytes");
    let (mut reader, _) = Reader::ready(&admin);
    let before = appliance.resident();
    let head = format!(
        "GET /api{EVENTS}?after=0 HTTP/1.1\r\nHost: here\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
        admin.token()
    );
    let held: Vec<_> = (0..9)
        .map(|_| {
            let mut stream = connect_tls(&appliance);
            stream.write_all(head.as_bytes()).expect("sent");
            stream.flush().expect("sent");
            stream
        })
        .collect();
    let began = Instant::now();
    while admin.get(EVENTS).status != 429 {
        assert!(began.elapsed() < Duration::from_secs(5), "the streams are not open");
    }
    // What is recorded meanwhile waits for nobody.
    for n in 0..100 {
        admin.patch("/v1/auth/self/user", json!({"nickname": format!("n{n}")})).expect(200);
    }
    // One piece waits for each, in clear and encrypted, while buffers grow.
    let most = before + held.len() as u64 * 3 * piece as u64 / (1024 * 1024) + 15;
    let after = appliance.resident();
    assert!(after < most, "{after} MiB, not {most}, {before} MiB before");
    // A stream goes on if it is read before the program has let it go, so this waits until all places are free.
    let (began, mut others) = (Instant::now(), Vec::new());
    while others.len() < held.len() {
        let other = admin.open(EVENTS, "", &[FOLLOWS]);
        if other.status() == 200 {
            others.push(other);
        } else {
            assert!(began.elapsed() < Duration::from_secs(60), "{} places are free", others.len());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    drop(others);
    for mut stream in held {
        let read = read_to_end(&mut stream);
        assert!(read.len() < piece, "all was sent");
    }
    admin.patch("/v1/auth/self/user", json!({"nickname": "last"})).expect(200);
    reader.until("user", &subject(&admin));
}
