//! The program's log, on standard error: text for a terminal, one JSON object per line otherwise.
//!
//! A command starts it once. Messages of libraries are reduced unless the setting names the library. Whatever level is
//! set, libraries never log the data that they send and receive, because it may contain secrets.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, filter};

use super::config::{LogFormat, LogSettings};
use super::terminal::Escaping;

#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("log.level: `{level}`: {source}")]
    Level { level: String, source: filter::ParseError },
    #[error("the log was started before: {0}")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log of this process, and logs its panics.
///
/// # Errors
/// When the level is invalid, or the log was started before.
pub fn start(settings: &LogSettings) -> Result<(), LoggingError> {
    let terminal = std::io::stderr().is_terminal();
    subscriber(settings, terminal, std::io::stderr)?.try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic with its file, line and thread, which need no debug information. A backtrace is added only if
/// `RUST_BACKTRACE` is set.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    let message = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(location, thread = thread.name().unwrap_or("unnamed"), backtrace, "panic: {message}");
}

fn subscriber<W>(
    settings: &LogSettings,
    terminal: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, LoggingError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let text = match settings.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let colours = text && terminal && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(Escaping { writer, colours });
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if text {
        Box::new(lines.with_ansi(colours))
    } else {
        Box::new(lines.json().flatten_event(true).with_current_span(false).with_span_list(true))
    };
    let level = level(&settings.level)?;
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter::filter_fn(may_be_logged))).with(level))
}

/// Libraries that log more at `info` than an operator needs.
const QUIET: &str = "sled=warn,rustls=warn,hyper=warn,hyper_util=warn,h2=warn,reqwest=warn,actix_server=warn,\
                     actix_http=warn,actix_http::h1=off,mio=warn,tokio_util=warn,rusoto_core=warn";

fn level(level: &str) -> Result<EnvFilter, LoggingError> {
    // The setting comes last, so that it overrides these.
    EnvFilter::try_new(format!("{QUIET},{level}"))
        .map_err(|source| LoggingError::Level { level: level.to_owned(), source })
}

/// Filters out messages that may contain secrets: rusoto logs entire requests with their session tokens at `debug`, and
/// HTTP and TLS libraries log the transmitted data at `trace`.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let is_of = |name: &str| metadata.target().split("::").next() == Some(name);
    let most = if metadata.target().starts_with("rusoto") {
        LevelFilter::WARN
    } else if is_of(env!("CARGO_CRATE_NAME")) {
        LevelFilter::TRACE
    } else {
        LevelFilter::DEBUG
    };
    *metadata.level() <= most
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    /// A writer that collects the log.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: &str, act: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let settings = LogSettings { format, level: level.to_owned() };
        let subscriber = subscriber(&settings, false, move || writer.clone()).expect("the level is one");
        tracing::subscriber::with_default(subscriber, act);
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_line_is_an_object_that_says_in_which_request() {
        let text = logged(LogFormat::Auto, "info", || {
            let _span = tracing::info_span!("request", request_id = "r-1", user = "ann").entered();
            tracing::info!(kms = 7, "added");
        });
        let line: serde_json::Value = serde_json::from_str(&text).expect("one line of JSON");
        assert_eq!(line["message"], "added");
        assert_eq!(line["kms"], 7);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["spans"][0]["request_id"], "r-1");
        assert_eq!(line["spans"][0]["user"], "ann");
    }

    #[test]
    fn text_for_a_file_has_no_colours() {
        let text = logged(LogFormat::Text, "info", || tracing::warn!("careful"));
        assert!(text.contains("WARN") && text.contains("careful") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn other_libraries_are_quiet_unless_named() {
        let speak = || {
            tracing::info!(target: "sled::pagecache", "pages");
            tracing::debug!(target: "rustls::client", "hello");
            tracing::debug!("ours");
        };
        let text = logged(LogFormat::Json, "debug", speak);
        assert!(text.contains("ours") && !text.contains("pages") && !text.contains("hello"), "{text}");
        let text = logged(LogFormat::Json, "debug,rustls=debug", speak);
        assert!(text.contains("hello"), "{text}");
    }

    #[test]
    fn messages_that_may_contain_secrets_are_never_logged() {
        let text = logged(LogFormat::Json, "trace,rusoto_core=trace,rusoto_core::request=trace,hyper=trace", || {
            tracing::debug!(target: "rusoto_core::request", "x-amz-security-token: hunter2");
            tracing::trace!(target: "hyper::proto", "hunter2");
            tracing::trace!("ours");
        });
        assert!(text.contains("ours") && !text.contains("hunter2"), "{text}");
    }

    /// The panic hook is global, so the panics of other tests are passed to the previous hook.
    #[test]
    fn a_panic_is_logged_with_its_place_and_thread() {
        let here = std::thread::Builder::new().name("worker-7".to_owned());
        let run = || {
            let (before, this) = (std::panic::take_hook(), std::thread::current().id());
            std::panic::set_hook(Box::new(move |panic| match std::thread::current().id() == this {
                true => log_panic(panic),
                false => before(panic),
            }));
            let text = logged(LogFormat::Json, "info", || {
                let _span = tracing::info_span!("request", request_id = "r-1").entered();
                std::panic::catch_unwind(|| panic!("lost {}", 7)).expect_err("it panics");
            });
            (text, line!() - 2)
        };
        let (text, line) = here.spawn(run).expect("a thread").join().expect("its log");
        let logged: serde_json::Value = serde_json::from_str(&text).expect("one line of JSON");
        assert_eq!((&logged["level"], &logged["message"]), (&"ERROR".into(), &"panic: lost 7".into()));
        assert!(
            logged["location"].as_str().is_some_and(|at| at.starts_with(&format!("{}:{line}:", file!()))),
            "{text}"
        );
        assert_eq!((&logged["thread"], &logged["spans"][0]["request_id"]), (&"worker-7".into(), &"r-1".into()));
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert!(level("info,claviger=loud").is_err());
    }
}
