"""Hooks of schemathesis: real ids in paths, and the few refusals that a description cannot express."""

import json
import os
import re

import schemathesis
from schemathesis.core.parameters import ParameterLocation

with open(os.environ["SCHEMA_IDS"]) as file:
    IDS = json.load(file)

# The last words of paths whose calls end the object or its usefulness, besides DELETE.
ENDING = {"destroy", "archive", "recover", "schedule-deletion", "cancel-deletion", "delete-material", "disable", "block"}

# The reasons of refusals with 400 that depend on what exists, not on the request alone. docs/api.md describes them.
REASONS = {
    "account_mismatch",
    "external_id_alone",
    "key_not_asymmetric",
    "key_not_external",
    "key_not_hyok",
    "region_not_managed",
    "schedule_not_rotating_credentials",
}

# Reasons of refusals with 401 and 403 of requests that have a right form.
UNAUTHENTICATED = {
    "token_expired",  # the run's own token: a slow machine takes longer than it is valid
    "token_revoked",  # another part of the run has ended all sessions but its own
    "credentials_wrong",  # only real passwords are right
    "console_header_missing",  # `cookies` is for pages of the console, which send the header
}

# A request that is valid by the description may be refused with 400 for these members, since JSON Schema cannot say what
# is right for them: the operations (a regular expression), the members (another one), and why.
REFUSALS = [
    (".*", r"run_at|(aws_param\.)?[Pp]olicy", "texts in a language of their own: cron, AWS's policies"),
    (".*", r".*(_date|Date|_time|valid_to)", "times must be ahead, in order, and in the years that can be kept"),
    (r"update\w+", r"name|operation|account_id|kms|policy_name|connection|regions", "may only repeat the value there is, or one at a time"),
    (r"(update|create)SourceKey(Version)?", r"name|algorithm|size|curveid|state|uuid|material|objectType|format|encoding|aliases|muid", "must fit the kind of the key; one line of text"),
    (r"\w+Webhook\w*", r"url|secret", "a URL without credentials, to an address that is allowed; base64 of 24 to 64 bytes"),
    (r"\w+Connection", r"iam_role_anywhere\..*|aws_region|assume_role_arn", "certificates in PEM, ARNs of one account; regions and roles of the partition"),
    (r"\w+CustomKeyStore", r"aws_param\..*|local_hosted_params\..*", "what is required depends on the type of the store"),
    (r"\w+Schedule", r"(cckm|database)_\w+_params.*", "what is required depends on the operation, and on the schedule there is"),
    (r"(importKey|rotateKey)\w*|rotateKey|uploadKey", r"source_key_identifier|import_type|key_material_id", "what is required depends on the key"),
    (r"enableKeyRotationJob", r"auto_rotate_key_source", "depends on the origin of the key's material"),
    (r"listUsableKeys|getKeyAccess", r"principal", "ARNs, accounts and services of AWS, given once"),
    (r"getKeyAccess", r"days", "needs another member of the query"),
    (r"linkCustomKeyStore", r"caller_rules|enable_success_audit_event|local_hosted_params.*", "must be empty, in any form"),
    (r"updateConnection|updateKms", r"assume_role_arn|assume_role_external_id", "must fit what is not changed"),
    (r"\w+Prometheus\w*", r"enabled", "may only repeat what the path says"),
    (r"\w+Syslog\w*", r"caCert|ca_cert|host", "certificates, required for one of the transports; IPv6 addresses"),
    (r"revokeToken", r"refresh_token", "required without the cookie of the console"),
    (r"createTemplate", r"account_id", "an account that has a KMS"),
    (r"getPermissions", r"assume_role_arn|assume_role_external_id", "members of a query that need each other"),
    (r"startBulkJob", r"filter|rotated_by|tags|\w+_(after|before)", "the filters of the list of keys; keys must match"),
    (r"list\w+|downloadAuditRecords", r"\w+(_after|_before|After|Before)", "times in the years that can be kept"),
    (r"downloadAuditRecords", r"fields", "a file has all members"),
    (r"exportSourceKey", r"format|encoding|wrap\w*|pemWrap", "must fit the kind of the key"),
    (r"\w+", r"for", "words with commas between them"),
    (".*", r"If-Match", "an ETag, of calls that change what has a version"),
    (r"addKeyTags|removeKeyTags|\w+Key", r"(aws_param\.)?[Tt]ags", "the keys of tags must differ, and have letters and digits of any script"),
]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Gives the parameters of paths the ids of real objects. If the run has parts, keeps the paths of this part."""
    part = os.environ.get("SCHEMA_PART")
    if part == "stateful":
        # What a dry run created is not there for the next call.
        for methods in raw_schema["paths"].values():
            for operation in methods.values():
                operation["parameters"] = [one for one in operation.get("parameters", []) if one["name"] != "dry_run"]
    elif part:
        raw_schema["paths"] = {path: raw_schema["paths"][path] for path in list(raw_schema["paths"])[int(part) :: 2]}
    for path, methods in raw_schema["paths"].items():
        segments = path.strip("/").split("/")
        for method, operation in methods.items():
            ends = method == "delete" or segments[-1] in ENDING
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "path":
                    continue
                at = segments.index("{" + parameter["name"] + "}")
                kind = "virtual" if segments[at - 2 : at] == ["virtual", "keys"] else segments[at - 1]
                ids = IDS["passing" if ends else "lasting"].get(kind)
                if ids:
                    parameter["schema"]["enum"] = ids


@schemathesis.hook
def filter_case(context, case):
    """Leaves the user alone as whom all calls are made: without it the run would test a locked door."""
    if case.method in ("PATCH", "DELETE", "POST") and IDS["admin"] in (case.path_parameters or {}).values():
        return False
    body = case.body if isinstance(case.body, dict) else {}
    return str(body.get("username")).lower() != "admin"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure counts."""
    if type(failure).__name__ == "AcceptedNegativeData" and case.path_parameters:
        # The paths are restricted to the objects of the seed here only; the name of another object is as valid.
        path = case.meta.components.get(ParameterLocation.PATH) if case.meta else None
        return path is None or path.mode.is_positive
    # The past of what was deleted stays.
    if type(failure).__name__ == "UseAfterFree" and case.path.endswith("/history"):
        return False
    # `fields` leaves members out.
    if type(failure).__name__ == "JsonSchemaError" and (case.query or {}).get("fields"):
        return "is a required property" not in failure.message
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code not in (400, 401, 403):
        return True
    refusal = response.json()
    name = case.operation.definition.raw.get("operationId", "")
    if response.status_code in (401, 403):
        # The endpoint of Prometheus has a token of its own, which the run does not send.
        return refusal.get("reason") not in UNAUTHENTICATED and name != "getMetricsByToken"
    if refusal.get("reason") in REASONS:
        return False
    # The patterns of names are for characters of 16 bits.
    if re.search(r"invisible characters \(U\+E0[0-9A-F]{3}\)", refusal["message"]):
        return False
    # JSON Schema takes 7.0 for a whole number.
    if "expected a whole number" in refusal["message"]:
        return False
    member = refusal.get("member") or ""
    return not any(re.fullmatch(operations, name) and re.fullmatch(members, member) for operations, members, _ in REFUSALS)

