//! The texts of messages, the progress of a destination, and its file.

use super::cursor::CursorDirectory;
use super::destination::{Broken, Sent};
use super::item::{Item, Number, Severity};
use super::json_file::{JsonFile, JsonFileSettings};
use super::otlp::{Otlp, OtlpError, RECORD_MAX, request};
use super::progress::{BUFFERS, Progress, SETTLE};
use super::syslog_text::{DATAGRAM_MAX, Format, for_datagram, message};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn item() -> Item {
    Item {
        number: Number::Record(42),
        nanos: 1_604_553_557_200_168_000,
        severity: Severity::Warning,
        event: "Deleted".to_owned(),
        message: "Deleted".to_owned(),
        username: r#"a"nn\]"#.to_owned(),
        client_ip: Some("2001:db8::7".to_owned()),
        resource: "kms/0".to_owned(),
        hash: Some("ab".to_owned()),
        success: true,
        json: r#"{"a":"b|c=d"}"#.to_owned(),
    }
}

#[test]
fn a_message_has_the_header_and_the_structured_data_of_rfc_5424() {
    let text = message(&item(), Format::Rfc5424, "host name");
    let data = r#"[claviger@32473 number="42" hash="ab" user="a\"nn\\\]" ip="2001:db8::7" resource="kms/0"]"#;
    let header = "<132>1 2020-11-05T05:19:17.200168Z hostname claviger - Deleted";
    assert_eq!(text, format!("{header} {data} \u{feff}{{\"a\":\"b|c=d\"}}"));
    let attempt = message(&Item { number: Number::Attempt(7), hash: None, ..item() }, Format::Rfc5424, "h");
    assert!(attempt.contains(r#"[claviger@32473 attempt="7" user="#), "{attempt}");
    let unknown = Item { client_ip: None, hash: None, event: String::new(), ..item() };
    let text = message(&unknown, Format::Rfc5424, "");
    assert!(text.contains("Z - claviger - - [") && !text.contains("ip=") && !text.contains("hash="), "{text}");
}

#[test]
fn a_checkpoint_is_whole_in_each_format_also_in_a_datagram() {
    let (hash, signature) = ("ab".repeat(32), "c".repeat(86) + "==");
    let line = format!(
        r#"{{"claviger_checkpoint":1,"installation":"0b90f8de-8617-498d-ad63-ca18eb717ae7","number":{},"hash":"{hash}",
        "time":"2020-11-05T05:19:17.200168123Z","key":"{hash}","signature":"{signature}"}}"#,
        u64::MAX
    );
    let line = line.replace("\n        ", "");
    let checkpoint = Item {
        number: Number::Checkpoint(u64::MAX),
        event: "Checkpoint".to_owned(),
        message: format!("Checkpoint of record {}", u64::MAX),
        username: "system".to_owned(),
        client_ip: None,
        resource: "installation".to_owned(),
        hash: Some(hash),
        json: line.clone(),
        ..item()
    };
    for format in [Format::Rfc5424, Format::Plain, Format::Leef, Format::Cef] {
        let text = for_datagram(message(&checkpoint, format, "a-host.example.org"));
        let unescaped = text.replace("\\=", "=");
        assert!(unescaped.ends_with(&line), "{format:?}: {text}");
    }
}

