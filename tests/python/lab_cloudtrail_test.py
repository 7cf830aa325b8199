"""Tests of the lab cloud's CloudTrail with boto3: the events of calls, and their search in CloudWatch Logs.

The lab cloud must be running; lab_cloud_test.py has the variables. Other tests may run at the same time, so that these
look for their own events, or use a region of their own.
"""

import json
import time

import pytest
from lab_cloud_test import assume, as_session, client, control, faults, lab_user, refusal  # noqa: F401

REGION = "sa-east-1"
ACCOUNT = "123456789012"
GROUP = f"aws-cloudtrail-logs-{ACCOUNT}"


@pytest.fixture
def kms():
    return client("kms", REGION)


@pytest.fixture
def logs():
    return client("logs", REGION)


def events(logs, **more):
    """All events that a search finds, decoded, with the paginator of boto3."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **more)
    return [json.loads(event["message"]) for page in pages for event in page["events"]]


def event_of(logs, answer):
    """The event of a call."""
    request = answer["ResponseMetadata"]["RequestId"]
    found = events(logs, filterPattern=f'{{ $.requestID = "{request}" }}')
    assert len(found) == 1
    return found[0]


def test_a_call_and_its_event(kms, logs):
    key = kms.create_key(Description="a key")["KeyMetadata"]
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret text", EncryptionContext={"Case": "Kept"})
    event = event_of(logs, sealed)
    assert event["eventName"] == "Encrypt" and event["eventSource"] == "kms.amazonaws.com"
    assert event["requestParameters"] == {
        "keyId": key["KeyId"],
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "encryptionContext": {"Case": "Kept"},
    }
    assert event["responseElements"] is None and event["readOnly"] is True
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    assert "Boto3" in event["userAgent"] and event["sourceIPAddress"] == "127.0.0.1"
    assert event["userIdentity"]["userName"] == "user1"
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"Case": "Kept"})
    event = event_of(logs, opened)
    assert event["resources"][0]["ARN"] == key["Arn"] and "errorCode" not in event
    changed = event_of(logs, kms.disable_key(KeyId=key["KeyId"]))
    assert changed["readOnly"] is False and changed["responseElements"] == {"keyId": key["Arn"]}


def test_a_refused_call(kms, logs):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    powerless = client("kms", REGION, **lab_user("powerless"))
    assert refusal(powerless.describe_key, KeyId=key)[0] == "AccessDeniedException"
    pattern = f'{{ $.errorCode = "AccessDenied" && $.resources[0].ARN = "*{key}" }}'
    found = events(logs, filterPattern=pattern)
    assert [event["eventName"] for event in found] == ["DescribeKey"]
    assert "kms:DescribeKey" in found[0]["errorMessage"]


def test_the_session_of_a_role(logs):
    answer = assume(f"arn:aws:iam::{ACCOUNT}:role/test-own-role", client("sts", REGION))
    session = as_session("kms", answer["Credentials"], REGION)
    identity = event_of(logs, session.list_keys())["userIdentity"]
    assert identity["type"] == "AssumedRole" and identity["arn"].endswith(":assumed-role/test-own-role/pytest")
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "test-own-role"
    event = event_of(logs, answer)
    assert event["eventName"] == "AssumeRole" and event["eventSource"] == "sts.amazonaws.com"
    text = json.dumps(event)
    assert answer["Credentials"]["AccessKeyId"] in text
    assert answer["Credentials"]["SecretAccessKey"] not in text and answer["Credentials"]["SessionToken"] not in text


def test_log_groups():
    region = "us-west-1"
    logs = client("logs", region)
    (group,) = logs.describe_log_groups(logGroupNamePrefix="aws-cloudtrail-logs")["logGroups"]
    assert group["logGroupName"] == GROUP
    assert group["logGroupArn"] == f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{GROUP}"
    assert group["arn"] == group["logGroupArn"] + ":*"
    assert logs.describe_log_groups(logGroupNamePattern="nothing")["logGroups"] == []
    mixed = {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}
    assert refusal(logs.describe_log_groups, **mixed)[0] == "InvalidParameterException"
    powerless = client("logs", region, **lab_user("powerless"))
    assert refusal(powerless.describe_log_groups)[0] == "AccessDeniedException"
    assert refusal(powerless.filter_log_events, logGroupName=GROUP)[0] == "AccessDeniedException"


def test_refusals_of_a_search(logs):
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="other")
    for more in [
        {"filterPattern": "{ $.a = }"},
        {"nextToken": "x"},
        {"startTime": 2, "endTime": 1},
        {"logGroupIdentifier": GROUP},
    ]:
        with pytest.raises(logs.exceptions.InvalidParameterException):
            logs.filter_log_events(logGroupName=GROUP, **more)


def test_short_and_empty_pages_and_throttling(logs, faults):  # noqa: F811
    now = int(time.time())
    control("POST", "cloudtrail", order(5, now - 40 * 86400))
    window = {"logGroupName": GROUP, "startTime": (now - 40 * 86400) * 1000, "endTime": (now - 39 * 86400) * 1000}
    fault = {"service": "logs", "operation": "FilterLogEvents", "region": REGION}
    for answer, number in [("empty_page", 0), ("short_page", 1)]:
        faults({**fault, "answer": answer})
        page = logs.filter_log_events(**window)
        assert len(page["events"]) == number and page["nextToken"]
        rest = logs.filter_log_events(**window, nextToken=page["nextToken"])
        assert len(rest["events"]) == 5 - number and "nextToken" not in rest
    faults({**fault, "answer": "throttle"})
    assert refusal(logs.filter_log_events, **window)[0] == "ThrottlingException"


def test_many_synthetic_events():
    region = "ap-southeast-2"
    logs = client("logs", region)
    start = int(time.time()) - 20 * 86400
    control("POST", "cloudtrail", {**order(1_000_000, start), "region": region})
    second = {"startTime": start * 1000, "endTime": (start + 60) * 1000}
    found = events(logs, **second)
    assert len(found) == pytest.approx(1_000_000 * 60 / 86400, abs=2)
    assert {event["eventName"] for event in found} == {"Decrypt", "Encrypt", "GenerateDataKey"}
    assert len({event["eventID"] for event in found}) == len(found)
    assert found == events(logs, **second)
    page = logs.filter_log_events(logGroupName=GROUP, filterPattern='{ $.eventName = "Nothing" }', **whole(start))
    assert page["events"] == [] and page["nextToken"]


def whole(start):
    return {"startTime": start * 1000, "endTime": (start + 86400) * 1000}


def order(count, start):
    """Synthetic events of a day."""
    stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))  # noqa: E731
    return {
        "account": ACCOUNT,
        "region": REGION,
        "count": count,
        "start": stamp(start),
        "end": stamp(start + 86400),
        "keys": ["11111111-1111-1111-1111-111111111111"],
        "principals": [f"arn:aws:iam::{ACCOUNT}:user/user1"],
    }
