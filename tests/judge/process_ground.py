"""What a trial of processes.py stands on: children that end in time, a store of its own, and the simulated account read
as data.

- Trial: a directory, an environment without secrets, lines to run, and the violations that were found
- Account: what is ours, counted by kind; what is foreign, as text; the requests that trespassed
- namespace prefixes: a small disk of its own, and another machine, where unshare may be used
"""

import collections
import contextlib
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

LIMIT = 90.0
"""No command takes longer, and what does is a violation."""
CLUSTER = "demo"
LINE = {
    "create": ["create", CLUSTER, "--cloud", "aws", "--gpu", "a10g:1", "--yes"],
    "delete": ["delete", CLUSTER, "--yes"],
}


class Violation(Exception):
    """A promise that was not kept; nothing more can be learned from this trial."""


class Ran:
    """How a command ended and what it said."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def gist(self):
        """The lines that say what was wrong, without what differs from run to run."""
        told = [line.strip() for line in self.err.splitlines() if re.search(r"^error|could not be|panicked", line)]
        told = " | ".join(told[:2]) or (self.err.strip().splitlines() or ["silence"])[-1]
        told = re.sub(r"\(request id [^)]*\)", "", told)
        told = re.sub(r"/\S*/simulated", "STORE", told)
        return re.sub(r"\b[0-9a-f]{8,}\b", "…", told)[:300].strip()


class Child:
    """A process in a session of its own, whose output goes to files."""

    def __init__(self, argv, environment, directory, number):
        self.out, self.err = (directory / f"{number}.{stream}" for stream in ("out", "err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(argv, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, start_new_session=True)
        self.begun = time.monotonic()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        """Whether it was still there to be sent one."""
        struck = self.running()
        if struck:
            self.process.send_signal(number)
        return struck

    def end(self, limit=LIMIT):
        """Waits for its end; past the limit it is killed, and `None` is given."""
        try:
            code = self.process.wait(max(limit, 0.01))
        except subprocess.TimeoutExpired:
            return None
        read = lambda path: path.read_text(errors="replace")
        return Ran(code, read(self.out), read(self.err), time.monotonic() - self.begun)

    def kill(self):
        """Ends it with all that is of its session."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)


class Account:
    """The simulated account as it is written down."""

    def __init__(self, path):
        self.text = path.read_bytes()
        world = json.loads(self.text)
        self.trespasses = world["trespasses"]
        self.things = [thing for kind in world["things"].values() for thing in kind.values()]
        foreign = [thing for thing in self.things if thing["foreign"]]
        self.foreign = json.dumps(foreign, sort_keys=True)

    def ours(self):
        """All that is left of us. What is deleted may still be listed for a while, and what has ended described; what is
        on its way out comes to its end with the next change that is written down."""
        return [
            thing for thing in self.things
            if not thing["foreign"] and thing["ghost_until"] is None and "_lingers" not in thing["attrs"]
            and thing["attrs"].get("state") not in ("deleting", "deleted", "failed")
        ]

    def left(self):
        return dict(collections.Counter(thing["kind"] for thing in self.ours()))

    def inventory(self):
        """What we made, by kind. What the cloud makes for a group comes in its own time, which is written down with the
        next request that changes something and not before: it counts as what the groups want to have. So do the secrets
        that machines keep in parameters."""
        ours, counts = self.ours(), collections.Counter()
        grouped = {thing["id"] for thing in ours if "aws:autoscaling:groupName" in thing["tags"]}
        for thing in ours:
            attrs = thing["attrs"]
            attached = [attrs.get("attachment") or {}, *(attrs.get("attachmentSet") or [])]
            by_group = thing["id"] in grouped or any(one.get("instanceId") in grouped for one in attached)
            if not by_group and thing["kind"] != "parameter":
                counts[thing["kind"]] += 1
            if thing["kind"] == "auto-scaling-group":
                counts["wanted in groups"] += attrs["DesiredCapacity"]
        return dict(counts)


