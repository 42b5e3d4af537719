"""Sends every request that our drivers for AWS can make to moto and to the simulator, and compares what they answer.

usage: simulator.py MOTO SIMULATOR SOURCES
MOTO and SIMULATOR are URLs of two empty accounts, SOURCES is the folder providers/aws/src, whose calls must all be made.
Who is right where the two differ stands in simulator_differences.json. Any other difference is a failure, and so is one
that stands there and is not seen."""

import json
import pathlib
import re
import sys

from duel import balancing, clearing, identity, machines, names, network, objects
from duel.duel import Duel

HERE = pathlib.Path(__file__).parent
SCENARIOS = (network, identity, machines, balancing, names, objects, clearing)
CALL = re.compile(r'"((?:ec2|elasticloadbalancing|autoscaling|iam|route53|ssm|sts):[A-Z][A-Za-z0-9]+)"')
# Permissions, a condition, and words for several calls of one kind.
NO_CALLS = {"iam:PassRole", "iam:CreateServiceLinkedRole", "iam:AWSServiceName", "route53:Request",
            "ec2:AuthorizeSecurityGroup", "ec2:Create", "ec2:Run"}
# The store speaks to S3 by another library, which names no actions.
OBJECTS = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListObjectsV2"}


def wanted(sources):
    """The calls that the code names in its errors, which is every one it makes, and those of the policy."""
    calls = set(OBJECTS)
    for path in sorted(sources.rglob("*.rs")):
        lowered = "lower" in path.parts and path.name != "policy.rs"
        if not lowered and path.name not in ("tests.rs", "testing.rs", "faults.rs"):
            calls.update(CALL.findall(path.read_text().split("#[cfg(test)]\nmod tests {")[0]))
    assert len(calls) > 100, f"only {len(calls)} calls are named in {sources}"
    return calls - NO_CALLS


def main():
    moto, simulator, sources = sys.argv[1:4]
    listed = json.loads((HERE / "simulator_differences.json").read_text())
    duel = Duel(moto, simulator, listed)
    for scenario in SCENARIOS:
        scenario.play(duel)
    violations = duel.close(wanted(pathlib.Path(sources)))
    for violation in violations:
        print(violation)
    as_listed = duel.differences - len(duel.unlisted)
    print(f"{duel.calls} calls of {len(duel.covered)} actions: {duel.fields} fields, "
          f"{duel.fields - duel.differences} equal, {as_listed} differ as listed in {len(listed)} entries, "
          f"{len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
