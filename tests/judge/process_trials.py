"""The sorts of trials of processes.py. Each disturbs a run in its way; all end in `converges`: the same line again
succeeds, nothing is left to do, the account holds what an undisturbed run leaves, and nobody else's thing was touched.
"""

import contextlib
import json
import shutil
import signal
import time

from process_ground import CLUSTER, LIMIT, LINE, Violation, holder_of, until

SPEED = {"create": 120, "delete": 150, "scale": 40}
EDITS = ("more", "group", "type")
"""More workers, one group more, another machine type."""
RESUME = "run the same line again: clusterctl "
SETTLED = 20
"""Seconds after a run: at its end it looks for as long as that, until lists show what it made."""


class Task:
    """A line, from where it begins to what must be there when it is done."""

    def __init__(self, trial, action):
        self.action, self.speed = action, SPEED[action]
        ground = trial.ground
        if action == "create":
            self.foreign = trial.new_account()
            self.words, self.inventory, self.seconds = LINE["create"], ground.made, ground.seconds["create"]
        elif action == "delete":
            self.foreign = trial.take(trial.rng.choice(ground.templates))
            self.words, self.inventory, self.seconds = LINE["delete"], {}, ground.seconds["delete"]
        else:
            self.foreign = trial.take(trial.rng.choice(ground.templates))
            edit = trial.rng.choice(EDITS)
            file = trial.dir / "cluster.yaml"
            file.write_text(ground.edits[edit])
            trial.note(f"edit: {edit}")
            self.words = ["apply", "-f", str(file), "--yes"]
            self.inventory, self.seconds = ground.edited[edit], ground.seconds[edit]

    def moment(self, trial):
        """A random instant of its life, and a little beyond."""
        return trial.rng.uniform(0, self.seconds * 1.05)


def pick(trial, create, scale, delete):
    return trial.rng.choices(("create", "scale", "delete"), (create, scale, delete))[0]


def converges(trial, task, prefix=(), more=None):
    """The law: the same line again, and all is as if nothing had happened."""
    for attempt in range(4):
        ran = trial.run(task.words, "the same line again", prefix=prefix, more=more)
        if ran.code == 0:
            break
        # Once more, to learn whether it is only late or lost.
        trial.violates(f"the same line ({task.action}), time {attempt + 1}, ended with {ran.code}: {ran.gist()}")
    else:
        raise Violation(f"{task.action} does not come to its end in four more runs")
    trial.time_passes(SETTLED)
    if task.action == "delete":
        listed = json_of(trial.run(["get", "clusters", "-o", "json"], prefix=prefix), "get clusters")
        if listed["items"]:
            trial.violates(f"a deleted cluster is still listed: {listed['items'][0].get('state')}")
    else:
        file = task.words[2:3] if task.action == "scale" else []
        line = ["plan", *(["-f", *file] if file else [CLUSTER]), "--detailed-exitcode"]
        ran = trial.run(line, "plan", prefix=prefix)
        if ran.code != 0:
            trial.violates(f"after {task.action} the plan is not empty: exit {ran.code}: {summary(ran)}")
    account = trial.account()
    found = account.left() if task.action == "delete" else account.inventory()
    if found != task.inventory:
        trial.violates(f"after {task.action} the account differs from undisturbed: {difference(found, task.inventory)}")
    if account.foreign != task.foreign:
        trial.violates("something foreign was changed")
    if account.trespasses:
        trial.violates(f"requests named what is foreign: {account.trespasses[0]}")
    if task.action == "create" and trial.rng.random() < 0.25:
        gone(trial, task, prefix)


def gone(trial, task, prefix):
    """What went through a disturbed creation is deleted whole."""
    for attempt in range(4):
        ran = trial.run(LINE["delete"], "delete", prefix=prefix)
        if ran.code == 0:
            break
        trial.violates(f"delete, time {attempt + 1}, ended with {ran.code}: {ran.gist()}")
    account = trial.account()
    if account.left():
        trial.violates(f"after delete there is left: {account.left()}")
    if account.foreign != task.foreign or account.trespasses:
        trial.violates("something foreign was changed or named by delete")