class Trial:
    """One trial: its randomness, its directory, its processes."""

    def __init__(self, number, sort, options, ground):
        self.number, self.sort, self.options, self.ground = number, sort, options, ground
        self.rng = random.Random(f"{options.seed}/{number}")
        self.world_seed = self.rng.randrange(1, 1_000_000)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"trial-{number}-", dir=ground.root))
        self.store = self.dir / "store"
        self.children, self.violations, self.story = [], [], []
        self.struck, self.skipped = True, None

    @property
    def clusters(self):
        return self.store / "simulated/clusters"

    @property
    def account_file(self):
        return self.store / "simulated/accounts/aws.json"

    def account(self):
        return Account(self.account_file)

    def note(self, text):
        self.story.append(text)

    def violates(self, what):
        """A promise that was not kept, after which the trial goes on."""
        self.violations.append(what)
        self.note(f"VIOLATION {what}")

    def environment(self, more):
        own = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.dir), "LANG": "C.UTF-8", "NO_COLOR": "1",
               "CLUSTERCTL_STORE": str(self.store), "CLUSTERCTL_SIMULATE": "1"}
        return {**own, **(more or {})}

    def argv(self, words, speed):
        return [str(self.options.binary), *words, "--speed", str(speed), "--random-seed", str(self.world_seed)]

    def child(self, argv, more=None):
        child = Child(argv, self.environment(more), self.dir, len(self.children))
        self.children.append(child)
        return child

    def start(self, words, speed="max", prefix=(), more=None):
        return self.child([*prefix, *self.argv(words, speed)], more)

    def end(self, child, what, limit=LIMIT):
        ran = child.end(limit)
        if ran is None:
            child.kill()
            raise Violation(f"{what} did not end within {limit:g} s")
        self.note(f"{what}: exit {ran.code} after {ran.seconds:.2f} s" + (f": {ran.gist()}" if ran.code else ""))
        if ran.code == 70 or ran.code == 101 or "panicked at" in ran.err:
            self.violates(f"{what} ended with a fault of its own: {ran.gist()}")
        return ran

    def run(self, words, what=None, **how):
        return self.end(self.start(words, **how), what or " ".join(words[:2]))

    def command(self, argv):
        """Another command than ours."""
        return self.child(argv).end(20) or Ran(None, "", "no end", 20.0)

    def new_account(self):
        """An account that nobody of ours has used yet; gives what is foreign in it."""
        self.run(["get", "clusters", "-o", "json"], "a first look")
        return self.account().foreign

    def take(self, template):
        """The store of a cluster that stands."""
        shutil.copytree(template, self.store)
        return self.account().foreign

    def end_all(self):
        for child in self.children:
            child.kill()

    def time_passes(self, seconds):
        """Lets the world's time go on, as it does between two commands. It is written down with changes only, so that what
        a run has waited for while it looked would not have been."""
        world = json.loads(self.account_file.read_bytes())
        world["now"] += int(seconds * 1000)
        self.account_file.write_text(json.dumps(world))

    def close(self):
        self.end_all()
        shutil.rmtree(self.dir, ignore_errors=True)

    # Namespaces.

    def small_disk(self, size):
        """Puts a disk of this size where the records lie; the prefix for commands that see it, and its path from outside.
        The account is the cloud's and stays where it is."""
        self.clusters.mkdir(parents=True, exist_ok=True)
        script = 'mount -t tmpfs -o size="$0" none "$1" && echo mounted && exec sleep 300'
        holder = self.child(["unshare", "-rm", "sh", "-c", script, str(size), str(self.clusters)])
        until(lambda: "mounted" in holder.out.read_text(), 10, "the small disk")
        prefix = ("nsenter", "-t", str(holder.pid), "-U", "-m", "--preserve-credentials", "--")
        return prefix, pathlib.Path(f"/proc/{holder.pid}/root{self.clusters}")

    def other_machine(self):
        """The prefix for commands that run on another machine with the same store: they cannot know who lives here."""
        boot = self.dir / "boot_id"
        boot.write_text("00000000-0000-4000-8000-%012x\n" % self.rng.getrandbits(48))
        script = ('echo elsewhere >/proc/sys/kernel/hostname && mount --bind "$0" /proc/sys/kernel/random/boot_id'
                  ' && exec "$@"')
        return ("unshare", "-rmu", "sh", "-c", script, str(boot))

    def stop(self, child):
        """SIGSTOP between two writes: whoever is stopped with a file locked lets nobody else in, and that is another
        trial. Says whether it struck."""
        for _ in range(200):
            if not child.signal(signal.SIGSTOP):
                return False
            until(lambda: state_of(child.pid) in "TZX", 5, "the stop")
            if state_of(child.pid) != "T":
                return False
            if not any(locked(path) for path in (self.account_file.with_suffix(".lock"), *self.clusters.rglob(".lock"))):
                return True
            child.signal(signal.SIGCONT)
            time.sleep(self.rng.uniform(0.001, 0.005))
        raise Violation("it was never seen without a file lock")


def until(condition, limit, what):
    """Waits for a condition; past the limit it is an error of the trial's."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise Violation(f"{what} did not come within {limit:g} s")
        time.sleep(0.002)


def state_of(pid):
    """The letter of a process's state; X for one that is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def locked(path):
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def holder_of(clusters):
    """Who is written down as holding the lock, as (pid, epoch); the pid is 0 when nobody holds it."""
    try:
        body = json.loads((clusters / CLUSTER / "lock.json").read_text())["body"]
    except FileNotFoundError:
        return 0, 0
    return (0 if body["released_at"] else body["holder"]["pid"]), body["epoch"]
