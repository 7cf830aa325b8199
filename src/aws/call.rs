//! The type of a call to AWS, and the signing and sending of one attempt.

use std::future::Future;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use rusoto_core::credential::{AwsCredentials, StaticProvider};
use rusoto_core::signature::{SignedRequest, SignedRequestPayload};
use rusoto_core::{Client as RusotoClient, RusotoError};
use rusoto_ec2::Ec2Client;
use rusoto_kms::KmsClient;
use rusoto_sts::StsClient;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::endpoint::Endpoint;
use super::fault::{Fault, Protocol, RetryPolicy, sanitize};
use super::operation::{AwsOperation, Service};
use super::transport::{HttpAnswer, RusotoDispatch, Transport};
use crate::sigv4::{self, SigningKey};

/// An operation of AWS with its parameters. The implementation sends one attempt and reads the answer.
pub trait AwsCall: Send + Sync {
    type Answer: Send;
    const OPERATION: AwsOperation;
    /// The condition under which the call may be sent again.
    const RETRY: RetryPolicy;

    fn attempt(&self, wire: &Wire<'_>) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

/// The endpoint of an attempt and the key that signs it.
pub struct Wire<'a> {
    pub(super) transport: &'a Transport,
    pub(super) operation: AwsOperation,
    pub(super) endpoint: &'a Endpoint,
    pub(super) key: SigningKey<'a>,
}

impl Wire<'_> {
    /// Sends a call through rusoto's KMS client.
    pub(super) async fn kms<T, E>(
        &self,
        send: impl AsyncFnOnce(KmsClient) -> Result<T, RusotoError<E>>,
    ) -> Result<T, Fault> {
        self.rusoto(Protocol::Json, KmsClient::new_with_client, send).await
    }

    pub(super) async fn sts<T, E>(
        &self,
        send: impl AsyncFnOnce(StsClient) -> Result<T, RusotoError<E>>,
    ) -> Result<T, Fault> {
        self.rusoto(Protocol::Query, StsClient::new_with_client, send).await
    }

    pub(super) async fn ec2<T, E>(
        &self,
        send: impl AsyncFnOnce(Ec2Client) -> Result<T, RusotoError<E>>,
    ) -> Result<T, Fault> {
        self.rusoto(Protocol::Query, Ec2Client::new_with_client, send).await
    }

    /// Sends a signed JSON request. It serves operations that rusoto does not know, or not with all their members.
    pub(super) async fn json<T: DeserializeOwned>(&self, body: &(impl Serialize + Sync)) -> Result<T, Fault> {
        let answer = self.json_answer(body).await?;
        serde_json::from_slice(answer.json()?).map_err(|error| Fault::Unintelligible(sanitize(&error.to_string())))
    }

    /// Sends a signed JSON request and returns the answer unread.
    pub(super) async fn json_bytes(&self, body: &(impl Serialize + Sync)) -> Result<Bytes, Fault> {
        Ok(self.json_answer(body).await?.body)
    }

    async fn json_answer(&self, body: &(impl Serialize + Sync)) -> Result<HttpAnswer, Fault> {
        let target = match self.operation.service {
            Service::Kms => "TrentService",
            Service::Logs => "Logs_20140328",
            Service::CloudHsm => "BaldrApiService",
            Service::Sts | Service::Ec2 | Service::Iam | Service::RolesAnywhere => {
                return Err(Fault::Unsendable("the service takes no JSON".to_owned()));
            }
        };
        let body = serde_json::to_vec(body).map_err(|error| Fault::Unsendable(error.to_string()))?;
        let region = self.endpoint.as_rusoto();
        let mut request = SignedRequest::new("POST", self.operation.service.as_str(), &region, "/");
        request.set_content_type("application/x-amz-json-1.1".to_owned());
        request.add_header("x-amz-target", &format!("{target}.{}", self.operation.name));
        request.set_payload(Some(body));
        self.signed(Protocol::Json, request).await
    }

