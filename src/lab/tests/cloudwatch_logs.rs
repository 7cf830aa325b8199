//! Tests of CloudWatch Logs: log groups, and the search of events.

use std::collections::BTreeSet;

use super::*;

const REGION: &str = "eu-west-3";
const GROUP: &str = "aws-cloudtrail-logs-123456789012";

impl Lab {
    async fn filter(&self, parameters: Value) -> (u16, Value) {
        let mut all = json!({ "logGroupName": GROUP });
        for (name, value) in parameters.as_object().expect("members") {
            all[name] = value.clone();
        }
        self.logs(&Keys::of("user1"), REGION, "FilterLogEvents", &all).await
    }

    async fn generate(&self, more: Value) -> (u16, Value) {
        let mut order = json!({
            "account": "123456789012", "region": REGION, "count": 3000, "keys": ["key-a", "key-b"],
            "start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z",
        });
        for (name, value) in more.as_object().expect("members") {
            order[name] = value.clone();
        }
        self.control(Method::POST, "/_lab/cloudtrail", &order).await
    }

    /// All pages of a search, and how many there were.
    async fn all(&self, mut parameters: Value) -> (Vec<Value>, usize) {
        let (mut events, mut pages) = (Vec::new(), 0);
        loop {
            let (status, answer) = self.filter(parameters.clone()).await;
            assert_eq!((status, &answer["searchedLogStreams"]), (200, &json!([])), "{answer}");
            pages += 1;
            events.extend(answer["events"].as_array().expect("events").clone());
            match answer.get("nextToken") {
                Some(token) => parameters["nextToken"] = token.clone(),
                None => return (events, pages),
            }
        }
    }
}

