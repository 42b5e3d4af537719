#!/usr/bin/env python3
"""Real processes against the simulated cloud: killed, interrupted, cancelled, stopped, on full and failing disks, watched.

usage: processes.py --binary PATH [--trials N] [--seed S] [--jobs N] [--only-trial N] [--only SORT] [--verbose]

Every trial has a store and an account of its own. What is drawn depends on the seed and the trial's number alone; when a
process is struck depends on the machine too, so that a repeated trial may have to be repeated more than once.
Ends with 1 when a promise was not kept. Each violation comes with the line that repeats its trial.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import queue
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from process_ground import LINE, Trial, Violation
from process_trials import EDITS, SORTS, SPEED, WAITING

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATES = (1, 3)
"""The seeds of the accounts in which a cluster stands already."""
UNDISTURBED = 4
"""How often a line may be said until it is done, where nothing disturbs it."""


class Ground:
    """What all trials share: clusters that stand, how long lines take, and what they leave behind undisturbed."""

    def __init__(self, root, options):
        self.root, self.options = root, options
        self.seconds, self.templates, self.violations = {}, [], []
        self.unshares = allowed(["unshare", "-rmu", "mount", "-t", "tmpfs", "none", "/mnt"]) and bool(shutil.which("nsenter"))
        self.fsync, self.no_fsync = root / "fsync.so", None
        self.edits = {edit: self.edit(edit) for edit in EDITS}
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for self.made, template in pool.map(self.standing, TEMPLATES):
                self.templates.append(template)
            deleted = pool.submit(self.measure, "delete", LINE["delete"])
            self.edited = dict(zip(EDITS, pool.map(self.edited_by, EDITS)))
            deleted.result()
        if self.edited["more"] == self.made:
            raise SystemExit("an edit changes nothing, so that its trials would show nothing")
        self.prepare_fsync()

    def trial(self, seed):
        trial = Trial(-1, "undisturbed", self.options, self)
        trial.world_seed = seed
        return trial

    def undisturbed(self, trial, words, speed):
        """Says a line until it is done; that must be once. Gives how long it took when it was."""
        for attempt in range(UNDISTURBED):
            ran = trial.run(words, speed=speed)
            if ran.code == 0:
                return ran.seconds
            self.violations.append(f"undisturbed, seed {trial.world_seed}: {' '.join(words[:2])}, time {attempt + 1}, ended with"
                                   f" {ran.code}: {ran.gist()}")
        raise SystemExit("\n".join(self.violations + ["without a run that comes to its end there is nothing to compare"]))

    def standing(self, seed):
        trial = self.trial(seed)
        took = self.undisturbed(trial, LINE["create"], SPEED["create"])
        self.seconds["create"] = max(took, self.seconds.get("create", 0))
        template = self.root / f"template-{seed}"
        trial.store.rename(template)
        trial.store = template
        inventory = trial.account().inventory()
        trial.close()
        return inventory, template

    def edit(self, edit):
        flags = {"more": ["--node-count", "5"], "group": ["--gpu", "t4:1"], "type": ["--node-type", "m6i.xlarge"]}[edit]
        trial = self.trial(TEMPLATES[0])
        text = trial.run([*LINE["create"], *flags, "--dry-run"]).out
        trial.close()
        return text

    def edited_by(self, edit):
        file = self.root / f"{edit}.yaml"
        file.write_text(self.edits[edit])
        return self.measure(edit, ["apply", "-f", str(file), "--yes"]).inventory()

    def measure(self, name, words):
        trial = self.trial(TEMPLATES[0])
        trial.take(self.templates[0])
        self.seconds[name] = self.undisturbed(trial, words, SPEED.get(name, SPEED["scale"]))
        account = trial.account()
        trial.close()
        return account

    def prepare_fsync(self):
        """Builds the library that lets fsync fail, and finds out whether the binary lets itself be told."""
        compiler = shutil.which("cc")
        if compiler is None:
            self.no_fsync = "no cc to build fsync.c with"
            return
        built = [compiler, "-shared", "-fPIC", "-O2", "-o", str(self.fsync), str(HERE / "fsync.c")]
        if not allowed(built):
            self.no_fsync = "fsync.c cannot be built here"
            return
        trial = self.trial(TEMPLATES[0])
        more = {"LD_PRELOAD": str(self.fsync), "FSYNC_FROM": "1", "FSYNC_TIMES": "1000000"}
        if trial.run(LINE["create"], more=more).code == 0:
            self.no_fsync = "the binary does not load a library before its own (it is linked statically)"
            self.fsync.unlink()
        trial.close()


def allowed(command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def sort_of(number):
    """The sorts come mixed, in the same order whatever the seed and the number of trials."""
    pattern = [name for name, (_, share) in SORTS.items() for _ in range(share)]
    random.Random("sorts").shuffle(pattern)
    return pattern[number % len(pattern)]


def one(number, options, ground):
    trial = Trial(number, sort_of(number), options, ground)
    begun = time.monotonic()
    try:
        SORTS[trial.sort][0](trial)
    except Violation as violation:
        trial.violates(str(violation))
    except Exception as error:  # A fault of this script's must not pass for a kept promise.
        trial.violates(f"the trial itself failed: {type(error).__name__}: {error}")
    finally:
        trial.end_all()
        if trial.violations and options.keep:
            shutil.copytree(trial.dir, options.keep / f"trial-{number}", symlinks=True, dirs_exist_ok=True)
        trial.close()
    trial.seconds = time.monotonic() - begun
    return trial


def all_of(numbers, options, ground, done):
    """Every trial, half as many again as `jobs` at once, for no run works all the time; and two of those that mostly wait
    beside them."""
    queues = {waiting: queue.SimpleQueue() for waiting in (True, False)}
    for number in numbers:
        queues[sort_of(number) in WAITING].put(number)
    guard = threading.Lock()

    def work(waiting):
        while True:
            try:
                number = queues[waiting].get_nowait()
            except queue.Empty:
                return
            trial = one(number, options, ground)
            with guard:
                done(trial)

    working = options.jobs + options.jobs // 2
    with concurrent.futures.ThreadPoolExecutor(working + 2) as pool:
        workers = [pool.submit(work, waiting) for waiting in [False] * working + [True] * 2]
        for worker in workers:
            worker.result()


def again(options, number):
    return (f"python3 {shlex.quote(sys.argv[0])} --binary {shlex.quote(str(options.binary))} --only-trial {number}"
            f" --seed {options.seed} --verbose")


def alike(violation):
    """A violation without what differs between those of one cause."""
    first = re.sub(r"\b([a-z]{2}-[a-z]+-\d)[a-z]\b", r"\1?", violation.split(" | ")[0])
    return re.sub(r"\b\d+ attempts|(?<=control-plane-)\d|(?<=nodes-)\d|(?<=seed )\d+", "…", first)


class Report:
    def __init__(self, options):
        self.options, self.counts, self.struck = options, collections.Counter(), collections.Counter()
        self.skipped, self.grouped, self.violated = collections.Counter(), collections.Counter(), collections.Counter()

    def trial(self, trial):
        if trial.skipped:
            self.skipped[f"{trial.sort}: {trial.skipped}"] += 1
            return
        self.counts[trial.sort] += 1
        self.struck[trial.sort] += trial.struck
        if self.options.verbose or trial.violations:
            verdict = "VIOLATION" if trial.violations else "kept"
            print(f"{verdict} trial {trial.number} {trial.sort} ({trial.seconds:.1f} s)", flush=True)
            for line in trial.story:
                print(f"    {line}")
        if trial.violations:
            self.violated[trial.sort] += 1
            self.grouped.update({alike(violation) for violation in trial.violations})
            print(f"    again: {again(self.options, trial.number)}", flush=True)

    def end(self, ground, seconds):
        for violation in ground.violations:
            print(f"VIOLATION {violation}")
            self.grouped[alike(violation)] += 1
        for what, count in self.grouped.most_common():
            print(f"{count:4} x {what}")
        for what, count in sorted(self.skipped.items()):
            print(f"skipped: {what} ({count} trials)")
        sorts = ", ".join(f"{sort} {self.counts[sort]} ({self.struck[sort]} struck)" for sort in SORTS if self.counts[sort])
        broken = sum(self.violated.values()) + len(ground.violations)
        print(f"processes: {sum(self.counts.values())} trials: {sorts}; {sum(self.skipped.values())} skipped;"
              f" {broken} violations  seed {self.options.seed}  {seconds:.0f} s")
        return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-trial", type=int)
    parser.add_argument("--only", choices=SORTS)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, help="where the stores and the output of violated trials are kept")
    options = parser.parse_args()
    options.binary = options.binary.resolve()
    if not options.binary.is_file():
        parser.error(f"{options.binary} is no file")
    # Ends through the clean-up below, as an interrupt does.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    begun, report = time.monotonic(), Report(options)
    numbers = range(options.trials) if options.only_trial is None else [options.only_trial]
    numbers = [number for number in numbers if options.only in (None, sort_of(number))]
    with tempfile.TemporaryDirectory(prefix="processes-", ignore_cleanup_errors=True) as root:
        ground = Ground(pathlib.Path(root), options)
        all_of(numbers, options, ground, report.trial)
    return 1 if report.end(ground, time.monotonic() - begun) else 0


if __name__ == "__main__":
    sys.exit(main())
