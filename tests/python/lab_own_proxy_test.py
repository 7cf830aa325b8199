"""boto3 encrypts with keys of Claviger: the lab's KMS calls Claviger's XKS proxy.

The lab must be running. Beside the variables of lab_cloud_test.py, CLAVIGER_URL gives the address of its API and
CLAVIGER_ADMIN_PASSWORD the password of `admin`. Claviger makes the stores and keys at AWS, or boto3 does, as by hand.
"""

import json
import os
import ssl
import time
import urllib.request
import uuid

import pytest
from lab_cloud_test import client
from lab_key_stores_test import REGION, settled

API = os.environ["CLAVIGER_URL"].rstrip("/") + "/api/v1/"
PASSWORD = os.environ["CLAVIGER_ADMIN_PASSWORD"]
PLAINTEXT = b"p" * 4096


class Claviger:
    """The API of Claviger, as `admin`. The lab's certificate is its own."""

    def __init__(self):
        self.trust = ssl.create_default_context()
        self.trust.check_hostname = False
        self.trust.verify_mode = ssl.CERT_NONE
        self.token = None
        self.token = self.post("auth/tokens", username="admin", password=PASSWORD)["jwt"]

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(API + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, context=self.trust) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def post(self, path, **body):
        return self.call("POST", path, body)


@pytest.fixture(scope="module")
def kms():
    return client("kms", REGION)


@pytest.fixture(scope="module")
def claviger():
    return Claviger()


@pytest.fixture(scope="module")
def account(claviger):
    """The id of a KMS with the region."""
    known = {"connection": "test_aws-connection", "account_id": "123456789012"}
    return claviger.post("cckm/aws/kms", name=f"python-{uuid.uuid4()}", regions=[REGION], **known)["id"]


@pytest.fixture(scope="module", params=["claviger", "boto3"])
def served(request, claviger, account, kms):
    """A connected store that Claviger serves: its id there, its id in AWS, its source key, and who made it at AWS."""
    name = f"python-{uuid.uuid4()}"
    source = claviger.post("vault/keys2", name=name, algorithm="aes", size=256, unexportable=True, undeletable=True)
    endpoint = f"https://{name}.lab.internal"
    store = claviger.post(
        "cckm/aws/custom-key-stores",
        name=name,
        kms=account,
        region=REGION,
        linked_state=request.param == "claviger",
        aws_param={"xks_proxy_uri_endpoint": endpoint},
        local_hosted_params={"health_check_key_id": source["id"], "max_credentials": 2},
    )
    if request.param == "claviger":
        in_aws = store["aws_param"]["custom_key_store_id"]
        claviger.post(f"cckm/aws/custom-key-stores/{store['id']}/connect")
    else:
        in_aws = kms.create_custom_key_store(
            CustomKeyStoreName=name,
            CustomKeyStoreType="EXTERNAL_KEY_STORE",
            XksProxyUriEndpoint=endpoint,
            XksProxyUriPath=store["aws_param"]["xks_proxy_uri_path"],
            XksProxyConnectivity="PUBLIC_ENDPOINT",
            XksProxyAuthenticationCredential={
                "AccessKeyId": store["access_key_id"],
                "RawSecretAccessKey": store["secret_access_key"],
            },
        )["CustomKeyStoreId"]
        kms.connect_custom_key_store(CustomKeyStoreId=in_aws)
    assert settled(kms, in_aws)["ConnectionState"] == "CONNECTED"
    return store["id"], in_aws, source["id"], request.param


def hyok_key(claviger, kms, served):
    """The id of a HYOK key, and that of the KMS key on it."""
    store, in_aws, source, maker = served
    hosted = {"custom_key_store_id": store, "source_key_id": source}
    if maker == "claviger":
        wait_until_connected(claviger, store)
        key = claviger.post("cckm/aws/create-hyok-key", local_hosted_params=hosted | {"linked_state": True})
        made = kms.describe_key(KeyId=key["aws_param"]["KeyID"])["KeyMetadata"]
    else:
        key = claviger.post("cckm/aws/create-hyok-key", local_hosted_params=hosted)
        xks_key_id = key["local_hosted_params"]["xks_key_id"]
        made = kms.create_key(CustomKeyStoreId=in_aws, Origin="EXTERNAL_KEY_STORE", XksKeyId=xks_key_id)["KeyMetadata"]
    assert made["XksKeyConfiguration"] == {"Id": key["id"]} and made["KeyState"] == "Enabled"
    return key["id"], made["KeyId"]


