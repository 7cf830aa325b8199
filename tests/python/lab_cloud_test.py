"""Tests of the lab cloud with boto3 and the AWS CLI.

The lab cloud must be running. Three variables give its address and an access key:
LAB_ENDPOINT (such as http://127.0.0.1:4566), LAB_ACCESS_KEY_ID, LAB_SECRET_ACCESS_KEY.
The access key is that of `user1` in account 123456789012 of the built-in plan (config/lab-cloud.toml).
"""

import datetime
import json
import os
import subprocess
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ENDPOINT = os.environ["LAB_ENDPOINT"].rstrip("/")
KEY_ID = os.environ["LAB_ACCESS_KEY_ID"]
SECRET = os.environ["LAB_SECRET_ACCESS_KEY"]

ROLE = "arn:aws:iam::789012123456:role/test-assume-role-ac"
OPEN_ROLE = "arn:aws:iam::789012123456:role/test-assume-role-open"
EXTERNAL_ID = "test-ext-id"

SEED_REGIONS = [
    "eu-north-1", "ap-south-1", "eu-west-3", "eu-west-2", "eu-west-1", "ap-northeast-2", "ap-northeast-1",
    "sa-east-1", "ca-central-1", "ap-southeast-1", "ap-southeast-2", "eu-central-1", "us-east-1", "us-east-2",
    "us-west-1", "us-west-2",
]  # fmt: skip


def client(service, region="us-east-1", key=KEY_ID, secret=SECRET, token=None, **config):
    """A client without retries, since the tests check single answers."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=ENDPOINT,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def as_session(service, credentials, region="us-east-1"):
    return client(
        service,
        region,
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )


def assume(role=ROLE, sts=None, **more):
    return (sts or client("sts")).assume_role(RoleArn=role, RoleSessionName="pytest", **more)


def lab_user(name):
    """The access key of another user of the built-in plan, as client arguments."""
    plan = tomllib.loads((Path(__file__).parents[2] / "config" / "lab-cloud.toml").read_text())
    user = next(user for account in plan["accounts"] for user in account["users"] if user["name"] == name)
    return {"key": user["access_key_id"], "secret": user["secret_access_key"]}


def control(method, path, body=None):
    """Calls the control endpoint of the lab."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_lab/{path}", method=method, data=data)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


@pytest.fixture
def faults():
    yield lambda *orders: control("PUT", "faults", list(orders))
    control("DELETE", "faults")


def refusal(call, *args, **kwargs):
    """Asserts that a call is refused; returns the code, the HTTP status and the message."""
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


class TestIdentity:
    def test_the_user_behind_the_key(self):
        answer = client("sts").get_caller_identity()
        assert answer["Account"] == "123456789012"
        assert answer["Arn"] == "arn:aws:iam::123456789012:user/user1"
        assert answer["UserId"].startswith("AIDA")
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-amzn-requestid"] == answer["ResponseMetadata"]["RequestId"]

    @pytest.mark.parametrize("region", SEED_REGIONS)
    def test_every_region(self, region):
        assert client("sts", region).get_caller_identity()["Account"] == "123456789012"

    def test_other_partitions(self):
        gov = client("sts", "us-gov-west-1", **lab_user("gov-user")).get_caller_identity()
        assert gov["Arn"] == "arn:aws-us-gov:iam::210987654321:user/gov-user"
        china = client("sts", "cn-north-1", **lab_user("cn-user")).get_caller_identity()
        assert china["Arn"] == "arn:aws-cn:iam::345678901234:user/cn-user"
        assert refusal(client("sts", "cn-north-1").get_caller_identity)[:2] == ("InvalidClientTokenId", 403)

    def test_a_presigned_request(self):
        url = client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
        with urllib.request.urlopen(url) as answer:
            assert b"<Arn>arn:aws:iam::123456789012:user/user1</Arn>" in answer.read()
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url.replace("GetCallerIdentity", "GetSessionToken"))
        assert caught.value.code == 403 and b"SignatureDoesNotMatch" in caught.value.read()


