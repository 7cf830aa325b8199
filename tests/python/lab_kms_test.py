"""Tests of the lab cloud's KMS with boto3 and the AWS CLI; the library `cryptography` checks the results.

The lab cloud must be running; lab_cloud_test.py has the variables. Every test creates its own keys.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lab_cloud_test import ENDPOINT, KEY_ID, SECRET, client, control, lab_user, refusal

REGION = "eu-central-1"
DAY = 86_400
CURVES = {
    "ECC_NIST_P256": (ec.SECP256R1(), hashes.SHA256(), "ECDSA_SHA_256"),
    "ECC_NIST_P384": (ec.SECP384R1(), hashes.SHA384(), "ECDSA_SHA_384"),
    "ECC_NIST_P521": (ec.SECP521R1(), hashes.SHA512(), "ECDSA_SHA_512"),
    "ECC_SECG_P256K1": (ec.SECP256K1(), hashes.SHA256(), "ECDSA_SHA_256"),
}
RSA_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


@pytest.fixture
def kms():
    return client("kms", REGION)


@pytest.fixture
def clock():
    """Sets the clock of KMS ahead, and back after the test; changes by the clock stay."""
    yield lambda days: control("PUT", "clock", {"ahead_seconds": days * DAY})
    control("PUT", "clock", {"ahead_seconds": 0})


def make(kms, **ask):
    return kms.create_key(**ask)["KeyMetadata"]["KeyId"]


def raises(kms, name, call, **ask):
    """Asserts that a call is refused with this exception of botocore; returns the message."""
    with pytest.raises(getattr(kms.exceptions, name)) as caught:
        call(**ask)
    return caught.value.response["Error"]["Message"]


def oaep(hash):
    return padding.OAEP(padding.MGF1(hash), hash, None)


def wrap(kms, key, material, algorithm="RSAES_OAEP_SHA_256", size="RSA_4096"):
    """The import parameters, with the wrapped material."""
    given = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=size)
    public = serialization.load_der_public_key(given["PublicKey"])
    assert public.key_size == int(size[4:])
    hash = hashes.SHA256() if algorithm.endswith("256") else hashes.SHA1()
    if algorithm.startswith("RSAES"):
        wrapped = public.encrypt(material, oaep(hash))
    else:
        between = os.urandom(32)
        wrapped = public.encrypt(between, oaep(hash)) + keywrap.aes_key_wrap_with_padding(between, material)
    return {"KeyId": key, "ImportToken": given["ImportToken"], "EncryptedKeyMaterial": wrapped}


def bring(kms, key, material, algorithm="RSAES_OAEP_SHA_256", **more):
    parcel = wrap(kms, key, material, algorithm, more.pop("size", "RSA_4096"))
    return kms.import_key_material(**parcel, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **more)


def pkcs8(private):
    return private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def spki(public):
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def sealed_by_hand(key, material, text, context=None):
    """A ciphertext in the format of src/lab/kms/crypto.rs."""
    data = json.dumps(context, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() if context else b""
    nonce = os.urandom(12)
    header = bytes.fromhex("0102020078") + hashlib.sha256(key.encode() + material).digest() + b"\1" + os.urandom(16)
    sealed = AESGCM(material).encrypt(nonce, bytes(11) + text, header + data)
    assert len(sealed) < 60  # All lengths of the envelope have one byte.
    envelope = (
        bytes([0x30, 65 + len(sealed)]) + bytes.fromhex("06092a864886f70d010706a0") + bytes([52 + len(sealed), 0x30])
        + bytes([50 + len(sealed)]) + bytes.fromhex("02010030") + bytes([45 + len(sealed)])
        + bytes.fromhex("06092a864886f70d010701301e060960864801650304012e3011040c") + nonce
        + bytes.fromhex("02011080") + bytes([len(sealed)]) + sealed
    )
    return header + len(envelope).to_bytes(4, "big") + envelope


class TestKeys:
    def test_a_life(self, kms):
        key = kms.create_key(Description="first", Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
        assert key["KeyState"] == "Enabled" and key["KeyManager"] == "CUSTOMER" and key["Origin"] == "AWS_KMS"
        assert abs((datetime.datetime.now(datetime.timezone.utc) - key["CreationDate"]).total_seconds()) < 60
        id = key["KeyId"]
        assert kms.describe_key(KeyId=key["Arn"])["KeyMetadata"] == key
        kms.update_key_description(KeyId=id, Description="second")
        kms.disable_key(KeyId=id)
        now = kms.describe_key(KeyId=id)["KeyMetadata"]
        assert (now["Description"], now["KeyState"], now["Enabled"]) == ("second", "Disabled", False)
        raises(kms, "DisabledException", kms.encrypt, KeyId=id, Plaintext=b"x")
        kms.enable_key(KeyId=id)
        assert kms.list_resource_tags(KeyId=id)["Tags"] == [{"TagKey": "team", "TagValue": "blue"}]
        kms.tag_resource(KeyId=id, Tags=[{"TagKey": "team", "TagValue": "red"}, {"TagKey": "b", "TagValue": ""}])
        kms.untag_resource(KeyId=id, TagKeys=["b"])
        assert kms.list_resource_tags(KeyId=id)["Tags"] == [{"TagKey": "team", "TagValue": "red"}]
        assert kms.list_grants(KeyId=id)["Grants"] == []
        answer = kms.schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
        assert answer["KeyState"] == "PendingDeletion"
        left = answer["DeletionDate"] - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(days=6.9) < left <= datetime.timedelta(days=7)
        message = raises(kms, "KMSInvalidStateException", kms.enable_key, KeyId=id)
        assert message == f"{key['Arn']} is pending deletion."
        kms.cancel_key_deletion(KeyId=id)
        assert kms.describe_key(KeyId=id)["KeyMetadata"]["KeyState"] == "Disabled"

    def test_every_spec(self, kms):
        for spec, usage in [
            ("RSA_2048", "ENCRYPT_DECRYPT"), ("RSA_3072", "SIGN_VERIFY"), ("RSA_4096", "SIGN_VERIFY"),
            ("ECC_NIST_P256", "SIGN_VERIFY"), ("ECC_NIST_P384", "KEY_AGREEMENT"), ("ECC_NIST_P521", "SIGN_VERIFY"),
            ("ECC_SECG_P256K1", "SIGN_VERIFY"), ("HMAC_224", "GENERATE_VERIFY_MAC"),
            ("HMAC_256", "GENERATE_VERIFY_MAC"), ("HMAC_384", "GENERATE_VERIFY_MAC"),
            ("HMAC_512", "GENERATE_VERIFY_MAC"), ("ML_DSA_44", "SIGN_VERIFY"), ("ML_DSA_65", "SIGN_VERIFY"),
            ("ML_DSA_87", "SIGN_VERIFY"), ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
            ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"),
        ]:  # fmt: skip
            key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
            assert (key["KeySpec"], key["KeyUsage"]) == (spec, usage)
        raises(kms, "UnsupportedOperationException", kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY")
        china = client("kms", "cn-north-1", **lab_user("cn-user"))
        assert china.create_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["SigningAlgorithms"] == ["SM2DSA"]

    def test_what_is_not_there(self, kms):
        unknown = "00000000-0000-4000-8000-000000000000"
        message = raises(kms, "NotFoundException", kms.describe_key, KeyId=unknown)
        assert message == f"Key 'arn:aws:kms:{REGION}:123456789012:key/{unknown}' does not exist"
        raises(kms, "NotFoundException", kms.describe_key, KeyId="alias/none")
        raises(kms, "InvalidArnException", kms.describe_key, KeyId="arn:aws:kms:nonsense")
        assert refusal(kms.create_key, KeySpec="RSA_2048")[0] == "ValidationException"
        assert refusal(kms.create_key, KeySpec="RSA_1")[2].startswith("1 validation error detected: Value 'RSA_1' at")
        powerless = client("kms", REGION, **lab_user("powerless"))
        assert refusal(powerless.list_keys)[:2] == ("AccessDeniedException", 400)

    def test_pages(self, kms):
        made = {make(kms) for _ in range(12)}
        pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 5}))
        assert len(pages) > 2 and made <= {key["KeyId"] for page in pages for key in page["Keys"]}
        raises(kms, "InvalidMarkerException", kms.list_keys, Marker="nonsense")

    def test_keys_of_awss_own(self, kms):
        key = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
        assert key["KeyManager"] == "AWS"
        assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
        assert refusal(kms.schedule_key_deletion, KeyId=key["KeyId"])[0] == "AccessDeniedException"

    def test_faults_and_counted_calls(self, kms):
        control("DELETE", "calls")
        for answer, code, status in [
            ("throttle", "ThrottlingException", 400),
            ("internal", "KMSInternalException", 500),
            ("deny", "AccessDeniedException", 400),
        ]:
            control("PUT", "faults", [{"service": "kms", "operation": "ListKeys", "answer": answer}])
            assert refusal(kms.list_keys)[:2] == (code, status)
        assert control("GET", "calls")["kms:ListKeys"] == {REGION: 3}


class TestAliasesTagsAndPolicies:
    def test_aliases(self, kms):
        one, two = make(kms), make(kms)
        name = f"alias/tour/{one}"
        kms.create_alias(AliasName=name, TargetKeyId=one)
        raises(kms, "AlreadyExistsException", kms.create_alias, AliasName=name, TargetKeyId=two)
        raises(kms, "InvalidAliasNameException", kms.create_alias, AliasName="alias/aws/x", TargetKeyId=one)
        (alias,) = kms.list_aliases(KeyId=one)["Aliases"]
        assert alias["AliasArn"] == f"arn:aws:kms:{REGION}:123456789012:{name}" and alias["TargetKeyId"] == one
        kms.update_alias(AliasName=name, TargetKeyId=two)
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == two
        pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 3})
        assert name in [alias["AliasName"] for page in pages for alias in page["Aliases"]]
        kms.delete_alias(AliasName=name)
        raises(kms, "NotFoundException", kms.delete_alias, AliasName=name)

    def test_tags(self, kms):
        key = make(kms)
        tags = [{"TagKey": f"t{number}", "TagValue": "v"} for number in range(51)]
        raises(kms, "TagException", kms.tag_resource, KeyId=key, Tags=tags)
        raises(kms, "TagException", kms.tag_resource, KeyId=key, Tags=[{"TagKey": "aws:x", "TagValue": "v"}])
        kms.tag_resource(KeyId=key, Tags=tags[:50])
        pages = kms.get_paginator("list_resource_tags").paginate(KeyId=key, PaginationConfig={"PageSize": 20})
        assert len([tag for page in pages for tag in page["Tags"]]) == 50

    def test_policies(self, kms):
        key = make(kms)
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
        assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
        policy["Statement"][0]["Action"] = ["kms:Decrypt", "kms:GetKeyPolicy"]
        policy["Statement"][0]["Condition"] = {"Bool": {"aws:ViaAWSService": False}}
        put = {"KeyId": key, "PolicyName": "default", "Policy": json.dumps(policy)}
        message = raises(kms, "MalformedPolicyDocumentException", kms.put_key_policy, **put)
        assert message == "The new key policy will not allow you to update the key policy in the future."
        kms.put_key_policy(**put, BypassPolicyLockoutSafetyCheck=True)
        policy["Statement"][0]["Condition"]["Bool"]["aws:ViaAWSService"] = "false"
        assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == policy
        assert refusal(kms.put_key_policy, **put)[0] == "AccessDeniedException"
        raises(kms, "MalformedPolicyDocumentException", kms.create_key, Policy="{")

    def test_grants(self, kms):
        key = make(kms)
        grantee = "arn:aws:iam::123456789012:user/powerless"
        wanted = {"KeyId": key, "GranteePrincipal": grantee, "RetiringPrincipal": grantee, "Name": "one",
                  "Operations": ["Decrypt", "Encrypt"], "Constraints": {"EncryptionContextSubset": {"a": "b"}}}
        grant = kms.create_grant(**wanted)
        assert kms.create_grant(**wanted)["GrantId"] == grant["GrantId"]
        [listed] = kms.list_grants(KeyId=key)["Grants"]
        assert listed["Operations"] == ["Decrypt", "Encrypt"]
        assert listed["Constraints"] == wanted["Constraints"]
        kms.encrypt(KeyId=key, Plaintext=b"text", GrantTokens=[grant["GrantToken"]])
        raises(kms, "InvalidGrantTokenException", kms.encrypt, KeyId=key, Plaintext=b"text", GrantTokens=["x"])
        assert len(kms.list_retirable_grants(RetiringPrincipal=grantee)["Grants"]) == 1
        kms.retire_grant(GrantToken=grant["GrantToken"])
        grant = kms.create_grant(**wanted)
        kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
        assert kms.list_grants(KeyId=key)["Grants"] == []


class TestSymmetricKeys:
    def test_encryption(self, kms):
        one, two = make(kms), make(kms)
        context = {"purpose": "tour", "ä": "ö"}
        sealed = kms.encrypt(KeyId=one, Plaintext=b"text", EncryptionContext=context)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == b"text"
        raises(kms, "InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed)
        raises(kms, "IncorrectKeyException", kms.decrypt, CiphertextBlob=sealed, EncryptionContext=context, KeyId=two)
        moved = kms.re_encrypt(CiphertextBlob=sealed, SourceEncryptionContext=context, DestinationKeyId=two)
        assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=two)["Plaintext"] == b"text"
        raises(kms, "DryRunOperationException", kms.encrypt, KeyId=one, Plaintext=b"x", DryRun=True)

    def test_data_keys(self, kms):
        key = make(kms)
        made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
        assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
        assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=64)
        assert len(kms.generate_random(NumberOfBytes=99)["Plaintext"]) == 99
        pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
        private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
        assert spki(private.public_key()) == pair["PublicKey"]

    def test_rotation(self, kms, clock):
        key = make(kms)
        sealed = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        kms.rotate_key_on_demand(KeyId=key)
        kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
        status = kms.get_key_rotation_status(KeyId=key)
        assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 100
        clock(101)
        rotations = kms.list_key_rotations(KeyId=key)["Rotations"]
        assert [rotation["RotationType"] for rotation in rotations] == ["ON_DEMAND", "AUTOMATIC"]
        assert rotations[1]["RotationDate"] == status["NextRotationDate"]
        all = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        assert [entry["KeyMaterialState"] for entry in all] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
        opened = kms.decrypt(CiphertextBlob=sealed)
        assert opened["Plaintext"] == b"text" and opened["KeyMaterialId"] == all[0]["KeyMaterialId"]
        kms.disable_key_rotation(KeyId=key)
        assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]

    def test_deletion(self, kms, clock):
        key = make(kms)
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        clock(8)
        raises(kms, "NotFoundException", kms.describe_key, KeyId=key)


class TestPairs:
    def test_elliptic_curves_both_ways(self, kms):
        for spec, (_, hash, algorithm) in CURVES.items():
            key = make(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY")
            public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
            signature = kms.sign(KeyId=key, Message=b"text", SigningAlgorithm=algorithm)["Signature"]
            public.verify(signature, b"text", ec.ECDSA(hash))
            with pytest.raises(InvalidSignature):
                public.verify(signature, b"other", ec.ECDSA(hash))
            digest = hashes.Hash(hash)
            digest.update(b"text")
            ask = {"KeyId": key, "Message": digest.finalize(), "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
            public.verify(kms.sign(**ask)["Signature"], ask["Message"], ec.ECDSA(utils.Prehashed(hash)))
            assert kms.verify(**ask, Signature=signature)["SignatureValid"]

    def test_rsa_both_ways(self, kms):
        key = make(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
        for size, hash in RSA_HASHES.items():
            for algorithm, scheme in [
                (f"RSASSA_PKCS1_V1_5_SHA_{size}", padding.PKCS1v15()),
                (f"RSASSA_PSS_SHA_{size}", padding.PSS(padding.MGF1(hash), hash.digest_size)),
            ]:
                ask = {"KeyId": key, "Message": b"text", "SigningAlgorithm": algorithm}
                signature = kms.sign(**ask)["Signature"]
                public.verify(signature, b"text", scheme, hash)
                assert kms.verify(**ask, Signature=signature)["SignatureValid"]
                raises(kms, "KMSInvalidSignatureException", kms.verify, **ask, Signature=b"x" * 256)
        raises(
            kms, "InvalidKeyUsageException", kms.sign, KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256"
        )  # fmt: skip
        key = make(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
        for algorithm, hash in [("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256())]:
            sealed = public.encrypt(b"text", oaep(hash))
            ask = {"KeyId": key, "EncryptionAlgorithm": algorithm}
            assert kms.decrypt(**ask, CiphertextBlob=sealed)["Plaintext"] == b"text"
            sealed = kms.encrypt(**ask, Plaintext=b"text")["CiphertextBlob"]
            assert kms.decrypt(**ask, CiphertextBlob=sealed)["Plaintext"] == b"text"

    def test_edwards_curve_and_ml_dsa(self, kms):
        key = make(kms, KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
        assert isinstance(public, ed25519.Ed25519PublicKey)
        ask = {"KeyId": key, "Message": b"text", "SigningAlgorithm": "ED25519_SHA_512"}
        public.verify(kms.sign(**ask)["Signature"], b"text")
        key = make(kms, KeySpec="ML_DSA_65", KeyUsage="SIGN_VERIFY")
        ask = {"KeyId": key, "Message": b"text", "SigningAlgorithm": "ML_DSA_SHAKE_256"}
        signature = kms.sign(**ask)["Signature"]
        assert kms.verify(**ask, Signature=signature)["SignatureValid"]
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
        public.verify(signature, b"text")

    def test_key_agreement(self, kms):
        key = make(kms, KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
        own = ec.generate_private_key(ec.SECP384R1())
        ask = {"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": spki(own.public_key())}
        assert kms.derive_shared_secret(**ask)["SharedSecret"] == own.exchange(ec.ECDH(), public)

    def test_macs(self, kms):
        key = make(kms, KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")
        ask = {"KeyId": key, "Message": b"text", "MacAlgorithm": "HMAC_SHA_512"}
        mac = kms.generate_mac(**ask)["Mac"]
        assert kms.verify_mac(**ask, Mac=mac)["MacValid"]
        raises(kms, "KMSInvalidMacException", kms.verify_mac, **ask, Mac=b"x" * 64)


class TestImport:
    @pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"])
    @pytest.mark.parametrize("size", ["RSA_2048", "RSA_3072", "RSA_4096"])
    def test_symmetric(self, kms, algorithm, size):
        key = make(kms, Origin="EXTERNAL")
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
        raises(kms, "KMSInvalidStateException", kms.encrypt, KeyId=key, Plaintext=b"x")
        material = os.urandom(32)
        id = bring(kms, key, material, algorithm, size=size)["KeyMaterialId"]
        now = kms.describe_key(KeyId=key)["KeyMetadata"]
        assert (now["KeyState"], now["CurrentKeyMaterialId"]) == ("Enabled", id)
        # The lab has the imported key: it decrypts what was encrypted here with the material.
        for context in [None, {"b": "2", "a": "ä"}]:
            ask = {"EncryptionContext": context} if context else {}
            opened = kms.decrypt(CiphertextBlob=sealed_by_hand(key, material, b"text", context), **ask)
            assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"text", id)
        sealed = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        kms.delete_imported_key_material(KeyId=key)
        raises(kms, "KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed)
        other = wrap(kms, key, os.urandom(32)) | {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        raises(kms, "IncorrectKeyMaterialException", kms.import_key_material, **other)
        bring(kms, key, material, ImportType="EXISTING_KEY_MATERIAL", KeyMaterialId=id)
        assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"text"

    def test_elliptic_curves(self, kms):
        for spec, (curve, hash, algorithm) in CURVES.items():
            private = ec.generate_private_key(curve)
            key = make(kms, Origin="EXTERNAL", KeySpec=spec, KeyUsage="SIGN_VERIFY")
            bring(kms, key, pkcs8(private), "RSA_AES_KEY_WRAP_SHA_256")
            assert kms.get_public_key(KeyId=key)["PublicKey"] == spki(private.public_key())
            ask = {"KeyId": key, "Message": b"text", "SigningAlgorithm": algorithm}
            private.public_key().verify(kms.sign(**ask)["Signature"], b"text", ec.ECDSA(hash))
            assert kms.verify(**ask, Signature=private.sign(b"text", ec.ECDSA(hash)))["SignatureValid"]
            bring(kms, key, pkcs8(private), "RSAES_OAEP_SHA_256")
            another = wrap(kms, key, pkcs8(ec.generate_private_key(curve)), "RSA_AES_KEY_WRAP_SHA_1")
            another["ExpirationModel"] = "KEY_MATERIAL_DOES_NOT_EXPIRE"
            raises(kms, "IncorrectKeyMaterialException", kms.import_key_material, **another)

    @pytest.mark.parametrize("bits", [2048, 3072, 4096])
    def test_rsa(self, kms, bits):
        private = rsa.generate_private_key(65537, bits)
        scheme = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        key = make(kms, Origin="EXTERNAL", KeySpec=f"RSA_{bits}", KeyUsage="SIGN_VERIFY")
        bring(kms, key, pkcs8(private), "RSA_AES_KEY_WRAP_SHA_256")
        ask = {"KeyId": key, "Message": b"text", "SigningAlgorithm": "RSASSA_PSS_SHA_384"}
        private.public_key().verify(kms.sign(**ask)["Signature"], b"text", scheme, hashes.SHA384())
        signature = private.sign(b"text", scheme, hashes.SHA384())
        assert kms.verify(**ask, Signature=signature)["SignatureValid"]
        key = make(kms, Origin="EXTERNAL", KeySpec=f"RSA_{bits}", KeyUsage="ENCRYPT_DECRYPT")
        bring(kms, key, pkcs8(private), "RSA_AES_KEY_WRAP_SHA_1")
        ask = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
        sealed = private.public_key().encrypt(b"text", oaep(hashes.SHA256()))
        assert kms.decrypt(**ask, CiphertextBlob=sealed)["Plaintext"] == b"text"
        sealed = kms.encrypt(**ask, Plaintext=b"text")["CiphertextBlob"]
        assert private.decrypt(sealed, oaep(hashes.SHA256())) == b"text"

    def test_macs(self, kms):
        for bits, length in [(224, 28), (256, 32), (384, 48), (512, 64)]:
            material = os.urandom(length)
            key = make(kms, Origin="EXTERNAL", KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
            bring(kms, key, material)
            ask = {"KeyId": key, "Message": b"text", "MacAlgorithm": f"HMAC_SHA_{bits}"}
            mac = hmac.digest(material, b"text", f"sha{bits}")
            assert kms.generate_mac(**ask)["Mac"] == mac
            assert kms.verify_mac(**ask, Mac=mac)["MacValid"]
            short = wrap(kms, key, material[1:]) | {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
            raises(kms, "IncorrectKeyMaterialException", kms.import_key_material, **short)

    def test_china(self):
        kms = client("kms", "cn-north-1", **lab_user("cn-user"))
        key, material = make(kms, Origin="EXTERNAL"), os.urandom(16)
        bring(kms, key, material)
        assert kms.decrypt(CiphertextBlob=sealed_by_hand(key, material, b"text"))["Plaintext"] == b"text"

    def test_expiry_and_tokens(self, kms, clock):
        key, other, material = make(kms, Origin="EXTERNAL"), make(kms, Origin="EXTERNAL"), os.urandom(32)
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        parcel = wrap(kms, key, material)
        raises(kms, "InvalidImportTokenException", kms.import_key_material, **parcel | {"KeyId": other},
               ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")  # fmt: skip
        raises(kms, "InvalidCiphertextException", kms.import_key_material, **parcel | {"EncryptedKeyMaterial": b"x"},
               ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")  # fmt: skip
        for days in [-1, 366]:
            valid_to = now + datetime.timedelta(days=days)
            assert refusal(kms.import_key_material, **parcel, ValidTo=valid_to)[0] == "ValidationException"
        valid_to = now + datetime.timedelta(days=2)
        kms.import_key_material(**parcel, ValidTo=valid_to, ExpirationModel="KEY_MATERIAL_EXPIRES")
        described = kms.describe_key(KeyId=key)["KeyMetadata"]
        assert (described["ExpirationModel"], described["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
        clock(3)
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
        raises(kms, "ExpiredImportTokenException", kms.import_key_material, **parcel,
               ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")  # fmt: skip
        raises(kms, "UnsupportedOperationException", kms.get_parameters_for_import, KeyId=make(kms),
               WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")  # fmt: skip

    def test_new_material_and_rotation(self, kms):
        key = make(kms, Origin="EXTERNAL")
        one = bring(kms, key, os.urandom(32), KeyMaterialDescription="one")["KeyMaterialId"]
        sealed = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        two = bring(kms, key, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
        all = {"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
        entries = kms.list_key_rotations(**all)["Rotations"]
        assert [(entry["KeyMaterialId"], entry["KeyMaterialState"], entry["ImportState"]) for entry in entries] == [
            (one, "CURRENT", "IMPORTED"),
            (two, "PENDING_ROTATION", "IMPORTED"),
        ]
        assert entries[0]["KeyMaterialDescription"] == "one"
        kms.rotate_key_on_demand(KeyId=key)
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == two
        assert kms.decrypt(CiphertextBlob=sealed)["KeyMaterialId"] == one
        raises(kms, "KMSInvalidStateException", kms.rotate_key_on_demand, KeyId=key)


class TestMultiRegionKeys:
    def test_a_life(self, kms):
        there = client("kms", "us-west-2")
        key = make(kms, MultiRegion=True)
        assert key.startswith("mrk-")
        answer = kms.replicate_key(KeyId=key, ReplicaRegion="us-west-2", Description="replica")
        assert answer["ReplicaKeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
        assert answer["ReplicaKeyMetadata"]["KeyState"] == "Creating" and "ReplicaTags" not in answer
        while there.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Creating":
            time.sleep(0.05)
        sealed = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        assert there.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"text"
        raises(kms, "AlreadyExistsException", kms.replicate_key, KeyId=key, ReplicaRegion="us-west-2")
        kms.update_primary_region(KeyId=key, PrimaryRegion="us-west-2")
        configuration = there.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
        assert configuration["MultiRegionKeyType"] == "PRIMARY"
        assert configuration["PrimaryKey"]["Region"] == "us-west-2"
        assert [replica["Region"] for replica in configuration["ReplicaKeys"]] == [REGION]
        state = there.schedule_key_deletion(KeyId=key, PendingWindowInDays=8)
        assert (state["KeyState"], state["PendingWindowInDays"]) == ("PendingReplicaDeletion", 8)
        there.cancel_key_deletion(KeyId=key)


def test_the_command_line(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_ENDPOINT_URL": ENDPOINT,
    }

    def aws(*arguments):
        command = [sys.executable, str(Path(sys.executable).parent / "aws"), "kms", *arguments, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    key = aws("create-key", "--description", "by hand", "--tags", "TagKey=a,TagValue=b")["KeyMetadata"]["KeyId"]
    assert aws("create-alias", "--alias-name", f"alias/cli-{key}", "--target-key-id", key) is None
    text = tmp_path / "text"
    text.write_bytes(b"text")
    sealed = aws("encrypt", "--key-id", f"alias/cli-{key}", "--plaintext", f"fileb://{text}")["CiphertextBlob"]
    (tmp_path / "sealed").write_bytes(base64.b64decode(sealed))
    assert aws("decrypt", "--ciphertext-blob", f"fileb://{tmp_path / 'sealed'}")["Plaintext"] == "dGV4dA=="
    assert aws("schedule-key-deletion", "--key-id", key, "--pending-window-in-days", "7")["KeyState"] == "PendingDeletion"