#[tokio::test]
async fn synthetic_events_are_read_in_pages() {
    let lab = Lab::start().await;
    assert_eq!(lab.generate(json!({ "principals": ["arn:aws:sts::123456789012:assumed-role/app/one", "s3.amazonaws.com"], "services": ["rds.amazonaws.com"], "failures_percent": 10 })).await.0, 200);
    lab.kms(REGION).call("ListKeys", json!({})).await;
    let (events, pages) = lab.all(json!({})).await;
    assert_eq!(events.len(), 3001);
    assert!((3..=6).contains(&pages), "a page has at most a megabyte: {pages}");
    let times: Vec<i64> = events.iter().map(|event| event["timestamp"].as_i64().expect("a time")).collect();
    assert!(times.is_sorted(), "by time");
    let ids: BTreeSet<&str> = events.iter().map(|event| event["eventId"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 3001);
    assert!(ids.iter().all(|id| id.len() == 56 && id.bytes().all(|b| b.is_ascii_digit())));
    let decoded: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event["message"].as_str().expect("a text")).expect("JSON"))
        .collect();
    let kinds: BTreeSet<&str> =
        decoded.iter().map(|event| event["userIdentity"]["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, BTreeSet::from(["AWSService", "AssumedRole", "IAMUser"]));
    assert!(decoded.iter().any(|event| event["sourceIPAddress"] == "rds.amazonaws.com"));
    let denied = decoded.iter().filter(|event| event["errorCode"] == "AccessDenied").count();
    assert!((150..450).contains(&denied), "{denied}");
    // The same order gives the same events.
    let (again, _) = lab.all(json!({})).await;
    assert_eq!(again, events);
    // A page begins where the one before ends, also within a second.
    let (small, pages) = lab.all(json!({ "limit": 500, "endTime": times[2999] + 1 })).await;
    assert_eq!((&small[..], pages), (&events[..3000], 6));
    // A window, whose end does not belong to it.
    let (window, _) = lab.all(json!({ "startTime": times[10], "endTime": times[20] })).await;
    assert_eq!(window, events[10..20]);
    let arn = format!("arn:aws:kms:{REGION}:123456789012:key/key-a");
    let pattern = format!("{{ $.eventName = \"Decrypt\" && $.resources[0].ARN = \"{arn}\" }}");
    let (filtered, _) = lab.all(json!({ "filterPattern": pattern })).await;
    let expected = decoded.iter().filter(|e| e["eventName"] == "Decrypt" && e["resources"][0]["ARN"] == arn).count();
    assert!(expected > 300 && filtered.len() == expected, "{expected} {}", filtered.len());
    assert_eq!(lab.control(Method::DELETE, "/_lab/cloudtrail", &Value::Null).await.0, 204);
    assert_eq!(lab.all(json!({})).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn many_events_cost_nothing_until_they_are_read() {
    let lab = Lab::start_with_cloudtrail("filter_log_events_per_second = 10000").await;
    lab.generate(json!({ "count": 50_000_000 })).await;
    let (status, answer) = lab.filter(json!({ "filterPattern": "{ $.eventName = \"Nothing\" }" })).await;
    assert_eq!((status, &answer["events"]), (200, &json!([])));
    assert!(answer["nextToken"].is_string(), "a search without a hit ends with a token");
    let last = json!({ "startTime": 1_793_577_599_000_i64 });
    let (events, _) = lab.all(last).await;
    assert!((500..700).contains(&events.len()), "the last second of 86400: {}", events.len());
}

#[tokio::test]
async fn pages_can_be_short_or_empty_and_calls_are_throttled() {
    let lab = Lab::start().await;
    lab.generate(json!({ "count": 10 })).await;
    let faults =
        |answer: &str| json!([{ "service": "logs", "operation": "FilterLogEvents", "answer": answer, "times": 1 }]);
    for (fault, number) in [("empty_page", 0), ("short_page", 1)] {
        assert_eq!(lab.control(Method::PUT, "/_lab/faults", &faults(fault)).await.0, 200);
        let (_, first) = lab.filter(json!({})).await;
        assert_eq!(first["events"].as_array().map(Vec::len), Some(number), "{fault}");
        let rest = json!({ "nextToken": first["nextToken"] });
        assert_eq!(lab.all(rest).await.0.len(), 10 - number, "{fault}");
    }
    lab.control(Method::PUT, "/_lab/faults", &faults("throttle")).await;
    assert_eq!(lab.filter(json!({})).await.1["__type"], "ThrottlingException");
    let misplaced = json!([{ "service": "kms", "answer": "empty_page" }]);
    assert_eq!(lab.control(Method::PUT, "/_lab/faults", &misplaced).await.0, 400);
    let lab = Lab::start_with_cloudtrail("filter_log_events_per_second = 1").await;
    let calls = [lab.filter(json!({})).await, lab.filter(json!({})).await, lab.filter(json!({})).await];
    let throttled = calls.iter().filter(|(status, body)| *status == 400 && body["__type"] == "ThrottlingException");
    assert!(throttled.count() >= 1, "{calls:?}");
}

#[tokio::test]
async fn log_groups_are_described() {
    let lab = Lab::start().await;
    let user = Keys::of("user1");
    let describe = async |parameters: Value| lab.logs(&user, REGION, "DescribeLogGroups", &parameters).await;
    let (status, answer) = describe(json!({})).await;
    let group = &answer["logGroups"][0];
    let arn = format!("arn:aws:logs:{REGION}:123456789012:log-group:{GROUP}");
    assert_eq!((status, &group["logGroupName"], &group["logGroupArn"]), (200, &json!(GROUP), &json!(arn)));
    assert_eq!((&group["arn"], &group["logGroupClass"]), (&json!(format!("{arn}:*")), &json!("STANDARD")));
    assert!(group["creationTime"].is_i64() && group["metricFilterCount"] == 0 && group["storedBytes"] == 0);
    for (parameters, number) in [
        (json!({ "logGroupNamePrefix": "aws-cloud" }), 1),
        (json!({ "logGroupNamePrefix": "cloudtrail" }), 0),
        (json!({ "logGroupNamePattern": "Trail" }), 1),
        (json!({ "logGroupClass": "INFREQUENT_ACCESS" }), 0),
    ] {
        let (_, answer) = describe(parameters.clone()).await;
        assert_eq!(answer["logGroups"].as_array().map(Vec::len), Some(number), "{parameters}");
    }
    for parameters in [
        json!({ "limit": 0 }),
        json!({ "limit": 51 }),
        json!({ "logGroupNamePrefix": "a", "logGroupNamePattern": "b" }),
        json!({ "logGroupNamePrefix": "" }),
        json!({ "nextToken": "x" }),
        json!({ "logGroupClass": "x" }),
    ] {
        let (status, answer) = describe(parameters.clone()).await;
        assert_eq!((status, &answer["__type"]), (400, &json!("InvalidParameterException")), "{parameters}");
    }
    assert_eq!(describe(json!({ "limit": "x" })).await.1["__type"], "SerializationException");
}

#[tokio::test]
async fn a_search_needs_a_known_group_a_permission_and_valid_parameters() {
    let lab = Lab::start().await;
    let user = Keys::of("user1");
    let search = async |keys: &Keys, parameters: Value| {
        let (status, answer) = lab.logs(keys, REGION, "FilterLogEvents", &parameters).await;
        (status, answer["__type"].as_str().unwrap_or_default().to_owned())
    };
    let invalid = (400, "InvalidParameterException".to_owned());
    let named = |more: Value| {
        let mut all = json!({ "logGroupName": GROUP });
        all.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
        all
    };
    for parameters in [
        json!({}),
        named(json!({ "logGroupIdentifier": GROUP })),
        json!({ "logGroupName": "a b" }),
        json!({ "logGroupName": "" }),
        named(json!({ "limit": 0 })),
        named(json!({ "limit": 10_001 })),
        named(json!({ "startTime": -1 })),
        named(json!({ "startTime": 2, "endTime": 1 })),
        named(json!({ "filterPattern": "{ $.a = }" })),
        named(json!({ "filterPattern": "x".repeat(1025) })),
        named(json!({ "nextToken": "x" })),
        named(json!({ "logStreamNames": ["a"], "logStreamNamePrefix": "a" })),
    ] {
        assert_eq!(search(&user, parameters.clone()).await, invalid, "{parameters}");
    }
    let unknown = (400, "ResourceNotFoundException".to_owned());
    assert_eq!(search(&user, json!({ "logGroupName": "other" })).await, unknown);
    let arn =
        |account: &str| json!({ "logGroupIdentifier": format!("arn:aws:logs:{REGION}:{account}:log-group:{GROUP}") });
    assert_eq!(search(&user, arn("123456789012")).await.0, 200);
    assert_eq!(search(&user, arn("789012123456")).await, unknown);
    lab.kms(REGION).call("ListKeys", json!({})).await;
    for (stream, number) in [("123456789012_CloudTrail_eu-west-3", 1), ("other", 0)] {
        let (_, answer) = lab.filter(json!({ "logStreamNames": [stream] })).await;
        assert_eq!(answer["events"].as_array().map(Vec::len), Some(number), "{stream}");
    }
    let (_, answer) = lab.filter(json!({ "logStreamNamePrefix": "123456789012_" })).await;
    assert_eq!(answer["events"][0]["logStreamName"], "123456789012_CloudTrail_eu-west-3");
    let denied = (400, "AccessDeniedException".to_owned());
    assert_eq!(search(&Keys::of("powerless"), named(json!({}))).await, denied);
    let (status, answer) = lab.logs(&Keys::of("powerless"), REGION, "DescribeLogGroups", &json!({})).await;
    assert_eq!((status, &answer["__type"]), (400, &json!("AccessDeniedException")));
    assert_eq!(lab.logs(&user, REGION, "PutLogEvents", &json!({})).await.1["__type"], "UnknownOperationException");
    for order in [
        json!({ "count": 0 }),
        json!({ "keys": [] }),
        json!({ "end": "2026-10-01T00:00:00Z" }),
        json!({ "x": 1 }),
        json!({ "account": "1" }),
        json!({ "principals": ["x"] }),
    ] {
        assert_eq!(lab.generate(order.clone()).await.0, 400, "{order}");
    }
}
