//! The lab cloud from outside: its control endpoint for faults and the clock, and its KMS by signed requests.

use crate::support::appliance::Appliance;
use reqwest::blocking::Client as Http;
use rusoto_core::Region;
use rusoto_core::signature::SignedRequest;
use rusoto_credential::AwsCredentials;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

/// The lab cloud of an appliance, with the access key of the first account.
pub(crate) struct LabClient {
    http: Http,
    cloud: String,
    user: [String; 2],
}

impl LabClient {
    /// The lab cloud of this appliance, which must be running.
    pub(crate) fn of(appliance: &Appliance) -> Self {
        let http = Http::builder().no_proxy().build().expect("an HTTP client");
        Self { http, cloud: appliance.cloud.trim_end_matches('/').to_owned(), user: user() }
    }

    /// Sets the faults of the lab cloud.
    pub(crate) fn set_faults(&self, faults: &Value) {
        let answer = self.http.put(self.at("faults")).body(faults.to_string()).send().expect("an answer");
        assert_eq!(answer.status(), 200, "{faults}");
    }

    /// Waits until a call has met each fault.
    pub(crate) fn wait_until_faults_met(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.read("faults") != json!([]) {
            assert!(Instant::now() < deadline, "no call came: {}", self.read("faults"));
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Shows the unique id of a user or role in key policies, as AWS does once it is deleted; returns the id.
    pub(crate) fn delete_principal(&self, arn: &str) -> String {
        let answer = self.http.put(self.at("deleted-principal")).body(json!({"arn": arn}).to_string()).send();
        let text = answer.and_then(|answer| answer.text()).expect("an answer");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Sets the clock of KMS ahead by this number of days in all.
    pub(crate) fn move_clock(&self, days: u32) {
        let body = json!({"ahead_seconds": days * 86_400 + 60}).to_string();
        assert_eq!(self.http.put(self.at("clock")).body(body).send().expect("an answer").status(), 200);
    }

    /// Sets the clock of KMS ahead by this number of seconds.
    pub(crate) fn set_clock(&self, ahead_seconds: u32) {
        let body = json!({"ahead_seconds": ahead_seconds}).to_string();
        assert_eq!(self.http.put(self.at("clock")).body(body).send().expect("an answer").status(), 200);
    }

    /// Sets the time between a call and the arrival of its event in CloudTrail, for later calls.
    pub(crate) fn set_trail_delay(&self, delay_seconds: u32) {
        let body = json!({"delay_seconds": delay_seconds}).to_string();
        assert_eq!(self.http.put(self.at("cloudtrail")).body(body).send().expect("an answer").status(), 200);
    }

    /// The lab cloud with the access key of another user of the account, `no-regions`.
    pub(crate) fn as_another_user(&self) -> Self {
        Self { http: self.http.clone(), cloud: self.cloud.clone(), user: user_number(1) }
    }

    /// The number of calls of an operation, such as `kms:ListKeys`, so far.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        let counts = self.read("calls");
        counts[operation].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// The operations that were called so far, such as `kms:ListKeys`.
    pub(crate) fn called(&self) -> Vec<String> {
        self.read("calls").as_object().into_iter().flatten().map(|(operation, _)| operation.clone()).collect()
    }

    /// Adds synthetic events to a trail.
    pub(crate) fn order_events(&self, order: &Value) {
        let answer = self.http.post(self.at("cloudtrail")).body(order.to_string()).send().expect("an answer");
        assert_eq!(answer.status(), 200, "{order}: {}", answer.text().unwrap_or_default());
    }

    /// Ends all sessions of roles.
    pub(crate) fn end_sessions(&self) {
        assert_eq!(self.http.delete(self.at("sessions")).send().expect("an answer").status(), 204);
    }

    /// Forgets the calls so far.
    pub(crate) fn forget_calls(&self) {
        assert_eq!(self.http.delete(self.at("calls")).send().expect("an answer").status(), 204);
    }

    /// Calls KMS, and asserts that the call succeeds.
    #[track_caller]
    pub(crate) fn kms(&self, region: &str, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.try_kms(region, operation, body);
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    /// Calls KMS; returns the status and the answer.
    pub(crate) fn try_kms(&self, region: &str, operation: &str, body: &Value) -> (u16, Value) {
        let place = Region::Custom { name: region.to_owned(), endpoint: self.cloud.clone() };
        let mut request = SignedRequest::new("POST", "kms", &place, "/");
        request.set_content_type("application/x-amz-json-1.1".to_owned());
        request.add_header("x-amz-target", &format!("TrentService.{operation}"));
        request.set_payload(Some(body.to_string().into_bytes()));
        let [id, secret] = &self.user;
        request.sign(&AwsCredentials::new(id, secret, None, None));
        let mut sent = self.http.post(format!("{}/", self.cloud)).body(body.to_string());
        for (name, values) in request.headers() {
            for value in values {
                sent = sent.header(name.as_str(), value.as_slice());
            }
        }
        let answer = sent.send().expect("an answer");
        let status = answer.status().as_u16();
        // Some operations have an empty answer.
        (status, serde_json::from_str(&answer.text().expect("a text")).unwrap_or_default())
    }

    /// The descriptions of all customer-managed keys of a region by AWS, by their ids.
    pub(crate) fn keys(&self, region: &str) -> BTreeMap<String, Value> {
        let keys = self.kms(region, "ListKeys", &json!({"Limit": 1000}));
        let ids = keys["Keys"].as_array().expect("keys").iter().map(|key| key["KeyId"].as_str().expect("an id"));
        let describe = |id: &str| self.kms(region, "DescribeKey", &json!({"KeyId": id}))["KeyMetadata"].take();
        let keys = ids.map(|id| (id.to_owned(), describe(id)));
        keys.filter(|(_, metadata)| metadata["KeyManager"] == "CUSTOMER").collect()
    }

    fn at(&self, path: &str) -> String {
        format!("{}/_lab/{path}", self.cloud)
    }

    fn read(&self, path: &str) -> Value {
        let text = self.http.get(self.at(path)).send().and_then(|answer| answer.text()).expect("an answer");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// The first access key of the built-in lab cloud, and its secret.
fn user() -> [String; 2] {
    user_number(0)
}

fn user_number(number: usize) -> [String; 2] {
    let lab = std::fs::read_to_string("config/lab-cloud.toml").expect("the lab cloud");
    let lab: toml::Table = lab.parse().expect("TOML");
    let user = &lab["accounts"][0]["users"][number];
    ["access_key_id", "secret_access_key"].map(|member| user[member].as_str().expect("a text").to_owned())
}
