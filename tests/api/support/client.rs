//! A client of the API. Clients differ only in their token.

use reqwest::Method;
use reqwest::blocking::{Body, Client as Http, Response};
use serde_json::Value;
use std::io::Cursor;
use std::net::IpAddr;
use std::time::Duration;

/// A client with or without a token.
#[derive(Clone)]
pub(crate) struct Client {
    http: Http,
    base: String,
    authorization: Option<String>,
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: reqwest::header::HeaderMap,
    /// The body as it was sent.
    pub text: String,
    /// The body as JSON; null if it is not JSON.
    pub body: Value,
}

impl Client {
    /// A client without a token, which trusts only the certificate in `pem`.
    pub(crate) fn nobody(base: &str, pem: &[u8]) -> Self {
        Self::nobody_from(base, pem, None)
    }

    /// Such a client that connects from this address.
    pub(crate) fn nobody_from(base: &str, pem: &[u8], address: Option<IpAddr>) -> Self {
        let root = reqwest::Certificate::from_pem(pem).expect("a certificate");
        let http = Http::builder()
            .tls_certs_only([root])
            .local_address(address)
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .expect("an HTTP client");
        Self { http, base: base.to_owned(), authorization: None, headers: Vec::new() }
    }

    /// The same client with this token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        self.with_authorization(&format!("Bearer {token}"))
    }

    /// The same client with this text as the value of `Authorization`.
    pub(crate) fn with_authorization(&self, authorization: &str) -> Self {
        Self { authorization: Some(authorization.to_owned()), ..self.clone() }
    }

    /// The same client with another header.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub(crate) fn sign_in(&self, name: &str, password: &str) -> Self {
        let answer = self.post("/v1/auth/tokens", serde_json::json!({"username": name, "password": password}));
        assert_eq!(answer.status, 200, "{name} signs in: {}", answer.text);
        self.with_token(answer.body["jwt"].as_str().expect("a token"))
    }

    /// The token of the client.
    pub(crate) fn token(&self) -> &str {
        self.authorization.as_deref().and_then(|shown| shown.strip_prefix("Bearer ")).unwrap_or_default()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None)
    }

    /// Like [`Client::get`], for requests that may get no answer.
    pub(crate) fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        self.try_send(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes()))
    }

    /// Posts a body whose length the request does not tell.
    pub(crate) fn post_chunked(&self, path: &str, body: &Value) -> Answer {
        let body = Body::new(Cursor::new(body.to_string().into_bytes()));
        self.try_send_as(Method::POST, path, Some("application/json"), Some(body)).expect("an answer")
    }

    pub(crate) fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string().into_bytes()))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None)
    }

    /// Sends any method and any bytes to a path of the API (from `/v1` on) or of the server.
    pub(crate) fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        self.try_send(method, path, body).expect("an answer")
    }

    /// Like [`Client::send`], for requests that may get no answer.
    pub(crate) fn try_send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> reqwest::Result<Answer> {
        let kind = body.as_ref().map(|_| "application/json");
        self.try_send_as(method, path, kind, body.map(Body::from))
    }

    /// Sends a body with this content type, or with none.
    pub(crate) fn send_as(&self, method: Method, path: &str, kind: Option<&str>, body: Vec<u8>) -> Answer {
        self.try_send_as(method, path, kind, Some(body.into())).expect("an answer")
    }

    /// Sends a GET with these headers; the body of the answer is not read.
    pub(crate) fn open(&self, path: &str, query: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.http.get(format!("{}/api{path}{query}", self.base));
        for (name, value) in self.authorization.iter().map(|value| ("authorization", value.as_str())) {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().expect("an answer")
    }

    fn try_send_as(
        &self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Option<Body>,
    ) -> reqwest::Result<Answer> {
        let prefix = if path.starts_with("/v1") { "/api" } else { "" };
        let mut request = self.http.request(method, format!("{}{prefix}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        request.send().and_then(Answer::read)
    }
}

impl Answer {
    fn read(response: Response) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self { status, headers, text, body })
    }

    /// Asserts the status; returns the body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Asserts an error in the contract's format with this status and name; returns its message.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, name: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(self.body["code"].is_u64(), "{}", self.text);
        let named = self.body["codeDesc"].as_str().unwrap_or_default();
        assert!(named.starts_with(&format!("{name}: ")), "{name} is expected: {}", self.text);
        assert!(self.body["reason"].is_string(), "{}", self.text);
        assert!(self.headers.contains_key("x-request-id"));
        let message = self.body["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{}", self.text);
        assert!(named.ends_with(&format!(": {message}")), "some clients show only this: {}", self.text);
        if let Some(member) = member_in(message).filter(|_| name == "NCERRInvalidParamValue") {
            assert_eq!(self.body["member"], member, "{}", self.text);
        }
        message.to_owned()
    }
}

/// The member that a message begins with.
fn member_in(message: &str) -> Option<&str> {
    let (member, _) = message.split_once(": ")?;
    member.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')).then_some(member)
}
