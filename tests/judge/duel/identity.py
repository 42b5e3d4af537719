"""Roles, instance profiles, keys, and what nodes leave in parameters."""

import json

from .common import OWNER, by_tag, tagged

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]})
OTHER = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {"Service": "ec2.amazonaws.com"}}]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Sid": "Own", "Effect": "Allow", "Action": ["ssm:GetParameter"], "Resource": "arn:aws:ssm:*:*:parameter/a/*"}]})
PATH = f"/clusterctl/{OWNER}/workers/"
KEY = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f judge@example")


def play(duel):
    roles(duel)
    profiles(duel)
    keys(duel)
    parameters(duel)


def roles(duel):
    call = duel.call
    role = {"RoleName": "demo-workers", "Path": PATH, "AssumeRolePolicyDocument": TRUST}
    call("iam.create_role", "ours", role)
    call("iam.create_role", "again", role, refusal="EntityAlreadyExists")
    call("iam.create_role", "with a policy that is none", {**role, "RoleName": "demo-junk",
         "AssumeRolePolicyDocument": "{"},
         refusal="MalformedPolicyDocument", undo=lambda side, _: side.call("iam.delete_role",
             {"RoleName": "demo-junk"}))
    call("iam.get_role", "ours", {"RoleName": "demo-workers"})
    call("iam.get_role", "not there", {"RoleName": "nobody"}, refusal="NoSuchEntity")
    call("iam.update_assume_role_policy", "ours", {"RoleName": "demo-workers", "PolicyDocument": OTHER})
    call("iam.update_assume_role_policy", "not there", {"RoleName": "nobody", "PolicyDocument": OTHER},
         refusal="NoSuchEntity")
    call("iam.update_assume_role_policy", "that is none", {"RoleName": "demo-workers", "PolicyDocument": "{"},
         refusal="MalformedPolicyDocument", undo=lambda side, _: side.call(
             "iam.update_assume_role_policy", {"RoleName": "demo-workers", "PolicyDocument": OTHER}))
    call("iam.list_roles", "of the owner", {"PathPrefix": f"/clusterctl/{OWNER}/"})
    own = {"RoleName": "demo-workers", "PolicyName": "workers"}
    call("iam.get_role_policy", "not there", own, refusal="NoSuchEntity")
    call("iam.put_role_policy", "ours", {**own, "PolicyDocument": POLICY})
    call("iam.put_role_policy", "that is none", {**own, "PolicyDocument": "{"}, refusal="MalformedPolicyDocument")
    call("iam.put_role_policy", "of nobody", {**own, "RoleName": "nobody", "PolicyDocument": POLICY},
         refusal="NoSuchEntity")
    call("iam.get_role_policy", "ours", own)
    call("iam.delete_role", "with a policy", {"RoleName": "demo-workers"}, refusal="DeleteConflict")
    call("iam.delete_role", "not there", {"RoleName": "nobody"}, refusal="NoSuchEntity")
    call("iam.delete_role_policy", "not there", {**own, "PolicyName": "nothing"}, refusal="NoSuchEntity")


def profiles(duel):
    call = duel.call
    profile = {"InstanceProfileName": "demo-workers"}
    both = {**profile, "RoleName": "demo-workers"}
    call("iam.create_instance_profile", "ours", {**profile, "Path": PATH})
    call("iam.create_instance_profile", "again", {**profile, "Path": PATH}, refusal="EntityAlreadyExists")
    call("iam.remove_role_from_instance_profile", "that is not in it", both, refusal="NoSuchEntity")
    call("iam.add_role_to_instance_profile", "ours", both)
    call("iam.add_role_to_instance_profile", "again", both, refusal="LimitExceeded")
    call("iam.add_role_to_instance_profile", "that is not there", {**both, "RoleName": "nobody"},
         refusal="NoSuchEntity")
    call("iam.add_role_to_instance_profile", "to nothing", {**both, "InstanceProfileName": "nobody"},
         refusal="NoSuchEntity")
    call("iam.get_instance_profile", "ours", profile)
    call("iam.get_instance_profile", "not there", {"InstanceProfileName": "nobody"}, refusal="NoSuchEntity")
    call("iam.list_instance_profiles", "of the owner", {"PathPrefix": f"/clusterctl/{OWNER}/"})
    call("iam.delete_instance_profile", "with a role", profile, refusal="DeleteConflict")
    call("iam.delete_instance_profile", "not there", {"InstanceProfileName": "nobody"}, refusal="NoSuchEntity")


def keys(duel):
    call = duel.call
    key = {"KeyName": "demo-key", "PublicKeyMaterial": KEY.encode(), **tagged("key-pair", "aws_key_pair.main")}
    call("ec2.import_key_pair", "ours", key, {"key": "KeyPairId"})
    call("ec2.import_key_pair", "again", key, refusal="InvalidKeyPair.Duplicate")
    call("ec2.import_key_pair", "that is none", {**key, "KeyName": "demo-junk", "PublicKeyMaterial": b"junk"},
         refusal="InvalidKey.Format")
    call("ec2.describe_key_pairs", "of the owner", {**by_tag(), "IncludePublicKey": True})
    call("ec2.describe_key_pairs", "of the address", {**by_tag("aws_key_pair.main"), "IncludePublicKey": True})


def parameters(duel):
    call = duel.call
    path = f"/clusterctl/{OWNER}"
    for name in ("join", "etcd/ca"):
        call("ssm.put_parameter", name, {"Name": f"{path}/{name}", "Value": "secret", "Type": "SecureString"})
    call("ssm.get_parameters_by_path", "of the owner", {"Path": path, "Recursive": True, "WithDecryption": False})
    names = [f"{path}/join", f"{path}/etcd/ca", f"{path}/nothing"]
    call("ssm.delete_parameters", "of the owner", {"Names": names})
    call("ssm.get_parameters_by_path", "none", {"Path": path, "Recursive": True, "WithDecryption": False})
    call("ssm.get_parameter", "that was deleted", {"Name": names[0]}, refusal="ParameterNotFound")
