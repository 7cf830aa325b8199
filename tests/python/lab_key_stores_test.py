"""Tests of the lab cloud's custom key stores and CloudHSM clusters with boto3.

The lab cloud must be running; lab_cloud_test.py has the variables. The stores on a proxy need none that answers: what
needs one is tested elsewhere. Every test deletes what it has created, since an account has ten stores at most.
"""

import time
import tomllib
from pathlib import Path

import pytest
from lab_cloud_test import client, control, lab_user, refusal

REGION = "us-east-1"
DAY = 86_400
SERVICE = f"com.amazonaws.vpce.{REGION}.vpce-svc-0a1b2c3d4e5f60718"
CREDENTIAL = {"AccessKeyId": "ABCDEFGHIJ234567ABCD", "RawSecretAccessKey": "0123456789" * 4 + "+/="}


@pytest.fixture
def kms():
    return client("kms", REGION)


@pytest.fixture
def clock():
    yield lambda days: control("PUT", "clock", {"ahead_seconds": days * DAY})
    control("PUT", "clock", {"ahead_seconds": 0})


def cluster_of_the_plan():
    plan = tomllib.loads((Path(__file__).parents[2] / "config" / "lab-cloud.toml").read_text())
    return plan["accounts"][0]["cloudhsm_clusters"][0]


def on_cluster(name, **more):
    cluster = cluster_of_the_plan()
    return {
        "CustomKeyStoreName": name,
        "CloudHsmClusterId": cluster["id"],
        "KeyStorePassword": cluster["kmsuser_password"],
        "TrustAnchorCertificate": cluster["certificate"],
    } | more


def on_proxy(name, **more):
    return {
        "CustomKeyStoreName": name,
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": "https://unreachable.lab.internal",
        "XksProxyUriPath": "/python/kms/xks/v1",
        "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
        "XksProxyVpcEndpointServiceName": SERVICE,
        "XksProxyAuthenticationCredential": CREDENTIAL,
    } | more


def settled(kms, store):
    """The store when it neither connects nor disconnects."""
    for _ in range(100):
        entry = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"][0]
        if not entry["ConnectionState"].endswith("ING"):
            return entry
        time.sleep(0.1)
    raise AssertionError(entry)


class TestClusters:
    def test_described(self):
        answer = client("cloudhsmv2", REGION).describe_clusters(Filters={"states": ["ACTIVE"]}, MaxResults=25)
        (cluster,) = answer["Clusters"]
        assert cluster["ClusterId"] == cluster_of_the_plan()["id"]
        assert sorted(hsm["AvailabilityZone"] for hsm in cluster["Hsms"]) == ["us-east-1a", "us-east-1b"]
        assert set(cluster["SubnetMapping"]) == {"us-east-1a", "us-east-1b"}
        assert cluster["CreateTimestamp"].year == 2020
        assert client("cloudhsmv2", "us-east-2").describe_clusters()["Clusters"] == []

    def test_refused(self):
        powerless = client("cloudhsmv2", REGION, **lab_user("powerless"))
        assert refusal(powerless.describe_clusters)[0] == "AccessDeniedException"
        assert refusal(client("cloudhsmv2", REGION).describe_clusters, NextToken="x")[0] == "CloudHsmInvalidRequestException"