    /// Sends a signed JSON request and ignores the members of the answer.
    pub(super) async fn json_without_answer(&self, body: &(impl Serialize + Sync)) -> Result<(), Fault> {
        self.json::<IgnoredAny>(body).await.map(drop)
    }

    /// Posts JSON to a path, as services without a target header expect it.
    pub(super) async fn rest_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, Fault> {
        let body = serde_json::to_vec(body).map_err(|error| Fault::Unsendable(error.to_string()))?;
        let region = self.endpoint.as_rusoto();
        let mut request = SignedRequest::new("POST", self.operation.service.as_str(), &region, path);
        request.set_content_type("application/json".to_owned());
        request.set_payload(Some(body));
        let answer = self.signed(Protocol::Json, request).await?;
        serde_json::from_slice(answer.json()?).map_err(|error| Fault::Unintelligible(sanitize(&error.to_string())))
    }

    /// Sends a signed form and returns the XML of the answer.
    pub(super) async fn form(&self, parameters: &[(String, String)]) -> Result<Bytes, Fault> {
        let mut request = SignedRequest::new("POST", self.operation.service.as_str(), &self.endpoint.as_rusoto(), "/");
        request.set_content_type("application/x-www-form-urlencoded; charset=utf-8".to_owned());
        let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        request.set_payload(Some(pairs.collect::<Vec<_>>().join("&").into_bytes()));
        Ok(self.signed(Protocol::Query, request).await?.body)
    }

    /// Signs and sends a request, and returns the answer if it is a success.
    async fn signed(&self, protocol: Protocol, mut request: SignedRequest) -> Result<HttpAnswer, Fault> {
        let host = request.hostname();
        request.add_header("host", &host);
        for (name, value) in self.signature(&request)? {
            request.add_header(name, &value);
        }
        let answer = self.transport.send(request).await?;
        if answer.is_success() { Ok(answer) } else { Err(answer.fault(protocol)) }
    }

    async fn rusoto<C, T, E>(
        &self,
        protocol: Protocol,
        client_over: impl FnOnce(RusotoClient, rusoto_core::Region) -> C,
        send: impl AsyncFnOnce(C) -> Result<T, RusotoError<E>>,
    ) -> Result<T, Fault> {
        let dispatch = RusotoDispatch::over(self.transport, protocol);
        let client = RusotoClient::new_with(StaticProvider::from(self.rusoto_keys()?), dispatch.clone());
        let outcome = send(client_over(client, self.endpoint.as_rusoto())).await;
        outcome.map_err(|error| dispatch.fault_of(error))
    }

    /// The header fields that sign a request.
    fn signature(&self, request: &SignedRequest) -> Result<Vec<(&'static str, String)>, Fault> {
        let headers = request.headers().iter();
        let headers = headers.flat_map(|(name, values)| values.iter().map(move |value| (name.clone(), value.clone())));
        let body = match &request.payload {
            Some(SignedRequestPayload::Buffer(bytes)) => bytes.as_ref(),
            _ => &[],
        };
        let path = request.canonical_path();
        let signed =
            sigv4::Request { method: request.method(), path: &path, query: "", headers: headers.collect(), body };
        let (region, service) = (self.endpoint.signing_region.as_str(), self.operation.service.as_str());
        let signature = self.key.sign(&signed, region, service, chrono::Utc::now());
        signature.map_err(|_| Fault::Unsendable("the request cannot be signed".to_owned()))
    }

    /// The keys for rusoto's clients, which sign with an access key only.
    fn rusoto_keys(&self) -> Result<AwsCredentials, Fault> {
        match self.key {
            SigningKey::Secret(key) => {
                let token = key.session_token.map(str::to_owned);
                Ok(AwsCredentials::new(key.access_key_id, key.secret_access_key, token, None))
            }
            SigningKey::Certificate(_) => Err(Fault::Unsendable("the operation needs an access key".to_owned())),
        }
    }
}

fn encoded(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}
