"""Makes a user who may do exactly what a policy says, for moto with enforcement switched on.

usage: caller.py ENDPOINT NAME POLICY_JSON
Prints {"id": ..., "secret": ...}; a user who is there already gets the policy instead of the one before, and no new key.
Moto compares a statement's Action only: it holds every Resource that is not `*` for another resource and every Condition
for unmet. So Resource is widened and Condition dropped here, and it is the set of actions that is judged.
"""

import json
import sys

import boto3


def main():
    endpoint, name, policy = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    for statement in policy["Statement"]:
        statement["Resource"] = "*"
        statement.pop("Condition", None)
    iam = boto3.client("iam", region_name="us-east-1", endpoint_url=endpoint)
    key = {}
    try:
        iam.create_user(UserName=name)
        answer = iam.create_access_key(UserName=name)["AccessKey"]
        key = {"id": answer["AccessKeyId"], "secret": answer["SecretAccessKey"]}
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    iam.put_user_policy(UserName=name, PolicyName="judged", PolicyDocument=json.dumps(policy))
    print(json.dumps(key))


if __name__ == "__main__":
    main()