def difference(found, wanted):
    kinds = sorted(set(found) | set(wanted))
    return ", ".join(f"{kind} {found.get(kind, 0)} for {wanted.get(kind, 0)}" for kind in kinds
                     if found.get(kind, 0) != wanted.get(kind, 0))


def summary(ran):
    lines = [line for line in (ran.out + "\n" + ran.err).splitlines() if line.startswith(("Plan:", "error"))]
    return lines[0] if lines else ran.gist()


def json_of(ran, what):
    try:
        return json.loads(ran.out)
    except ValueError as error:
        raise Violation(f"{what} gave no JSON ({error}) with exit {ran.code}: {ran.out[:200]!r}") from error


def clean_stop(trial, child, ran, task, before, shown=True):
    """How a run that was asked to stop may have ended. `before` is the account when it began."""
    if ran.code == 0:
        trial.struck = False
    elif ran.code == 130:
        early = "before anything was changed" in ran.err
        if early and trial.account().text != before:
            trial.violates("it says that nothing was changed, and the account is another")
        # Only a run that was told once has the time to say it.
        if shown and RESUME + " ".join(task.words[:2]) not in ran.err:
            trial.violates(f"the line that resumes is not said: {ran.gist()}")
    elif -ran.code in (signal.SIGINT, signal.SIGTERM) and trial.account().text == before \
            and holder_of(trial.clusters)[0] != child.pid:
        trial.note("it was struck before it listened, and had begun nothing")
    else:
        trial.violates(f"a run that was asked to stop ended with {ran.code}: {ran.gist()}")


def advanced(trial, task):
    """Brings the line to a random place in its life, by a kill."""
    child = trial.start(task.words, speed=task.speed)
    time.sleep(task.moment(trial))
    child.signal(signal.SIGKILL)
    trial.end(child, "killed on the way")


# The sorts.


def kill(trial):
    """SIGKILL at random instants; sometimes another machine goes on, which cannot know that the first run is dead."""
    task = Task(trial, pick(trial, 70, 10, 20))
    trial.struck = False
    for _ in range(trial.rng.choice((1, 1, 1, 2, 3))):
        child = trial.start(task.words, speed=task.speed)
        time.sleep(task.moment(trial))
        trial.struck |= child.signal(signal.SIGKILL)
        trial.end(child, f"SIGKILL in {task.action}")
    elsewhere = trial.ground.unshares and trial.rng.random() < 0.2
    converges(trial, task, prefix=trial.other_machine() if elsewhere else ())


def interrupt(trial):
    """SIGINT, SIGTERM, and SIGINT twice; half of them into a run whose time is the real one."""
    task = Task(trial, pick(trial, 70, 10, 20))
    slow = trial.rng.random() < 0.5
    if slow:
        advanced(trial, task)
    twice = trial.rng.random() < 1 / 3
    number = signal.SIGINT if twice or trial.rng.random() < 0.5 else signal.SIGTERM
    before = trial.account().text
    child = trial.start(task.words, speed=trial.rng.choice((1, 2, 5)) if slow else task.speed)
    time.sleep(trial.rng.uniform(0, 3) if slow else task.moment(trial))
    child.signal(number)
    asked = time.monotonic()
    limit = 5.0
    if twice:
        time.sleep(trial.rng.uniform(0, 0.4))
        child.signal(number)
        limit, asked = 1.5, time.monotonic()
    ran = trial.end(child, f"{number.name}{' twice' if twice else ''} in {task.action}", limit=10)
    took = time.monotonic() - asked
    if took > limit:
        trial.violates(f"it took {took:.1f} s to stop after {number.name}{' twice' if twice else ''}")
    clean_stop(trial, child, ran, task, before, shown=not twice)
    converges(trial, task)


CI = {"GITHUB_ACTIONS": "true", "CI": "true"}


