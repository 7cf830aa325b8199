//! The formats CEF (ArcSight) and LEEF (QRadar).

use super::item::Item;
use chrono::DateTime;
use std::fmt::Write;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes `CEF:0|vendor|product|version|event|name|severity|extension`.
pub(super) fn cef(text: &mut String, item: &Item) {
    let _ = write!(text, "CEF:0|Claviger|Claviger|{VERSION}|");
    in_header(text, &item.event);
    text.push('|');
    in_header(text, &item.message);
    let _ = write!(text, "|{}|rt={}", item.severity.of_ten(), item.nanos.div_euclid(1_000_000));
    let number = item.number.value().to_string();
    let outcome = if item.success { "success" } else { "failure" };
    let members = [
        ("externalId", Some(number.as_str())),
        ("cs3Label", Some("source")),
        ("cs3", Some(item.number.noun())),
        ("suser", Some(item.username.as_str())),
        ("src", item.client_ip.as_deref()),
        ("outcome", Some(outcome)),
        ("cs1Label", Some("resource")),
        ("cs1", Some(item.resource.as_str())),
        ("cs2Label", item.hash.as_ref().map(|_| "hash")),
        ("cs2", item.hash.as_deref()),
        ("msg", Some(item.json.as_str())),
    ];
    for (name, value) in members {
        let Some(value) = value else { continue };
        let _ = write!(text, " {name}=");
        for character in value.chars() {
            match character {
                '\\' | '=' => text.extend(['\\', character]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                _ if character.is_control() => text.push(' '),
                _ => text.push(character),
            }
        }
    }
}

/// Writes `LEEF:2.0|vendor|product|version|event|delimiter|attributes`, with tabs between the attributes.
pub(super) fn leef(text: &mut String, item: &Item) {
    let _ = write!(text, "LEEF:2.0|Claviger|Claviger|{VERSION}|");
    in_header(text, &item.event);
    let time = DateTime::from_timestamp_nanos(item.nanos).format("%b %d %Y %H:%M:%S%.3f UTC").to_string();
    let _ = write!(text, "|x09|devTime={time}\tdevTimeFormat=MMM dd yyyy HH:mm:ss.SSS z");
    let (number, severity) = (item.number.value().to_string(), item.severity.of_ten().to_string());
    let members = [
        ("sev", Some(severity.as_str())),
        ("source", Some(item.number.noun())),
        ("number", Some(number.as_str())),
        ("usrName", Some(item.username.as_str())),
        ("src", item.client_ip.as_deref()),
        ("outcome", Some(if item.success { "success" } else { "failure" })),
        ("resource", Some(item.resource.as_str())),
        ("hash", item.hash.as_deref()),
        ("msg", Some(item.json.as_str())),
    ];
    for (name, value) in members {
        let Some(value) = value else { continue };
        let _ = write!(text, "\t{name}=");
        // An attribute ends at the next tab; the format has no escape for one.
        text.extend(value.chars().map(|character| if character.is_control() { ' ' } else { character }));
    }
}

/// Writes a member of the header, in which `|` ends a member.
fn in_header(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' | '|' => text.extend(['\\', character]),
            _ if character.is_control() => text.push(' '),
            _ => text.push(character),
        }
    }
}
