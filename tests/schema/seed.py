"""Fills a lab with real objects, and prints their ids as JSON: for each segment of a path, the ids that may stand after it.

The objects have the names that the examples in the description of the API use, so that the examples find them. `lasting`
are ids for all calls but those that end an object; these get the ids of `passing`.
"""

import json
import os
import ssl
import sys
import urllib.request

URL = os.environ["CLAVIGER_URL"] + "/api/v1"
PASSWORD = os.environ["CLAVIGER_ADMIN_PASSWORD"]
# The certificate of the lab is its own.
CONTEXT = ssl._create_unverified_context()
REGION = "eu-west-3"
OTHER_REGIONS = ["eu-north-1", "eu-west-2", "eu-central-1", "sa-east-1", "us-west-1", "us-west-2"]
# The calls that end an object each take one of so many.
PASSING = 6


def call(method, path, body=None, token=None):
    request = urllib.request.Request(URL + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, context=CONTEXT) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")
    return json.loads(text) if text else None


def main():
    token = call("POST", "/auth/tokens", {"username": "admin", "password": PASSWORD})["jwt"]
    admin = call("GET", "/auth/self/user", None, token)["user_id"]
    ids = {"admin": admin, "lasting": {}, "passing": {}}

    def make(segment, path, bodies, member="id"):
        """Creates one lasting object and some passing ones, one for each body."""
        made = [call("POST", path, body, token)[member] for body in bodies]
        ids["lasting"][segment], ids["passing"][segment] = made[:1], made[1:]
        return made[0]

    def named(name, **members):
        """The bodies of objects that differ in their names only."""
        return [{"name": name if n == 0 else f"{name} {n}", **members} for n in range(PASSING + 1)]

    account = {"account_id": "123456789012", "connection": "test_aws-connection"}
    # A region of an account has one KMS only.
    regions = [[REGION, "us-east-1", "eu-west-1", "ap-south-1"], *([other] for other in OTHER_REGIONS)]
    kms = make("kms", "/cckm/aws/kms", [{**body, "regions": regions[n]} for n, body in enumerate(named("kms", **account))])
    call("POST", "/usermgmt/groups", {"name": "CCKM Clerks"}, token)
    make("groups", "/usermgmt/groups", named("auditors"), "name")
    users = [{"username": "ann" if n == 0 else f"ann{n}", "password": "Lab-secret-4-ann!"} for n in range(PASSING + 1)]
    make("users", "/usermgmt/users", users, "user_id")
    policies = [{"policy_name": f"machines {n}", "inclusive_min_total_length": 12} for n in range(PASSING + 1)]
    make("pwdpolicies", "/usermgmt/pwdpolicies", policies, "policy_name")
    secret = {"access_key_id": "AKIALABUSER1ONLYLAB1", "secret_access_key": "lab-only/user1/not+a+secret/of+any+use01"}
    make("connections", "/connectionmgmt/services/aws/connections", named("spare", **secret))
    source_keys = named("payroll source", algorithm="aes", size=256, unexportable=True, undeletable=True)[:3]
    held = [call("POST", "/vault/keys2", body, token)["id"] for body in source_keys]
    make("keys2", "/vault/keys2", named("payroll-2026", algorithm="aes", size=256))
    virtual = [{"source_key_id": held[n]} for n in range(3)]
    make("virtual", "/cckm/virtual/keys", virtual)
    make("templates", "/cckm/aws/templates", named("payroll keys", account_id=account["account_id"]))
    rotation = {"operation": "cckm_key_rotation", "run_at": "0 9 * * sat", "cckm_key_rotation_params": {"cloud_name": "aws"}}
    schedule = make("job-configs", "/scheduler/job-configs", named("weekly rotation", **rotation))
    run = call("POST", f"/scheduler/job-configs/{schedule}/run-now", None, token)["id"]
    ids["lasting"]["jobs"] = [run]
    make("webhooks", "/alarms/webhooks", named("night shift", url="https://alarms.example.org/claviger"))
    log_group = {"kms": kms, "log_group_name": "aws-cloudtrail-logs-123456789012", "log_group_region": "us-east-1"}
    report = {"report_type": "key-report", "cloud_watch_params": [log_group]}
    make("reports", "/cckm/aws/reports", named("daily", **report))
    keys = [
        {"kms": kms, "region": REGION, "aws_param": {"Alias": f"seed-{n}", "Description": "of the seed"}}
        for n in range(2 * PASSING + 1)
    ]
    make("keys", "/cckm/aws/keys", keys)
    ids["lasting"]["keys"] += [
        call("POST", "/cckm/aws/keys", {"kms": kms, "region": REGION, "aws_param": param}, token)["id"]
        for param in ({"MultiRegion": True}, {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, {"Origin": "EXTERNAL"})
    ]
    everything = {"kms": [kms]}
    make("synchronization-jobs", "/cckm/aws/synchronization-jobs", [everything])
    bulk = {"operation": "enablekey", "keys": ids["lasting"]["keys"][:1]}
    make("bulkjob", "/cckm/aws/bulkjob", [bulk])
    store = {"aws_param": {"xks_proxy_uri_endpoint": "https://xks.example.com"}, "region": "us-east-1", "kms": kms}
    local = {"health_check_key_id": held[0], "max_credentials": 8}
    make("custom-key-stores", "/cckm/aws/custom-key-stores", named("xks", local_hosted_params=local, **store)[:4])
    ids["lasting"]["findings"] = ["policy_everyone", "pending_deletion"]
    json.dump(ids, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