def wait_until_connected(claviger, store):
    """Claviger asks AWS every few seconds."""
    deadline = time.monotonic() + 20
    while True:
        seen = claviger.call("GET", f"cckm/aws/custom-key-stores/{store}")["aws_param"]["connection_state"]
        if seen == "CONNECTED":
            return
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)


def test_a_key_is_used_rotated_and_blocked(claviger, kms, served):
    id, key = hyok_key(claviger, kms, served)
    context = {"purpose": "test"}

    def encrypt():
        return kms.encrypt(KeyId=key, Plaintext=PLAINTEXT, EncryptionContext=context)["CiphertextBlob"]

    def decrypt(sealed):
        return kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"]

    old = encrypt()
    claviger.post(f"cckm/aws/keys/{id}/rotate")
    new = encrypt()
    assert decrypt(old) == PLAINTEXT and decrypt(new) == PLAINTEXT
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.decrypt(CiphertextBlob=new, EncryptionContext={"purpose": "other"})
    again = kms.re_encrypt(
        CiphertextBlob=old, SourceEncryptionContext=context, DestinationKeyId=key, DestinationEncryptionContext=context
    )["CiphertextBlob"]
    assert decrypt(again) == PLAINTEXT

    for blocked in [f"cckm/aws/keys/{id}", f"cckm/aws/custom-key-stores/{served[0]}"]:
        claviger.post(f"{blocked}/block")
        with pytest.raises(kms.exceptions.KMSInvalidStateException):
            encrypt()
        with pytest.raises(kms.exceptions.KMSInvalidStateException):
            decrypt(old)
        claviger.post(f"{blocked}/unblock")
        assert decrypt(old) == PLAINTEXT and decrypt(encrypt()) == PLAINTEXT


def test_a_blocked_store_does_not_connect(claviger, kms, served):
    store, in_aws, _, _ = served
    kms.disconnect_custom_key_store(CustomKeyStoreId=in_aws)
    assert settled(kms, in_aws)["ConnectionState"] == "DISCONNECTED"
    claviger.post(f"cckm/aws/custom-key-stores/{store}/block")
    kms.connect_custom_key_store(CustomKeyStoreId=in_aws)
    entry = settled(kms, in_aws)
    assert (entry["ConnectionState"], entry["ConnectionErrorCode"]) == ("FAILED", "XKS_PROXY_ACCESS_DENIED")
    claviger.post(f"cckm/aws/custom-key-stores/{store}/unblock")
    kms.disconnect_custom_key_store(CustomKeyStoreId=in_aws)
    assert settled(kms, in_aws)["ConnectionState"] == "DISCONNECTED"
    kms.connect_custom_key_store(CustomKeyStoreId=in_aws)
    assert settled(kms, in_aws)["ConnectionState"] == "CONNECTED"


def test_aws_gets_a_new_credential(claviger, kms, served):
    store, in_aws, _, _ = served
    rotated = claviger.post(f"cckm/aws/custom-key-stores/{store}/rotate-credential")
    wrong = {"AccessKeyId": rotated["access_key_id"], "RawSecretAccessKey": "x" * 43}
    with pytest.raises(kms.exceptions.XksProxyIncorrectAuthenticationCredentialException):
        kms.update_custom_key_store(CustomKeyStoreId=in_aws, XksProxyAuthenticationCredential=wrong)
    right = wrong | {"RawSecretAccessKey": rotated["secret_access_key"]}
    kms.update_custom_key_store(CustomKeyStoreId=in_aws, XksProxyAuthenticationCredential=right)
    entry = settled(kms, in_aws)
    assert entry["XksProxyConfiguration"]["AccessKeyId"] == rotated["access_key_id"]
    _, key = hyok_key(claviger, kms, served)
    assert kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"])["Plaintext"] == b"text"