class TestWrongCredentials:
    def test_wrong_secret(self):
        code, status, message = refusal(client("sts", secret="x" * 40).get_caller_identity)
        assert (code, status) == ("SignatureDoesNotMatch", 403)
        assert message.startswith("The request signature we calculated does not match the signature you provided.")
        assert refusal(client("ec2", secret="x" * 40).describe_regions)[:2] == ("AuthFailure", 401)

    def test_unknown_access_key(self):
        key = "AKIAAAAAAAAAAAAAAAAA"
        assert refusal(client("sts", key=key).get_caller_identity) == (
            "InvalidClientTokenId",
            403,
            "The security token included in the request is invalid.",
        )
        assert refusal(client("ec2", key=key).describe_regions) == (
            "AuthFailure",
            401,
            "AWS was not able to validate the provided access credentials",
        )
        assert refusal(client("kms", key=key).list_keys)[:2] == ("UnrecognizedClientException", 400)

    def test_unsigned(self):
        form = b"Action=GetCallerIdentity&Version=2011-06-15"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(ENDPOINT, data=form)
        assert caught.value.code == 403 and b"MissingAuthenticationToken" in caught.value.read()

    def test_unknown_region(self):
        code, status, message = refusal(client("sts", "mars-1").get_caller_identity)
        assert (code, status) == ("SignatureDoesNotMatch", 403)
        assert "Credential should be scoped to a valid region, not 'mars-1'" in message

    def test_region_that_is_not_enabled(self):
        assert refusal(client("ec2", "af-south-1").describe_regions)[:2] == ("AuthFailure", 401)

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_clock_that_is_off(self, minutes, monkeypatch):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        request = AWSRequest("POST", ENDPOINT + "/", data="Action=GetCallerIdentity&Version=2011-06-15")
        signer = SigV4Auth(Credentials(KEY_ID, SECRET), "sts", "us-east-1")
        # add_auth cannot be used, since it reads the clock itself.
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        signer._inject_signature_to_request(request, signature)
        plain = urllib.request.Request(request.url, data=request.data.encode(), headers=dict(request.headers))
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(plain)
        body = caught.value.read()
        assert caught.value.code == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
        assert (b"Signature expired: " if minutes < 0 else b"Signature not yet current: ") in body


class TestAssumeRole:
    def test_with_the_external_id(self):
        answer = assume(ExternalId=EXTERNAL_ID, DurationSeconds=900)
        arn = "arn:aws:sts::789012123456:assumed-role/test-assume-role-ac/pytest"
        assert answer["AssumedRoleUser"]["Arn"] == arn
        assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":pytest")
        credentials = answer["Credentials"]
        assert credentials["AccessKeyId"].startswith("ASIA")
        left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(seconds=890) < left <= datetime.timedelta(seconds=900)
        identity = as_session("sts", credentials, "eu-west-3").get_caller_identity()
        assert (identity["Account"], identity["Arn"]) == ("789012123456", arn)
        assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]

    @pytest.mark.parametrize("more", [{}, {"ExternalId": "wrong-id"}])
    def test_without_the_right_external_id(self, more):
        assert refusal(assume, **more) == (
            "AccessDenied",
            403,
            "User: arn:aws:iam::123456789012:user/user1 is not authorized to perform: sts:AssumeRole on resource: "
            + ROLE,
        )

    def test_a_role_that_asks_for_none(self):
        assert assume(OPEN_ROLE)["Credentials"]["SessionToken"]

    @pytest.mark.parametrize("role", ["test-assume-role-denied", "no-such-role"])
    def test_denied_and_unknown_roles_look_alike(self, role):
        code, status, message = refusal(assume, f"arn:aws:iam::789012123456:role/{role}")
        assert (code, status) == ("AccessDenied", 403) and message.endswith(f"role/{role}")

    def test_a_user_without_permission_to_assume(self):
        assert refusal(assume, OPEN_ROLE, client("sts", **lab_user("powerless")))[:2] == ("AccessDenied", 403)

    def test_bad_parameters(self):
        long = refusal(assume, OPEN_ROLE, DurationSeconds=3601)
        assert long[:2] == ("ValidationError", 400) and "MaxSessionDuration" in long[2]
        sts = client("sts", parameter_validation=False)
        code, status, message = refusal(sts.assume_role, RoleArn="role", RoleSessionName="a b", DurationSeconds=1)
        assert (code, status) == ("ValidationError", 400) and message.startswith("3 validation errors detected: ")

    def test_chaining_ends_after_an_hour(self):
        own = assume("arn:aws:iam::123456789012:role/test-own-role")["Credentials"]
        sts = as_session("sts", own)
        assert assume(sts=sts, ExternalId=EXTERNAL_ID)["Credentials"]["SessionToken"]
        assert assume(ExternalId=EXTERNAL_ID, DurationSeconds=43200)["Credentials"]["SessionToken"]
        code, status, _ = refusal(assume, sts=sts, ExternalId=EXTERNAL_ID, DurationSeconds=3601)
        assert (code, status) == ("ValidationError", 400)


