"""A pytest plugin that runs LocalStack's tests against the lab.

Only the tests run that are marked as validated at AWS. They compare the lab's answers with answers that were recorded
at AWS. The marks that exempt parts of an answer are removed: they name what LocalStack itself answers otherwise.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from localstack_snapshot.snapshots.transformer import RegexTransformer

import stand_ins
from exceptions import LEFT_OUT, OUTDATED

ENDPOINT = os.environ["LAB_ENDPOINT"]
ACCOUNT_KEYS = {
    "aws_access_key_id": os.environ["LAB_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["LAB_SECRET_ACCESS_KEY"],
}
REGION = "us-east-1"
# The recorded answers name this region.
SECONDARY_REGION = "ap-southeast-1"

# No test may reach AWS.
if urlsplit(ENDPOINT).hostname != "127.0.0.1":
    raise SystemExit(f"LAB_ENDPOINT is not on this machine: {ENDPOINT}")

stand_ins.install(Path(os.environ["LOCALSTACK_SOURCE"]))


# --- Selection -------------------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(config, items):
    validated = [item for item in items if item.get_closest_marker("aws_validated")]
    unknown = {*LEFT_OUT, *OUTDATED} - {test_name(item) for item in validated}
    if unknown:
        raise pytest.UsageError(f"exceptions.py names tests that are not there: {', '.join(sorted(unknown))}")
    kept = [item for item in validated if test_name(item) not in LEFT_OUT]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
    for item in items:
        item.own_markers[:] = [mark for mark in item.own_markers if mark.name != "skip_snapshot_verify"]
        if test_name(item) in OUTDATED:
            item.add_marker(pytest.mark.skip_snapshot_verify(paths=OUTDATED[test_name(item)]))


def test_name(item):
    return item.nodeid.split("::", 1)[1]


test_name.__test__ = False


# --- Fixtures --------------------------------------------------------------------------------------------------------


class Clients:
    """The clients of one account and region, each made when a test asks for it."""

    def __init__(self, region, config, credentials):
        self._options = dict(region_name=region, endpoint_url=ENDPOINT, config=config, **credentials)
        self._clients = {}

    def __getattr__(self, service):
        if service.startswith("_"):
            raise AttributeError(service)
        if service not in self._clients:
            self._clients[service] = boto3.Session().client(service, **self._options)
        return self._clients[service]


@pytest.fixture(scope="session")
def aws_client_factory():
    def create(region_name=None, config=None, **credentials):
        without_proxies = Config(proxies={}, retries={"total_max_attempts": 1})
        config = without_proxies.merge(config) if config else without_proxies
        return Clients(region_name or REGION, config, credentials or ACCOUNT_KEYS)

    return create


@pytest.fixture(scope="session")
def aws_client(aws_client_factory):
    return aws_client_factory()


@pytest.fixture(scope="session")
def region_name():
    return REGION


@pytest.fixture(scope="session")
def secondary_region_name():
    return SECONDARY_REGION


@pytest.fixture(scope="session")
def account_id(aws_client):
    return aws_client.sts.get_caller_identity()["Account"]


@pytest.fixture
def snapshot(request, _snapshot_session, account_id, region_name):
    from localstack.testing.snapshots import transformer_utility

    # The recorded answers of KMS have an older form.
    is_older = "kms" in request.path.parts
    basic = "SNAPSHOT_BASIC_TRANSFORMER" if is_older else "SNAPSHOT_BASIC_TRANSFORMER_NEW"

    _snapshot_session.transform = transformer_utility.TransformerUtility
    _snapshot_session.add_transformer(RegexTransformer(account_id, "1" * 12), priority=2)
    _snapshot_session.add_transformer(RegexTransformer(region_name, "<region>"), priority=2)
    _snapshot_session.add_transformer(RegexTransformer("arn:aws:", "arn:<partition>:"), priority=2)
    _snapshot_session.add_transformer(getattr(transformer_utility, basic), priority=2)
    return _snapshot_session


@pytest.fixture
def kms_create_key(aws_client_factory):
    def create(region_name=None, Description="a key of a test", **options):
        return aws_client_factory(region_name).kms.create_key(Description=Description, **options)["KeyMetadata"]

    return create


@pytest.fixture
def kms_replicate_key(aws_client_factory):
    def replicate(region_from=None, **options):
        return aws_client_factory(region_from).kms.replicate_key(**options)

    return replicate


@pytest.fixture
def kms_create_alias(kms_create_key, aws_client):
    def create(AliasName=None, TargetKeyId=None):
        from localstack.utils.strings import short_uid

        name = AliasName or f"alias/{short_uid()}"
        aws_client.kms.create_alias(AliasName=name, TargetKeyId=TargetKeyId or kms_create_key()["KeyId"])
        return name

    return create


@pytest.fixture
def kms_key(kms_create_key):
    return kms_create_key()


@pytest.fixture
def kms_grant_and_key(kms_key, aws_client):
    grantee = aws_client.sts.get_caller_identity()["Arn"]
    grant = aws_client.kms.create_grant(
        KeyId=kms_key["KeyId"], GranteePrincipal=grantee, Operations=["Decrypt", "Encrypt"]
    )
    return [grant, kms_key]


@pytest.fixture
def create_role(aws_client):
    def create(**options):
        return aws_client.iam.create_role(**options)

    return create


@pytest.fixture
def wait_and_assume_role(aws_client):
    def assume(role_arn, session_name, **options):
        return aws_client.sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name, **options)["Credentials"]

    return assume
