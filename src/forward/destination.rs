//! Where records are sent, and a connection to it.

use super::item::Item;
use super::json_file::{JsonFile, JsonFileSettings};
use super::otlp::Otlp;
use super::syslog::{Syslog, SyslogAddress};
use super::syslog_text::Format;

const BATCH_BYTES: usize = 1024 * 1024;
/// Collectors limit the size of a request, in which a record is about twice as long as its JSON.
const COLLECTOR_BATCH_BYTES: usize = 256 * 1024;

/// A place to which records are sent.
#[derive(Clone)]
pub enum Destination {
    Syslog { address: SyslogAddress, format: Format },
    JsonFile(JsonFileSettings),
    Otlp(Otlp),
}

/// The reason why nothing can be sent at the moment. No text names the destination or contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the name cannot be resolved")]
    Unresolved,
    #[error("no connection: {0}")]
    NotConnected(String),
    #[error("the receiver took nothing for {0} seconds")]
    TimedOut(u64),
    #[error("the receiver closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Lost(String),
    #[error("the file cannot be written: {0}")]
    File(String),
    #[error("the collector refused the records: {0}")]
    Refused(String),
}

/// What became of items that were sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    pub bytes: usize,
    /// The items that were left out, because the receiver refused them for good.
    pub skipped: u64,
}

/// An open connection.
pub enum Connection {
    Syslog(Box<Syslog>),
    JsonFile(JsonFile),
    Otlp(Otlp),
}

impl Destination {
    /// Opens a connection.
    ///
    /// # Errors
    /// [`Broken`]
    pub async fn open(&self) -> Result<Connection, Broken> {
        match self {
            Self::Syslog { address, format } => {
                Ok(Connection::Syslog(Box::new(Syslog::connect(address, *format).await?)))
            }
            Self::JsonFile(settings) => JsonFile::open(settings.clone()).await.map(Connection::JsonFile),
            // Each request is whole by itself.
            Self::Otlp(otlp) => Ok(Connection::Otlp(otlp.clone())),
        }
    }

    /// The most bytes of JSON to send at once.
    pub fn batch_bytes(&self) -> usize {
        match self {
            Self::Syslog { .. } | Self::JsonFile(_) => BATCH_BYTES,
            Self::Otlp(_) => COLLECTOR_BATCH_BYTES,
        }
    }
}

impl Connection {
    /// Sends items.
    ///
    /// # Errors
    /// [`Broken`]. Some of the items may have arrived.
    pub async fn send(&mut self, items: Vec<Item>) -> Result<Sent, Broken> {
        let whole = |bytes| Sent { bytes, skipped: 0 };
        match self {
            Self::Syslog(syslog) => syslog.send(&items).await.map(whole),
            Self::JsonFile(file) => file.send(items).await.map(whole),
            Self::Otlp(otlp) => otlp.send(&items).await,
        }
    }

    /// Makes sure that what was sent a while ago has arrived, as far as that can be known.
    ///
    /// # Errors
    /// [`Broken`]
    pub async fn confirm(&mut self) -> Result<(), Broken> {
        match self {
            // A connection that was lost since would have shown it.
            Self::Syslog(_) => Ok(()),
            Self::JsonFile(file) => file.sync().await,
            // An answer has said so.
            Self::Otlp(_) => Ok(()),
        }
    }

    /// Waits until the connection ends by itself.
    pub async fn closed(&mut self) -> Broken {
        match self {
            Self::Syslog(syslog) => syslog.closed().await,
            Self::JsonFile(_) | Self::Otlp(_) => std::future::pending().await,
        }
    }

    /// Whether messages may be in buffers that the receiver has not read.
    pub fn has_buffers(&self) -> bool {
        match self {
            Self::Syslog(syslog) => syslog.is_stream(),
            Self::JsonFile(_) | Self::Otlp(_) => false,
        }
    }

    /// Whether the receiver may have had messages in its buffers that it never read.
    pub fn may_have_lost(&self, broken: &Broken) -> bool {
        self.has_buffers() && *broken != Broken::Closed
    }
}