class TestSessions:
    def test_garbled_and_missing_tokens(self):
        credentials = assume(OPEN_ROLE)["Credentials"]
        token = credentials["SessionToken"]
        for other in (token[:-8] + "AAAAAAAA", token[1:], "garbled", None):
            sts = as_session("sts", credentials | {"SessionToken": other})
            assert refusal(sts.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)

    def test_a_token_belongs_to_its_key(self):
        one, other = assume(OPEN_ROLE)["Credentials"], assume(OPEN_ROLE)["Credentials"]
        mixed = as_session("sts", one | {"SessionToken": other["SessionToken"]})
        assert refusal(mixed.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)

    def test_expired(self):
        credentials = assume(OPEN_ROLE)["Credentials"]
        control("DELETE", "sessions")
        assert refusal(as_session("sts", credentials).get_caller_identity) == (
            "ExpiredToken",
            403,
            "The security token included in the request is expired",
        )
        assert refusal(as_session("ec2", credentials).describe_regions)[:2] == ("RequestExpired", 400)
        assert refusal(as_session("kms", credentials).list_keys)[:2] == ("ExpiredTokenException", 400)
        assert as_session("sts", assume(OPEN_ROLE)["Credentials"]).get_caller_identity()

    def test_a_users_own_session(self):
        credentials = client("sts").get_session_token()["Credentials"]
        identity = as_session("sts", credentials).get_caller_identity()
        assert identity["Arn"] == "arn:aws:iam::123456789012:user/user1"
        assert refusal(as_session("sts", credentials).get_session_token)[:2] == ("AccessDenied", 403)


class TestRegions:
    def test_the_enabled_ones_in_their_order(self):
        regions = client("ec2").describe_regions()["Regions"]
        assert [region["RegionName"] for region in regions] == SEED_REGIONS
        assert regions[0] == {
            "RegionName": "eu-north-1",
            "Endpoint": "ec2.eu-north-1.amazonaws.com",
            "OptInStatus": "opt-in-not-required",
        }

    def test_all_and_filtered(self):
        ec2 = client("ec2", "eu-west-3")

        def names(**ask):
            return [region["RegionName"] for region in ec2.describe_regions(**ask)["Regions"]]

        def filters(name, *values):
            return [{"Name": name, "Values": list(values)}]

        closed = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"]
        assert names(AllRegions=True) == SEED_REGIONS + closed
        assert names(AllRegions=True, Filters=filters("opt-in-status", "not-opted-in")) == closed
        assert names(Filters=filters("opt-in-status", "opt-in-not-required", "opted-in")) == SEED_REGIONS
        assert names(Filters=filters("region-name", "us-west-?", "eu-north-1")) == [
            "eu-north-1",
            "us-west-1",
            "us-west-2",
        ]
        assert names(RegionNames=["us-east-1", "af-south-1"]) == ["us-east-1", "af-south-1"]
        assert refusal(names, RegionNames=["mars-1"])[:2] == ("InvalidParameterValue", 400)
        assert refusal(names, Filters=filters("colour", "red"))[:2] == ("InvalidParameterValue", 400)
        assert refusal(names, DryRun=True)[:2] == ("DryRunOperation", 412)

    def test_those_of_the_assumed_account(self):
        credentials = assume(ExternalId=EXTERNAL_ID)["Credentials"]
        regions = as_session("ec2", credentials).describe_regions()["Regions"]
        assert [region["RegionName"] for region in regions] == SEED_REGIONS

    def test_without_permission(self):
        code, status, message = refusal(client("ec2", **lab_user("no-regions")).describe_regions)
        assert (code, status) == ("UnauthorizedOperation", 403)
        assert "user/no-regions is not authorized to perform: ec2:DescribeRegions" in message


