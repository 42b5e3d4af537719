"""Plays a sequence of boto3 calls to moto and to the simulator, and compares what is read of each pair of answers.

Ids are learnt on each side: "$vpc" in a parameter stands for what that side gave the name vpc, and so it does in answers,
so that they can be compared. Nothing else of an answer is compared than what reads.py says that our code reads."""

import datetime
import fnmatch
import json
import re
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from .reads import PICKED, READS, parse

REGION = "eu-central-1"
SERVICES = ("ec2", "elbv2", "autoscaling", "iam", "ssm", "route53", "sts", "s3")
# As IAM spells them, where boto3 does otherwise.
SPELT = {"elbv2": "elasticloadbalancing"}
ID = re.compile(r"\b([a-z]+(?:-[a-z]+)*)-(?:0[0-9a-f]{16}|[0-9a-f]{17}|[0-9a-f]{8})\b")
# Of the ARNs of load balancing.
SUFFIX = re.compile(r"/[0-9a-f]{16}\b")
NOTHING = (None, "", [], {})
# Half an hour in the simulator; moto is never long about anything.
POLLS = 360


class Side:
    """One of the two clouds."""

    def __init__(self, name, endpoint):
        self.name, self.endpoint, self.names = name, endpoint, {}
        session = boto3.session.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="secret")
        config = Config(
            retries={"total_max_attempts": 1}, read_timeout=60, s3={"addressing_style": "path"},
            request_checksum_calculation="when_required", response_checksum_validation="when_required",
        )
        self.clients = {name: session.client(name, region_name=REGION, endpoint_url=endpoint, config=config)
            for name in SERVICES}

    def call(self, operation, params):
        """Status and code, and the answer: of an error, what it says."""
        service, method = operation.split(".")
        try:
            answer = getattr(self.clients[service], method)(**self.filled(params))
            return str(answer["ResponseMetadata"]["HTTPStatusCode"]), answer
        except ClientError as error:
            return f"{error.response['ResponseMetadata']['HTTPStatusCode']} {error.response['Error']['Code']}", {"said": str(error.response)}
        except (BotoCoreError, ResponseParserError):
            # moto breaks down with a page of HTML now and then.
            return "unreadable", {}

    def filled(self, value):
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.filled(inner) for inner in value]
        if isinstance(value, str):
            return re.sub(r"\$\{?([a-z][a-z0-9_]*)\}?", lambda found: self.names.get(found[1], found[0]), value)
        return value

    def learn(self, names, answer):
        for name, where in names.items():
            found = where(answer) if callable(where) else at(answer, where)
            self.names[name] = str(found) if found not in NOTHING else f"unlearnt-{name}"

    def plain(self, value):
        """The value with names for ids, so that two sides can be compared."""
        if isinstance(value, (datetime.datetime, datetime.date)):
            return "<time>"
        if isinstance(value, bytes):
            return value.decode("utf8", "replace")
        if not isinstance(value, str):
            return value
        for name, known in sorted(self.names.items(), key=lambda pair: -len(pair[1])):
            # Numbers and short words would be found everywhere.
            if len(known) > 7:
                value = value.replace(known, f"${name}")
        return SUFFIX.sub("/<hex>", ID.sub(r"<\1>", value))

    def read(self, value, fields):
        """What `fields` name of a value; what is empty is left out, as our code makes no difference there."""
        if isinstance(value, list):
            read = [self.read(inner, fields) for inner in value]
            return sorted((one for one in read if one not in NOTHING), key=lambda one: json.dumps(one, sort_keys=True))
        if not isinstance(value, dict):
            return self.plain(value)
        found = {}
        for name, inner, marks in fields:
            one = self.read(value.get(name), inner)
            if one in NOTHING:
                continue
            if "~" in marks:
                one = f"<{type(one).__name__}>"
            if "*" in marks:
                one = [each for index, each in enumerate(one) if each not in one[:index]]
            found[name] = one
        return found

    def wait(self):
        """Lets a moment pass: in the simulator seconds of its own time, in moto a little."""
        if self.name == "simulator":
            urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/__pass?5", method="POST")).read()
        else:
            time.sleep(0.02)


def at(value, path):
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if len(value) > int(step) else None
        else:
            value = (value or {}).get(step)
    return value