def ci(trial):
    """A cancelled job: SIGINT, after 7.5 s SIGTERM, after 2.5 s more SIGKILL for the whole tree."""
    task = Task(trial, pick(trial, 80, 0, 20))
    if trial.rng.random() < 0.7:
        advanced(trial, task)
    before, speed = trial.account().text, trial.rng.choice((1, 2, 5))
    # The runner's signals go to the shell of the step, which a line of a script is a child of.
    shell = trial.rng.random() < 0.4
    if shell:
        script = trial.dir / "step.sh"
        script.write_text('"$@"\necho "the step goes on"\n')
        child = trial.start(task.words, speed=speed, prefix=("bash", "-e", str(script)), more=CI)
    else:
        child = trial.start(task.words, speed=speed, more=CI)
    time.sleep(trial.rng.uniform(0.2, 3))
    begun = time.monotonic()
    for at, number in ((0, signal.SIGINT), (7.5, signal.SIGTERM), (10, signal.SIGKILL)):
        with contextlib.suppress(Exception):
            child.process.wait(max(begun + at - time.monotonic(), 0.001))
        if child.running():
            trial.note(f"{number.name} after {at} s")
            child.kill() if number == signal.SIGKILL else child.signal(number)
    if shell:
        # What outlives its shell is of the tree.
        time.sleep(max(0, begun + 10 - time.monotonic()))
        child.kill()
        trial.end(child, "the step's shell")
    else:
        ran = trial.end(child, "the cancelled run")
        if ran.code == -signal.SIGKILL:
            trial.violates("it did not end by itself before the runner killed it")
        else:
            clean_stop(trial, child, ran, task, before)
            opened, closed = ran.err.count("::group::"), ran.err.count("::endgroup::")
            if opened != closed:
                trial.violates(f"{opened} groups were opened in the log and {closed} closed")
    converges(trial, task)


def stop(trial):
    """SIGSTOP for longer than the lease lasts, while another run takes the lock; then SIGCONT."""
    task = Task(trial, pick(trial, 75, 0, 25))
    first = trial.start(task.words, speed=task.speed)
    time.sleep(task.moment(trial))
    if not trial.stop(first):
        trial.struck = False
        trial.end(first, "the run that was to be stopped")
        return converges(trial, task)
    holder, epoch = holder_of(trial.clusters)
    held = holder == first.pid
    second = trial.start(task.words, speed=100)
    if held and trial.rng.random() < 0.6:
        # While the second one works.
        until(lambda: holder_of(trial.clusters)[1] > epoch or not second.running(), 30, "the second run's lock")
        time.sleep(trial.rng.uniform(0, 0.5))
    else:
        until(lambda: not second.running(), LIMIT, "the second run's end")
    first.signal(signal.SIGCONT)
    ran = trial.end(first, f"the stopped run, which {'held' if held else 'did not hold'} the lock", limit=30)
    # Nothing to do any more is an end too. 74 is what it says when it finds another's record on its way out.
    others = ran.code == 74 and "changed by someone else" in ran.err
    if not others and ran.code not in ((0, 73, 75) if held else (0, 66, 73)):
        trial.violates(f"a stopped run ({task.action}) whose lock was taken ended with {ran.code}: {ran.gist()}")
    ran = trial.end(second, "the run that took over")
    if ran.code != 0:
        trial.violates(f"the run that took over ({task.action}) ended with {ran.code}: {ran.gist()}")
    converges(trial, task)