#[test]
fn the_formats_of_vendors_escape_what_ends_a_member() {
    let text = message(&Item { message: "a|b\\c\nd".to_owned(), ..item() }, Format::Cef, "h");
    assert!(
        text.contains(concat!(
            "CEF:0|Claviger|Claviger|",
            env!("CARGO_PKG_VERSION"),
            "|Deleted|a\\|b\\\\c d|5|rt=1604553557200"
        )),
        "{text}"
    );
    assert!(
        text.contains(" externalId=42 cs3Label=source cs3=record suser=a\"nn\\\\] src=2001:db8::7 outcome=success "),
        "{text}"
    );
    assert!(text.ends_with(r#"msg={"a":"b|c\=d"}"#), "{text}");
    let text = message(&Item { username: "a\tb\nc".to_owned(), ..item() }, Format::Leef, "h");
    assert!(text.contains("|Deleted|x09|devTime=Nov 05 2020 05:19:17.200 UTC\t"), "{text}");
    assert!(text.contains("\tusrName=a b c\tsrc=2001:db8::7\t"), "{text}");
    let text = message(&Item { username: "a\nb".to_owned(), ..item() }, Format::Plain, "h");
    assert!(
        text.ends_with("record 42: Deleted; user a b; resource kms/0; success; client 2001:db8::7; hash ab"),
        "{text}"
    );
}

#[test]
fn a_datagram_is_cut_between_two_characters() {
    for extra in 0..4 {
        let text = "x".repeat(DATAGRAM_MAX - 2 - extra) + "€€";
        let cut = for_datagram(text.clone());
        assert!(cut.len() <= DATAGRAM_MAX && text.starts_with(&cut) && cut.len() > DATAGRAM_MAX - 4, "{extra}");
    }
}

#[test]
fn what_was_sent_counts_as_received_after_a_while_and_is_sent_again_otherwise() {
    let began = Instant::now();
    let mut progress = Progress::from([10, 7, 0]);
    progress.send([20, 7, 0], 100, began);
    progress.send([30, 7, 0], 100, began + Duration::from_secs(1));
    assert_eq!(progress.due(), Some(began + SETTLE));
    progress.settle(began + SETTLE);
    assert_eq!((progress.received(), progress.sent()), ([20, 7, 0], [30, 7, 0]));
    progress.go_back(false);
    assert_eq!((progress.received(), progress.sent(), progress.due()), ([20, 7, 0], [20, 7, 0], None));
}

#[test]
fn after_a_reset_as_much_as_the_buffers_hold_is_sent_again() {
    let began = Instant::now();
    let mut progress = Progress::from([0, 7, 0]);
    for number in 1..=10 {
        progress.send([number, 7, 0], BUFFERS / 4, began);
    }
    progress.settle(began + SETTLE);
    assert_eq!((progress.received(), progress.surely_received()), ([10, 7, 0], [6, 7, 0]));
    progress.go_back(true);
    assert_eq!((progress.received(), progress.sent()), ([6, 7, 0], [6, 7, 0]));
    progress.go_back(true);
    assert_eq!(progress.received(), [6, 7, 0], "each connection has buffers of its own");
}

#[test]
fn the_file_of_a_destination_keeps_its_position_and_goes_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("forwarders");
    let cursors = CursorDirectory::open(&path, |_| true).expect("opens");
    assert_eq!(cursors.read("a").expect("reads"), None);
    cursors.write("a", [7, 9, 2]).expect("writes");
    cursors.write("b", [8, 9, 2]).expect("writes");
    assert_eq!(cursors.read("a").expect("reads"), Some([7, 9, 2]));
    for (text, position) in [("{\"records\": 8}", [8, 0, 0]), ("{\"records\": 8, \"attempts\": 9}", [8, 9, 0])] {
        std::fs::write(path.join("b.json"), text).expect("writes");
        assert_eq!(cursors.read("b").expect("reads"), Some(position), "as earlier versions wrote it: {text}");
    }
    std::fs::write(path.join("b.json"), "{\"rec").expect("writes");
    assert_eq!(cursors.read("b").expect("reads"), None, "it is not taken for a position");
    let cursors = CursorDirectory::open(&path, |name| name == "b").expect("opens");
    assert_eq!(cursors.read("a").expect("reads"), None);
    cursors.remove("b").expect("removes");
    cursors.remove("b").expect("is gone already");
    assert_eq!(std::fs::read_dir(&path).expect("reads").count(), 0);
}

fn lines_of(path: &std::path::Path) -> Vec<String> {
    std::fs::read_to_string(path).map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}

#[tokio::test]
async fn a_full_file_moves_on_and_only_so_many_are_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("audit.jsonl");
    let settings = JsonFileSettings { path: path.clone(), max_bytes: 20, keep: 2 };
    let item = |json: &str| Item { json: json.to_owned(), ..item() };
    let file = JsonFile::open(settings.clone()).await.expect("opens");
    let long = "x".repeat(40);
    let items = ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}", &long, "{\"n\":5}"].map(item).to_vec();
    file.send(items).await.expect("written");
    file.sync().await.expect("synced");
    assert_eq!(lines_of(&path), ["{\"n\":5}"]);
    assert_eq!(lines_of(&dir.path().join("audit.jsonl.1")), [long], "a long line has a file of its own");
    assert_eq!(lines_of(&dir.path().join("audit.jsonl.2")), ["{\"n\":3}"]);
    assert_eq!(std::fs::read_dir(dir.path()).expect("reads").count(), 3, "the first two are gone");

    std::fs::rename(&path, dir.path().join("taken")).expect("moved");
    file.send(vec![item("{\"n\":6}")]).await.expect("written");
    assert_eq!(
        (lines_of(&path), lines_of(&dir.path().join("taken"))),
        (vec!["{\"n\":6}".to_owned()], vec!["{\"n\":5}".to_owned()])
    );

    std::fs::write(&path, "{\"n\":7}\n{\"n\"").expect("half a line");
    let file = JsonFile::open(settings).await.expect("opens");
    file.send(vec![item("{}")]).await.expect("written");
    assert_eq!(lines_of(&path), ["{\"n\":7}", "{\"n\"", "{}"], "half a line is not continued");
}

