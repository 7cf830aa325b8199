//! The texts of messages, the progress of a destination, and its file.

use super::cursor::CursorDirectory;
use super::item::{Item, Severity};
use super::progress::{BUFFERS, Progress, SETTLE};
use super::syslog_text::{DATAGRAM_MAX, Format, for_datagram, message};
use std::time::{Duration, Instant};

fn item() -> Item {
    Item {
        number: 42,
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
    let unknown = Item { client_ip: None, hash: None, event: String::new(), ..item() };
    let text = message(&unknown, Format::Rfc5424, "");
    assert!(text.contains("Z - claviger - - [") && !text.contains("ip=") && !text.contains("hash="), "{text}");
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
    assert!(text.contains(" externalId=42 suser=a\"nn\\\\] src=2001:db8::7 outcome=success "), "{text}");
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
    let mut progress = Progress::from([10]);
    progress.send([20], 100, began, 7);
    progress.send([30], 100, began + Duration::from_secs(1), 8);
    assert_eq!(progress.waiting_since(), Some(7));
    assert_eq!(progress.due(), Some(began + SETTLE));
    progress.settle(began + SETTLE);
    assert_eq!((progress.received(), progress.sent()), ([20], [30]));
    progress.go_back(false);
    assert_eq!((progress.received(), progress.sent(), progress.due()), ([20], [20], None));
}

#[test]
fn after_a_reset_as_much_as_the_buffers_hold_is_sent_again() {
    let began = Instant::now();
    let mut progress = Progress::from([0]);
    for number in 1..=10 {
        progress.send([number], BUFFERS / 4, began, 0);
    }
    progress.settle(began + SETTLE);
    assert_eq!(progress.received(), [10]);
    progress.go_back(true);
    assert_eq!((progress.received(), progress.sent()), ([6], [6]));
    progress.go_back(true);
    assert_eq!(progress.received(), [6], "each connection has buffers of its own");
}

#[test]
fn the_file_of_a_destination_keeps_its_position_and_goes_with_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("forwarders");
    let cursors = CursorDirectory::open(&path, |_| true).expect("opens");
    assert_eq!(cursors.read("a").expect("reads"), None);
    cursors.write("a", [7]).expect("writes");
    cursors.write("b", [8]).expect("writes");
    assert_eq!(cursors.read("a").expect("reads"), Some([7]));
    std::fs::write(path.join("b.json"), "{\"rec").expect("writes");
    assert_eq!(cursors.read("b").expect("reads"), None, "it is not taken for a position");
    let cursors = CursorDirectory::open(&path, |name| name == "b").expect("opens");
    assert_eq!(cursors.read("a").expect("reads"), None);
    cursors.remove("b").expect("removes");
    cursors.remove("b").expect("is gone already");
    assert_eq!(std::fs::read_dir(&path).expect("reads").count(), 0);
}