def disk(trial):
    """The disk with the records is full from the beginning, or becomes so."""
    if not trial.ground.unshares:
        trial.skipped = "no user namespace for a small disk"
        return
    task = Task(trial, pick(trial, 80, 0, 20))
    small = task.action == "create" and trial.rng.random() < 0.5
    size = trial.rng.randrange(1, 20) * 4096 if small else 8 << 20
    # A mount hides what is below it, so that a record comes in afterwards.
    records = trial.dir / "records"
    if trial.clusters.exists():
        shutil.copytree(trial.clusters, records)
    prefix, inside = trial.small_disk(size)
    if records.exists():
        shutil.copytree(records, inside, dirs_exist_ok=True)
    child = trial.start(task.words, speed=task.speed, prefix=prefix)
    ballast = inside / "ballast"
    if not small:
        time.sleep(task.moment(trial))
        with open(ballast, "wb", buffering=0) as file:
            # What the run gives back is taken too.
            while child.running() and time.monotonic() - child.begun < LIMIT:
                with contextlib.suppress(OSError):
                    file.write(b"\0" * 4096)
                    continue
                time.sleep(0.005)
    ran = trial.end(child, f"{task.action} on {f'{size >> 10} KiB' if small else 'a disk that became full'}")
    if ran.code == 0:
        trial.struck = False
    elif ran.code not in (74, 75):
        trial.violates(f"on a full disk {task.action} ended with {ran.code}: {ran.gist()}")
    elif "no space left" not in ran.err.lower() or "hint:" not in ran.err:
        trial.violates(f"on a full disk {task.action} does not say what to do: {ran.gist()}")
    if small:
        if trial.command([*prefix, "mount", "-o", "remount,size=8m", str(trial.clusters)]).code:
            raise RuntimeError("the small disk could not be made larger")
    else:
        ballast.unlink()
    converges(trial, task, prefix=prefix)


def fsync(trial):
    """One fsync fails, or all from one on."""
    library = trial.ground.fsync
    if not library.is_file():
        trial.skipped = trial.ground.no_fsync
        return
    task = Task(trial, pick(trial, 80, 0, 20))
    first, times = trial.rng.randrange(1, 150), trial.rng.choice((1, 1_000_000))
    bad = {"LD_PRELOAD": str(library), "FSYNC_FROM": str(first), "FSYNC_TIMES": str(times)}
    ran = trial.run(task.words, f"{task.action} where fsync {first} fails{' and all after it' if times > 1 else ''}",
                    speed=task.speed, more=bad)
    if ran.code == 0:
        trial.struck = False
    elif ran.code not in (74, 75):
        trial.violates(f"with a failing fsync {task.action} ended with {ran.code}: {ran.gist()}")
    elif "Input/output error" not in ran.err:
        trial.violates(f"with a failing fsync {task.action} does not say why it ended: {ran.gist()}")
    converges(trial, task)


READS = (["get", "clusters", "-o", "json"], ["status", CLUSTER, "-o", "json"], ["plan", CLUSTER, "-o", "json"])


def watched(trial):
    """Others look while a run works, is killed, and has been killed."""
    task = Task(trial, pick(trial, 80, 0, 20))
    child = trial.start(task.words, speed=task.speed)
    end = child.begun + task.moment(trial)
    looks = 0
    while time.monotonic() < end:
        trial.rng.choice((look_one_by_one, look_at_once))(trial)
        looks += 1
    trial.struck = child.signal(signal.SIGKILL)
    trial.end(child, f"SIGKILL in {task.action} after {looks} looks")
    look_at_once(trial)
    converges(trial, task)


def look_one_by_one(trial):
    for words in READS:
        seen(trial, words, trial.start(words, speed=task_speed(trial)))


def look_at_once(trial):
    for words, child in [(words, trial.start(words, speed=task_speed(trial))) for words in READS]:
        seen(trial, words, child)


def task_speed(trial):
    return trial.rng.choice((100, "max"))


def seen(trial, words, child):
    """Well, or there is no such cluster yet, or it can only be deleted; and always data."""
    what = " ".join(words[:2])
    ran = trial.end(child, what)
    data = json_of(ran, what)
    if ran.code not in (0, 66, 81):
        trial.violates(f"{what} during a run ended with {ran.code}: {ran.gist()}")
    if not isinstance(data, dict):
        trial.violates(f"{what} gave no object: {ran.out[:100]!r}")


SORTS = {"kill": (kill, 50), "interrupt": (interrupt, 20), "ci": (ci, 5), "stop": (stop, 8), "disk": (disk, 6),
         "fsync": (fsync, 5), "watched": (watched, 6)}
"""Each with how many there are among a hundred."""
WAITING = ("ci", "stop")
"""They mostly wait, so that they need no core of their own."""
