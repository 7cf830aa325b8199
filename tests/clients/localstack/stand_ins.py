"""Modules in place of those of LocalStack that its tests import.

LocalStack's own modules need a newer Python and its whole program. The tests that are validated at AWS use a few
functions and constants of them.
"""

import sys
import types


def install(source):
    """Makes `localstack` importable: from the clone in `source`, except for the modules of this file."""
    sys.path.insert(0, str(source / "localstack-core"))
    for name, members in STAND_INS.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module


def get_hash_algorithm(signing_algorithm):
    return "_".join(signing_algorithm.split("_")[-2:])


def not_available(*_arguments, **_options):
    raise NotImplementedError("only tests that do not run at AWS call this")


STAND_INS = {
    "localstack.version": {"__version__": "0"},
    # Types, and a pattern that only other services use.
    "localstack.aws.api.secretsmanager": {"CreateSecretResponse": dict},
    "localstack.aws.api.stepfunctions": {
        "CreateStateMachineOutput": dict,
        "LongArn": str,
        "StartExecutionOutput": dict,
        "StartSyncExecutionOutput": dict,
    },
    "localstack.utils.net": {"IP_REGEX": r"\d+\.\d+\.\d+\.\d+"},
    "localstack.services.kms.models": {
        # A test cuts this many bytes off a ciphertext.
        "HEADER_LEN": 68,
        "IV_LEN": 16,
        # AWS has raised its limit since LocalStack copied it.
        "ON_DEMAND_ROTATION_LIMIT": 25,
        "Ciphertext": not_available,
        "_serialize_ciphertext_blob": not_available,
    },
    "localstack.services.kms.utils": {"get_hash_algorithm": get_hash_algorithm},
    "localstack.testing.aws.util": {
        "in_default_partition": lambda: True,
        # Tests wait longer at AWS.
        "is_aws_cloud": lambda: False,
        "create_client_with_keys": not_available,
    },
    "localstack.utils.aws.request_context": {"mock_aws_request_headers": not_available},
    "localstack.utils.crypto": {"encrypt": not_available},
}