class TestCloudHsmKeyStores:
    def test_a_life(self, kms, clock):
        store = kms.create_custom_key_store(**on_cluster("python-hsm"))["CustomKeyStoreId"]
        (entry,) = kms.describe_custom_key_stores(CustomKeyStoreName="python-hsm")["CustomKeyStores"]
        assert entry["ConnectionState"] == "DISCONNECTED" and entry["CustomKeyStoreType"] == "AWS_CLOUDHSM"
        assert "KeyStorePassword" not in entry
        with pytest.raises(kms.exceptions.CloudHsmClusterInUseException):
            kms.create_custom_key_store(**on_cluster("python-hsm-2"))
        with pytest.raises(kms.exceptions.CustomKeyStoreInvalidStateException):
            kms.create_key(CustomKeyStoreId=store, Origin="AWS_CLOUDHSM")
        kms.connect_custom_key_store(CustomKeyStoreId=store)
        assert settled(kms, store)["ConnectionState"] == "CONNECTED"
        key = kms.create_key(CustomKeyStoreId=store, Origin="AWS_CLOUDHSM")["KeyMetadata"]
        assert key["CloudHsmClusterId"] == cluster_of_the_plan()["id"] and key["CustomKeyStoreId"] == store
        sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"text"
        with pytest.raises(kms.exceptions.UnsupportedOperationException):
            kms.enable_key_rotation(KeyId=key["KeyId"])

        kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Unavailable"
        with pytest.raises(kms.exceptions.KMSInvalidStateException):
            kms.decrypt(CiphertextBlob=sealed)
        assert settled(kms, store)["ConnectionState"] == "DISCONNECTED"
        kms.update_custom_key_store(CustomKeyStoreId=store, NewCustomKeyStoreName="python-hsm-renamed")
        kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        with pytest.raises(kms.exceptions.CustomKeyStoreHasCMKsException):
            kms.delete_custom_key_store(CustomKeyStoreId=store)
        clock(8)
        kms.delete_custom_key_store(CustomKeyStoreId=store)
        with pytest.raises(kms.exceptions.CustomKeyStoreNotFoundException):
            kms.describe_custom_key_stores(CustomKeyStoreId=store)

    def test_refused(self, kms):
        with pytest.raises(kms.exceptions.IncorrectTrustAnchorException):
            kms.create_custom_key_store(**on_cluster("python-hsm", TrustAnchorCertificate="other"))
        with pytest.raises(kms.exceptions.CloudHsmClusterNotFoundException):
            kms.create_custom_key_store(**on_cluster("python-hsm", CloudHsmClusterId="cluster-zzzzzzzzzzz"))
        powerless = client("kms", REGION, **lab_user("powerless"))
        assert refusal(powerless.create_custom_key_store, **on_cluster("python-hsm"))[0] == "AccessDeniedException"


class TestExternalKeyStores:
    def test_a_life_without_a_proxy(self, kms):
        store = kms.create_custom_key_store(**on_proxy("python-xks"))["CustomKeyStoreId"]
        (entry,) = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"]
        assert entry["XksProxyConfiguration"] == {
            "Connectivity": "VPC_ENDPOINT_SERVICE",
            "AccessKeyId": CREDENTIAL["AccessKeyId"],
            "UriEndpoint": "https://unreachable.lab.internal",
            "UriPath": "/python/kms/xks/v1",
            "VpcEndpointServiceName": SERVICE,
        }
        with pytest.raises(kms.exceptions.XksProxyUriInUseException):
            kms.create_custom_key_store(**on_proxy("python-xks-2"))
        kms.connect_custom_key_store(CustomKeyStoreId=store)
        entry = settled(kms, store)
        assert (entry["ConnectionState"], entry["ConnectionErrorCode"]) == ("FAILED", "XKS_PROXY_NOT_REACHABLE")
        with pytest.raises(kms.exceptions.CustomKeyStoreInvalidStateException):
            kms.connect_custom_key_store(CustomKeyStoreId=store)
        kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        with pytest.raises(kms.exceptions.XksProxyUriUnreachableException):
            kms.update_custom_key_store(CustomKeyStoreId=store, XksProxyUriPath="/other/kms/xks/v1")
        with pytest.raises(kms.exceptions.CustomKeyStoreInvalidStateException):
            kms.create_key(CustomKeyStoreId=store, Origin="EXTERNAL_KEY_STORE", XksKeyId="key-1")
        kms.delete_custom_key_store(CustomKeyStoreId=store)

    def test_refused(self, kms):
        public = {"XksProxyConnectivity": "PUBLIC_ENDPOINT", "XksProxyVpcEndpointServiceName": None}
        public = {name: value for name, value in on_proxy("python-xks", **public).items() if value is not None}
        with pytest.raises(kms.exceptions.XksProxyUriUnreachableException):
            kms.create_custom_key_store(**public)
        elsewhere = SERVICE.replace(REGION, "us-west-2")
        with pytest.raises(kms.exceptions.XksProxyVpcEndpointServiceNotFoundException):
            kms.create_custom_key_store(**on_proxy("python-xks", XksProxyVpcEndpointServiceName=elsewhere))
        code, _, message = refusal(kms.create_custom_key_store, **on_proxy("python-xks", XksProxyUriPath="/kms/xks/one"))
        assert code == "ValidationException" and "xksProxyUriPath" in message
