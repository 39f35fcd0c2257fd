"""A host of the hostile catalogue: its own host.yaml, rules.yaml and plugin folder, perhaps another user; and what can be seen of it
from outside: descriptors, workers, the time it waited for a CPU, the jitter of its ticks."""
import collections
import ctypes
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from host_process import ROOT, Host, children_of

PR_SET_CHILD_SUBREAPER = 36
# Nobody's, also not a worker's (65534).
UNPRIVILEGED = 54321

MODES = {
    "default": {},
    "no_landlock": {"without": ["landlock"]},
    "no_namespaces": {"without": ["namespaces"]},
    "no_pinning": {"pin_cpu": False},
    "no_user_no_cgroup": {"without": ["own_user", "cgroup"]},
    "not_root": {},
}


def adopt_orphans():
    """What a host leaves behind becomes this process's child, instead of vanishing from its sight."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def orphans(but):
    """Living processes that were left to this one; the dead ones are reaped."""
    left = []
    for pid, (state, command) in children_of(os.getpid()).items():
        if pid in but:
            continue
        if state == "Z":
            os.waitpid(pid, os.WNOHANG)
        else:
            left.append(f"{pid} {command}")
    return left


class Ground:
    """Where one mode's hosts live: a folder, the programs, the user."""

    def __init__(self, build, folder, mode):
        self.mode = mode
        self.folder = pathlib.Path(folder)
        self.build = build
        self.fixtures = build / "tests/hostile/plugins"
        self.user = UNPRIVILEGED if mode == "not_root" else None
        self.programs = build / "bin"
        if self.user is not None:
            # The build tree may lie where only its owner can look.
            self.programs = self.folder / "bin"
            self.programs.mkdir()
            for name in ("varde", "varde-worker"):
                shutil.copy(build / "bin" / name, self.programs)
            shutil.copytree(ROOT / "migrations", self.folder / "migrations")
            self.folder.chmod(0o755)
        self.prefix = [] if self.user is None else [
            "setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def own(self, path):
        """Gives a file or a tree to the host's user."""
        if self.user is not None:
            for each in [path, *(path.rglob("*") if path.is_dir() else [])]:
                os.chown(each, self.user, self.user, follow_symlinks=False)
        return path

    def varde(self, *arguments, check=True):
        """The command line, as the host's user; its output as JSON, or as text if it is none."""
        done = subprocess.run([*self.prefix, self.programs / "varde", "--json", *map(str, arguments)], capture_output=True, text=True,
                              cwd=self.folder, env={k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, check=False)
        if check and done.returncode not in (0, 3):
            raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout, done.stderr)
        try:  # lists are printed as one object a line
            lines = [json.loads(line) for line in done.stdout.splitlines() if line]
        except ValueError:
            return done.stdout + done.stderr
        return lines[0] if len(lines) == 1 else lines

    def seed(self, events):
        """A database with these events, to be copied by every host."""
        source = self.folder / "events.jsonl"
        source.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        self.own(self.folder)
        database = self.folder / "seed.db"
        self.varde("--database", f"sqlite:{database}", "--config", self.write_config(self.folder, {}), "migrate")
        self.varde("--database", f"sqlite:{database}", "--config", self.folder / "host.yaml", "events", "import", source)
        return database

    def expected_confinement(self):
        """What confinement() must say of every worker in this mode; what depends on the machine is asked of the machine."""
        without = MODES[self.mode].get("without", [])
        separable = subprocess.run([*self.prefix, "unshare", *(["-U"] if self.user or os.geteuid() else []), "-n", "-m", "true"],
                                   capture_output=True, check=False).returncode == 0
        return {"seccomp": True, "no_new_privs": True, "no capabilities": True,
                "own_user": self.user is None and os.geteuid() == 0 and "own_user" not in without,
                "namespaces": separable and "namespaces" not in without,
                "pinned": MODES[self.mode].get("pin_cpu", True)}

    def write_config(self, folder, settings):
        settings = {"migrations_dir": str(self.folder / "migrations" if self.user else ROOT / "migrations"),
                    "log_level": "debug", **settings}
        settings["isolation"] = {"load_timeout_ms": 400, **settings.get("isolation", {}), **MODES[self.mode]}
        settings["incidents"] = {"bundles_dir": str(folder / "incidents"), **settings.get("incidents", {})}
        file = folder / "host.yaml"
        file.write_text(json.dumps(settings, indent=1), encoding="utf-8")  # JSON is YAML
        return file


class CatalogueHost(Host):
    """One host with a folder, a database and plugins of its own. Rules and plugins can be changed while it runs."""

    def __init__(self, ground, name, interval_ms, settings=None):
        self.ground = ground
        folder = ground.folder / name
        (folder / "plugins").mkdir(parents=True)
        self.plugins = folder / "plugins"
        self.rules = folder / "rules.yaml"
        self.database = folder / "varde.db"
        shutil.copy(ground.folder / "seed.db", self.database)
        super().__init__(ground.build, folder, f"sqlite:{self.database}", plugins=self.plugins, rules=self.rules, interval_ms=interval_ms)
        config = ground.write_config(folder, settings or {})
        self.command[0] = str(ground.programs / "varde")
        self.command[self.command.index("--config") + 1] = str(config)
        self.command = [*ground.prefix, *self.command]
        self.write_rules({})
        for source in sorted((ground.build / "plugins").glob("R-*")):
            if source.suffix in (".so", ".yaml"):
                shutil.copy(source, self.plugins)
        self.add_plugin("healthy")
        ground.own(folder)

    def varde(self, *arguments):
        """The command line with this host's configuration and database; what it printed, also if it failed."""
        return self.ground.varde("--config", self.folder / "host.yaml", "--database", f"sqlite:{self.database}", "--plugins", self.plugins,
                                 "--rules", self.rules, *arguments, check=False)

    def write_rules(self, rules):
        """config/rules.yaml with `healthy` and these on top, {rule_id: settings}; the file is replaced in one step."""
        text = (ROOT / "config/rules.yaml").read_text(encoding="utf-8").rstrip() + "\n"
        for rule_id, settings in {"healthy": {}, **rules}.items():
            keys = {"enabled_in_scheduler": True, "lookback_minutes": 60, "timeout_ms": 200, "memory_mb": 64, **settings}
            text += f"  {rule_id}: {json.dumps(keys)}\n"
        fresh = self.rules.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        self.ground.own(fresh)
        fresh.rename(self.rules)

    def add_plugin(self, fixture, name=None):
        """Puts a fixture into the plugin folder in one step."""
        return self.put_file(name or f"{fixture}.so", (self.ground.fixtures / f"{fixture}.so").read_bytes())

    def put_file(self, name, content):
        fresh = self.plugins / f".{name}.new"
        fresh.write_bytes(content)
        fresh.chmod(0o644)
        self.ground.own(fresh)
        fresh.rename(self.plugins / name)
        return self.plugins / name

    def since(self, mark, **wanted):
        """Log events from `mark` on whose fields are these."""
        with self.changed:
            return [e for e in self.events[mark:] if all(e.get(key) == value for key, value in wanted.items())]

    def run_after(self, mark, timeout=60):
        """Waits for a run that began after `mark`, and returns (its log events, the place behind it)."""
        start = self.wait_for(lambda e: e.get("event") == "scheduler_run_start", timeout, since=mark)
        run = start["run_id"]
        self.wait_for(lambda e: e.get("event") == "scheduler_run_end" and e.get("run_id") == run, timeout, since=mark)
        return self.since(mark, run_id=run), self.mark()

    def pid(self):
        return self.process.pid

    def descriptors(self):
        """How many descriptors of which kind, without connections and database files; None if this user may not look."""
        kinds = collections.Counter()
        try:
            for link in pathlib.Path(f"/proc/{self.pid()}/fd").iterdir():
                try:
                    target = os.readlink(link)
                except FileNotFoundError:
                    continue
                if not target.startswith("socket:") and not target.startswith(str(self.folder)):
                    kinds[re.sub(r":\[\d+\]| \(deleted\)", "", target)] += 1
        except PermissionError:
            return None
        return kinds

    def workers(self):
        """{pid: state} of the host's children."""
        return {pid: state for pid, (state, _) in children_of(self.pid()).items()}

    def run_delay_ms(self):
        """How long the host's threads were ready to run and had no CPU, so far."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.pid()}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[1])
            except (OSError, IndexError):
                continue
        return total / 1e6

    def samples(self):
        """(run delay of the host so far, idle time of the machine so far, now), in milliseconds."""
        with open("/proc/stat", encoding="utf-8") as file:
            ticks = [int(word) for word in file.readline().split()[1:6]]
        return self.run_delay_ms(), (ticks[3] + ticks[4]) * 1000 / os.sysconf("SC_CLK_TCK"), time.monotonic() * 1000

    def settle(self, done, seconds=5):
        """Whether done() becomes true in that time."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True


def status_of(pid):
    """The fields of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def confinement(pid, host_pid):
    """What of a worker's sandbox can be seen from outside."""
    status = status_of(pid)
    return {"seccomp": status["Seccomp"] == "2", "no_new_privs": status["NoNewPrivs"] == "1",
            "no capabilities": all(int(status[key], 16) == 0 for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")),
            "own_user": status["Uid"] != status_of(host_pid)["Uid"],
            "namespaces": os.readlink(f"/proc/{pid}/ns/net") != os.readlink(f"/proc/{host_pid}/ns/net"),
            "pinned": "," not in status["Cpus_allowed_list"] and "-" not in status["Cpus_allowed_list"]}


def is_spare(pid):
    """Whether a worker waits for its first plugin; it locks itself in for good when it gets one."""
    return not os.path.exists(f"/proc/{pid}/fd/5")


class Quiet:
    """Whether the machine had time to spare while something was measured."""

    def __init__(self, before, after):
        self.delay_ms = after[0] - before[0]
        # Of all CPUs. The host and its workers keep at most one busy.
        self.idle = (after[1] - before[1]) / max(1.0, (after[2] - before[2]) * os.cpu_count())
        self.is_quiet = self.idle > 0.6 * (1 - 1 / os.cpu_count())

    def __str__(self):
        return f"machine {self.idle:.0%} idle, host waited {self.delay_ms:.0f} ms for a CPU"


def jitter_ms(events, interval_ms):
    """How far the time between two runs was from the interval (or a whole number of them), in milliseconds."""
    starts = [datetime.datetime.fromisoformat(e["ts"].replace("Z", "+00:00")) for e in events if e.get("event") == "scheduler_run_start"]
    gaps = [(later - earlier).total_seconds() * 1000 for earlier, later in zip(starts, starts[1:])]
    return [abs(gap - max(1, round(gap / interval_ms)) * interval_ms) for gap in gaps]


def nested(value, key):
    """Every value that stands under this key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from nested(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from nested(inner, key)


def records_of(value, rule_id):
    """Every object that is about this rule, however deep."""
    if isinstance(value, dict):
        if value.get("rule_id") == rule_id:
            yield value
        for inner in value.values():
            yield from records_of(inner, rule_id)
    elif isinstance(value, list):
        for inner in value:
            yield from records_of(inner, rule_id)
