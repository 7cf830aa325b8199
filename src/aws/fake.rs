//! An HTTP server for tests of the client. It answers, breaks the connection or hangs as the test says, and records the
//! requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::port::{Access, AccessKeys};
use super::rusoto::RusotoAws;
use super::settings::{AwsSettings, EndpointOverride};
use crate::domain::place::Partition;

pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// rusoto requires this element after every result of STS.
pub(super) const METADATA: &str = "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>";

/// The reaction to a request.
pub(super) enum Reply {
    /// An HTTP answer with a status and a body.
    Http(u16, String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, then silence.
    Stall(Vec<u8>),
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub(super) struct RecordedRequest {
    pub(super) head: String,
    pub(super) body: String,
}

impl RecordedRequest {
    /// A parameter of the form in the body, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(percent_encoding::percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    }

    /// The operation of a request in the query protocol.
    pub(super) fn action(&self) -> String {
        self.parameter("Action").unwrap_or_default()
    }

    /// The operation of a request to KMS.
    pub(super) fn target(&self) -> String {
        let target = self.header("x-amz-target").unwrap_or_default();
        target.strip_prefix("TrentService.").unwrap_or(target).to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The access key id that signed the request.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header("authorization")?.split_once("Credential=")?.1.split('/').next()
    }
}

/// The server. It runs as long as the test's runtime.
pub(super) struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl Fake {
    /// Starts a server that answers with a function of the request and of the number of requests before it.
    pub(super) async fn answering(answer: impl Fn(&RecordedRequest, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                tokio::spawn(async move { serve(stream, &*answer, &log).await });
            }
        });
        Self { address, asked }
    }

    /// `http://127.0.0.1:<port>`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Settings with this server as the endpoint of every call.
    pub(super) fn settings(&self) -> AwsSettings {
        let every_call = EndpointOverride { partition: None, service: None, region: None, url: self.url() };
        AwsSettings { endpoints: vec![every_call], ..AwsSettings::default() }
    }

    /// All requests so far, in order.
    pub(super) fn calls(&self) -> Vec<RecordedRequest> {
        self.asked.lock().expect("no panic under the lock").clone()
    }

    /// The operations of the requests in the query protocol, in order.
    pub(super) fn actions(&self) -> Vec<String> {
        self.calls().iter().map(RecordedRequest::action).collect()
    }
}

/// A client with short pauses between attempts.
pub(super) fn client(settings: &AwsSettings) -> RusotoAws {
    let RusotoAws { client } = RusotoAws::new(settings).expect("the settings are valid");
    let mut client = Arc::into_inner(client).expect("there is one reference");
    client.retry.base = Duration::from_millis(5);
    RusotoAws { client: Arc::new(client) }
}

/// An access with the access key `AKIA1` and without roles.
pub(super) fn access() -> Access {
    let keys = AccessKeys { id: "AKIA1".to_owned(), secret: SECRET.to_owned().into(), session_token: None };
    Access::with_keys(Partition::Aws, keys)
}

/// The answer of AssumeRole with the credentials `<id>`, `secret-of-<id>` and `token-of-<id>`.
pub(super) fn assumed_role(id: &str, lasts: i64) -> Reply {
    let ends =
        (chrono::Utc::now() + chrono::Duration::seconds(lasts)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Reply::Http(
        200,
        format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>secret-of-{id}</SecretAccessKey>\
         <SessionToken>token-of-{id}</SessionToken><Expiration>{ends}</Expiration></Credentials></AssumeRoleResult>{METADATA}</AssumeRoleResponse>"
        ),
    )
}

async fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&RecordedRequest, usize) -> Reply + Send + Sync),
    log: &Mutex<Vec<RecordedRequest>>,
) -> Option<()> {
    loop {
        let asked = read(&mut stream).await?;
        let before = {
            let mut log = log.lock().expect("no panic under the lock");
            log.push(asked.clone());
            log.len() - 1
        };
        match answer(&asked, before) {
            Reply::Http(status, body) => {
                let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await.ok()?;
            }
            Reply::Raw(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return stream.shutdown().await.ok();
            }
            Reply::Stall(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<RecordedRequest> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut asked = RecordedRequest { head, body: String::new() };
            let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                let mut chunk = [0; 4096];
                let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
                body.extend_from_slice(&chunk[..read]);
            }
            asked.body = String::from_utf8_lossy(&body).into_owned();
            return Some(asked);
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
}