def picked(operation, answer):
    """The answer without the entries of a list that nobody looks for."""
    name, key, wanted = PICKED.get(operation, (None, None, None))
    return {**answer, name: [one for one in answer[name] if one[key] in wanted]} if name else answer


def differing(moto, simulator, path=""):
    """Leaves at which two readings differ."""
    if isinstance(moto, dict) and isinstance(simulator, dict):
        for name in sorted(moto.keys() | simulator.keys()):
            yield from differing(moto.get(name), simulator.get(name), f"{path}.{name}" if path else name)
    elif isinstance(moto, list) and isinstance(simulator, list) and len(moto) == len(simulator):
        for one, other in zip(moto, simulator):
            yield from differing(one, other, f"{path}[]")
    elif moto != simulator:
        yield path, moto, simulator


def leaves(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 1 if inner is None else sum(leaves(one) for one in inner)


class Duel:
    def __init__(self, moto, simulator, listed):
        self.sides = (Side("moto", moto), Side("simulator", simulator))
        self.listed, self.used = listed, set()
        self.calls = self.fields = self.differences = 0
        self.violations, self.covered, self.labels = [], set(), set()
        # As they would have to be listed.
        self.unlisted = []

    def call(self, operation, label, params=None, learn=None, refusal=None, says=None, undo=None, until=None):
        """Calls both; `refusal` is the code with which AWS refuses, without it AWS answers. `says` are words of the
        refusal that our client looks for. `until` is a path and the values for which to wait there. `undo` is called with
        each side that answered: moto does what AWS refuses, and makes another thing where AWS gives the same."""
        step = f"{operation}: {label}"
        if step in self.labels:
            raise ValueError(f"two steps have the name {step}")
        self.labels.add(step)
        outcomes = []
        for side in self.sides:
            outcome, answer = side.call(operation, params or {})
            for _ in range(POLLS if until else 0):
                if outcome[0] != "2" or at(answer, until[0]) in until[1:]:
                    break
                side.wait()
                outcome, answer = side.call(operation, params or {})
            if outcome[0] == "2" and learn:
                side.learn(learn, answer)
            outcomes.append((outcome, answer))
        self.calls += 1
        (moto, moto_answer), (simulator, simulator_answer) = outcomes
        service, method = operation.split(".")
        name = self.sides[0].clients[service].meta.method_to_api_mapping[method]
        if simulator[0] == "2":
            self.covered.add(f"{SPELT.get(service, service)}:{name}")
        told = simulator.split(" ")[-1] if simulator[0] != "2" else None
        if told != refusal:
            self.violations.append(f"{step}: AWS says {refusal or 'yes'}, the simulator {simulator}")
        self.compare(step, "answer", moto, simulator, 2)
        if says and says not in simulator_answer.get("said", ""):
            self.violations.append(f"{step}: the simulator does not say {says!r}: {simulator_answer}")
        if says and moto == simulator:
            self.compare(step, "says", *(says in answer["said"] for _, answer in outcomes), 1)
        if moto[0] == simulator[0] == "2":
            fields = parse(READS.get(operation, ""))
            pair = [side.read(picked(operation, answer), fields) for side, (_, answer) in zip(self.sides, outcomes)]
            self.fields += leaves(pair[1])
            for path, one, other in differing(*pair):
                self.compare(step, path, one, other, 0)
        if undo:
            for side, (outcome, answer) in zip(self.sides, outcomes):
                if outcome[0] == "2":
                    undo(side, answer)

    def compare(self, step, field, moto, simulator, count):
        self.fields += count
        if moto == simulator:
            return
        self.differences += 1
        for index, entry in enumerate(self.listed):
            same = entry["moto"] == moto and entry["simulator"] == simulator
            if same and fnmatch.fnmatchcase(step, entry["at"]) and fnmatch.fnmatchcase(field,
                entry["field"].replace("[", "[[]")):
                self.used.add(index)
                return
        self.unlisted.append({"at": step, "field": field, "moto": moto, "simulator": simulator})
        self.violations.append(f"{step}: {field}: moto {json.dumps(moto)}, the simulator {json.dumps(simulator)}")

    def close(self, wanted):
        """What nobody listed, listed and not seen, or not called."""
        for index, entry in enumerate(self.listed):
            if index not in self.used:
                self.violations.append(f"listed and not seen: {entry['at']}: {entry['field']}")
        self.violations += [f"never answered by the simulator: {action}" for action in sorted(wanted - self.covered)]
        return self.violations