#[test]
fn a_collector_needs_a_url_and_headers_that_can_be_read() {
    let problem = |url: &str, headers: &str| Otlp::new(url, headers).err();
    assert!(problem("https://collector.example.org/v1/logs", "# a\n\nAuthorization: Bearer a\nx-b:c\n").is_none());
    for url in ["", "collector.example.org", "ftp://a/b", "https://ann:secret@a.example.org/v1/logs"] {
        assert!(matches!(problem(url, ""), Some(OtlpError::Url)), "{url}");
    }
    for (headers, line) in [("Authorization Bearer s3cret", 1), ("a: b\nb c: s3cret", 2), ("a: s3\u{7f}cret", 1)] {
        let found = problem("http://a/v1/logs", headers).expect("a problem");
        assert!(matches!(found, OtlpError::Header(found) if found == line), "{headers}: {found}");
        assert!(!format!("{found} {found:?}").contains("s3"), "{found:?}");
    }
}

#[test]
fn a_record_is_a_log_record_of_opentelemetry() {
    let body = request(&[item()]);
    let record = &body["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!((&record["timeUnixNano"], &record["severityNumber"]), (&"1604553557200168000".into(), &13.into()));
    assert_eq!((&record["body"]["stringValue"], &record["eventName"]), (&"Deleted".into(), &"claviger.Deleted".into()));
    let attributes = record["attributes"].as_array().expect("attributes");
    let of = |key: &str| attributes.iter().find(|one| one["key"] == key).map(|one| one["value"].clone());
    assert_eq!(of("claviger.number"), Some(serde_json::json!({"intValue": "42"})));
    assert_eq!(of("claviger.record"), Some(serde_json::json!({"stringValue": item().json})));
}

#[test]
fn a_very_long_record_is_sent_without_its_details() {
    let record = |text: &str| serde_json::json!({"hash": "ab", "details": {"a": text}}).to_string();
    let sent = |json: &str| {
        let body = request(&[Item { json: json.to_owned(), ..item() }]);
        let attributes = &body["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"];
        let of_record = attributes.as_array().expect("attributes").iter().find(|one| one["key"] == "claviger.record");
        of_record.expect("the record")["value"]["stringValue"].as_str().expect("text").to_owned()
    };
    let rest = record("").len();
    let longest = record(&"x".repeat(RECORD_MAX - rest));
    assert_eq!((longest.len(), sent(&longest)), (RECORD_MAX, longest.clone()));
    let longer = "x".repeat(RECORD_MAX - rest + 1);
    let cut: serde_json::Value = serde_json::from_str(&sent(&record(&longer))).expect("JSON");
    let bytes = serde_json::json!({"a": longer}).to_string().len();
    assert_eq!(cut, serde_json::json!({"hash": "ab", "details": {"cut": true, "bytes": bytes}}));
}

/// The body of the request on a connection.
async fn body_of(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.expect("read");
        text.push_str(std::str::from_utf8(&bytes[..length]).expect("ASCII"));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let expected = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if Some(body.len()) == expected {
            return body.to_owned();
        }
    }
}

/// A collector that refuses requests with one of these texts for good, and the requests that it gets.
async fn collector(refused: &'static [&'static str]) -> (Otlp, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1/logs", listener.local_addr().expect("an address"));
    let bodies = Arc::<Mutex<Vec<String>>>::default();
    let received = bodies.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = body_of(&mut stream).await;
            let status = if refused.iter().any(|text| body.contains(text)) { 400 } else { 200 };
            received.lock().expect("a lock").push(body);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("written");
        }
    });
    (Otlp::new(&url, "").expect("a collector"), bodies)
}

#[tokio::test]
async fn a_collector_decides_at_the_end_of_a_batch_what_is_left_out() {
    const EMPTY: &str = "\"logRecords\":[]";
    let items = ["first", "second", "third"].map(|event| Item { event: event.to_owned(), ..item() });
    let empties =
        |bodies: &Mutex<Vec<String>>| bodies.lock().expect("a lock").iter().filter(|body| body.contains(EMPTY)).count();
    // It takes others, so it need not be asked whether it takes anything at all.
    let (otlp, bodies) = collector(&["claviger.first", EMPTY]).await;
    let sent = otlp.send(&items).await.expect("sent");
    assert_eq!((sent.skipped, empties(&bodies)), (1, 0));
    // It takes nothing, and is asked once.
    let (otlp, bodies) = collector(&["claviger.f", "claviger.s", "claviger.t"]).await;
    assert_eq!((otlp.send(&items).await, empties(&bodies)), (Ok(Sent { bytes: 0, skipped: 3 }), 1));
    let (otlp, bodies) = collector(&["logRecords"]).await;
    assert_eq!(otlp.send(&items).await, Err(Broken::Refused("it answered 400".to_owned())));
    assert_eq!(empties(&bodies), 1);
}