class TestIam:
    def test_listings(self):
        iam = client("iam", "eu-west-3")
        pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2})
        assert [user["UserName"] for page in pages for user in page["Users"]] == ["no-regions", "powerless", "user1"]
        role = as_session("iam", assume(OPEN_ROLE)["Credentials"]).list_roles()["Roles"][0]
        assert role["RoleName"] == "test-assume-role-ac" and role["MaxSessionDuration"] == 43200
        statement = role["AssumeRolePolicyDocument"]["Statement"][0]
        assert statement["Principal"] == {"AWS": ["arn:aws:iam::123456789012:root"]}
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
        assert iam.list_users(PathPrefix="/nowhere/")["Users"] == []
        assert refusal(client("iam", **lab_user("powerless")).list_roles)[:2] == ("AccessDenied", 403)

    def test_simulation(self):
        iam = client("iam")
        actions = ["ec2:DescribeRegions", "kms:CreateKey"]

        def decisions(arn):
            pages = iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=arn, ActionNames=actions, PaginationConfig={"PageSize": 1}
            )
            results = [result for page in pages for result in page["EvaluationResults"]]
            assert [result["EvalActionName"] for result in results] == actions
            return [result["EvalDecision"] for result in results]

        assert decisions("arn:aws:iam::123456789012:user/user1") == ["allowed", "allowed"]
        assert decisions("arn:aws:iam::123456789012:user/no-regions") == ["implicitDeny", "allowed"]
        unknown = refusal(decisions, "arn:aws:iam::123456789012:user/nobody")
        assert unknown == ("NoSuchEntity", 404, "The user with name nobody cannot be found.")


class TestProtocol:
    def test_an_operation_that_is_not_there(self):
        assert refusal(client("iam").list_groups)[:2] == ("InvalidAction", 400)
        assert refusal(client("ec2").describe_vpcs)[:2] == ("InvalidAction", 400)

    def test_faults_to_order(self, faults):
        sts = client("sts", "eu-west-3")
        for answer, code, status in [
            ("throttle", "Throttling", 400),
            ("internal", "InternalFailure", 500),
            ("unavailable", "ServiceUnavailable", 503),
            ("deny", "AccessDenied", 403),
        ]:
            faults({"service": "sts", "operation": "GetCallerIdentity", "answer": answer})
            assert refusal(sts.get_caller_identity)[:2] == (code, status)
            assert sts.get_caller_identity()
        faults({"service": "ec2", "answer": "throttle"})
        assert refusal(client("ec2").describe_regions)[:2] == ("RequestLimitExceeded", 503)

    def test_the_sdk_retries_what_it_may(self, faults):
        faults({"service": "sts", "answer": "throttle"}, {"service": "sts", "answer": "drop"})
        control("DELETE", "calls")
        retrying = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=ENDPOINT,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )
        assert retrying.get_caller_identity()["Account"] == "123456789012"
        assert control("GET", "calls") == {"sts:GetCallerIdentity": {"us-east-1": 3}}

    def test_many_at_once(self):
        sts, seen = client("sts", max_pool_connections=16), []

        def ask():
            for _ in range(20):
                seen.append(sts.get_caller_identity()["Account"])

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == ["123456789012"] * 320


def test_the_command_line():
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ENDPOINT_URL": ENDPOINT,
    }

    def aws(*arguments):
        # This is the script of the interpreter's environment, not the first one in PATH.
        command = [sys.executable, str(Path(sys.executable).parent / "aws"), *arguments, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert aws("sts", "get-caller-identity")["Arn"] == "arn:aws:iam::123456789012:user/user1"
    regions = aws("ec2", "describe-regions", "--query", "Regions[].RegionName")
    assert regions == SEED_REGIONS
    assert [user["UserName"] for user in aws("iam", "list-users")["Users"]] == ["no-regions", "powerless", "user1"]
