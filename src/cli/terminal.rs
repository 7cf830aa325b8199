//! The writer of the program's log. It escapes what could command a terminal: clients choose names, paths and messages
//! that end up in the log, and somebody reads it in a terminal.

use crate::ledger::escaped_for_terminal;
use std::io::{self, Write};
use tracing_subscriber::fmt::MakeWriter;

/// A writer, or a maker of writers, that escapes each line. The log is written one line at a time.
pub(super) struct Escaping<W> {
    pub(super) writer: W,
    /// Whether the log sets colours itself. Then sequences that only set colours are kept.
    pub(super) colours: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaping<W> {
    type Writer = Escaping<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaping { writer: self.writer.make_writer(), colours: self.colours }
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        let line = if self.colours { escaped_except_colours(line) } else { escaped_for_terminal(line.to_owned()) };
        self.writer.write_all((line + end).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Escapes a line, but keeps the sequences `ESC [ … m`, which set colours and nothing else.
fn escaped_except_colours(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        escaped += &escaped_for_terminal(before.to_owned());
        let numbers = sequence[2..].find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(sequence.len() - 2);
        let (sequence, after) = match sequence[2 + numbers..].starts_with('m') {
            true => sequence.split_at(2 + numbers + 1),
            false => ("\\u001b", &sequence[1..]),
        };
        escaped += sequence;
        rest = after;
    }
    escaped + &escaped_for_terminal(rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, colours: bool) -> String {
        let mut bytes = Vec::new();
        Escaping { writer: &mut bytes, colours }.write_all(text.as_bytes()).expect("written");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn the_log_escapes_what_commands_a_terminal_and_keeps_its_own_colours() {
        let line = "\u{1b}[32mINFO\u{1b}[0m a\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}b\nc\n";
        let rest = "\\u001b]0;x\\u0007\\u009b31m\\u202eb\\u000ac\n";
        assert_eq!(written(line, true), format!("\u{1b}[32mINFO\u{1b}[0m a\\u001b[2J{rest}"));
        assert_eq!(written(line, false), format!("\\u001b[32mINFO\\u001b[0m a\\u001b[2J{rest}"));
    }
}
