//! The text of a syslog message: the header of RFC 5424, and the body in one of the formats.

use super::cef;
use super::item::{Item, Number};
use chrono::{DateTime, SecondsFormat};
use std::fmt::Write;

/// The facility `local0`.
const FACILITY: u8 = 16;

/// The number after the `@` of the structured data is the one that RFC 5612 keeps for documentation: the project has
/// no number of its own.
const DATA_ID: &str = "claviger@32473";

/// Longer datagrams are not accepted by every receiver.
pub(super) const DATAGRAM_MAX: usize = 1024;

/// The form of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Structured data, and the record as JSON.
    Rfc5424,
    /// The record as a sentence.
    Plain,
    Cef,
    Leef,
}

/// Writes a message. `host` is the name of this machine.
pub(super) fn message(item: &Item, format: Format, host: &str) -> String {
    let mut text = String::with_capacity(item.json.len() + 400);
    let priority = FACILITY * 8 + item.severity.syslog();
    // Microseconds are the most that the format allows.
    let time = DateTime::from_timestamp_nanos(item.nanos).to_rfc3339_opts(SecondsFormat::Micros, true);
    let (host, id) = (header_word(host, 255), header_word(&item.event, 32));
    let _ = write!(text, "<{priority}>1 {time} {host} claviger - {id} ");
    match format {
        Format::Rfc5424 => {
            structured_data(&mut text, item);
            // The mark says that the text is UTF-8.
            text.push_str(" \u{feff}");
            text.push_str(&item.json);
        }
        Format::Plain => {
            text.push_str("- \u{feff}");
            match item.number {
                // A sentence would have no signature.
                Number::Checkpoint(_) => text.push_str(&item.json),
                Number::Record(_) | Number::Attempt(_) => plain(&mut text, item),
            }
        }
        Format::Cef => {
            text.push_str("- ");
            cef::cef(&mut text, item);
        }
        Format::Leef => {
            text.push_str("- ");
            cef::leef(&mut text, item);
        }
    }
    text
}

/// A word of the header: ASCII without spaces, `-` for none.
fn header_word(text: &str, most: usize) -> String {
    let word: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

fn structured_data(text: &mut String, item: &Item) {
    let _ = write!(text, "[{DATA_ID} {}=\"{}\"", item.number.name(), item.number.value());
    let others = [
        ("hash", item.hash.as_deref()),
        ("user", Some(item.username.as_str())),
        ("ip", item.client_ip.as_deref()),
        ("resource", Some(item.resource.as_str())),
    ];
    for (name, value) in others {
        let Some(value) = value else { continue };
        let _ = write!(text, " {name}=\"");
        for character in value.chars() {
            match character {
                '"' | '\\' | ']' => text.extend(['\\', character]),
                _ if character.is_control() => text.push(' '),
                _ => text.push(character),
            }
        }
        text.push('"');
    }
    text.push(']');
}

/// The record as a sentence without line breaks.
fn plain(text: &mut String, item: &Item) {
    let Item { message, username, resource, .. } = item;
    let (noun, number) = (item.number.noun(), item.number.value());
    let outcome = if item.success { "success" } else { "failure" };
    let mut line = format!("{noun} {number}: {message}; user {username}; resource {resource}; {outcome}");
    if let Some(ip) = &item.client_ip {
        let _ = write!(line, "; client {ip}");
    }
    if let Some(hash) = &item.hash {
        let _ = write!(line, "; hash {hash}");
    }
    text.extend(line.chars().map(|character| if character.is_control() { ' ' } else { character }));
}

/// Cuts a message for a datagram, between two characters.
pub(super) fn for_datagram(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(DATAGRAM_MAX));
    message
}
