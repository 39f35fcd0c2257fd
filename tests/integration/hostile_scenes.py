"""The entries of the hostile catalogue that are a story: files that change under a running host, rules that get worse with time, a host
that dies. Each function plays some of them in a host of their own and tells `book` what was wrong."""
import hashlib
import os
import time

from host_process import HostFailed, is_alive
from hostile_host import CatalogueHost, Quiet, orphans, records_of

STATES = {"healthy", "suspect", "backing_off", "quarantined", "probing"}


def titles_of(host, rule_id):
    rows = host.request("GET", f"/v1/deviations?rule_id={rule_id}&limit=10")[2]
    return {row["title"] for row in rows}


def says(host, rule_id, title, seconds=6):
    """Whether the rule comes to say this, within a while."""
    return host.settle(lambda: title in titles_of(host, rule_id), seconds)


def reasons_of(host, rule_id, since=0):
    return {e["error"].get("reason") for e in host.since(since, event="scheduler_rule_error", rule_id=rule_id)}


def files_host(ground, book):
    """38, 39, 41: plugins that are written over while they load and while they run. And what a fresh file that misbehaves comes to."""
    host = CatalogueHost(ground, "files", 200, {"plugins": {"quiet_ms": 50, "rescan_seconds": 1}})
    versions = [(ground.fixtures / f"speaks_version_{i}.so").read_bytes() for i in (1, 2)]
    host.add_plugin("speaks_version_1", "speaks_version.so")
    host.add_plugin("keeps_singleton_1", "keeps_singleton.so")
    rules = {"speaks_version": {}, "keeps_singleton": {}}
    host.write_rules(rules)
    host.start()
    try:
        before = host.samples()
        book.expect(38, says(host, "speaks_version", "version 1.0.0"), "the first version did not run")
        book.expect(41, says(host, "keeps_singleton", "code 1.0.0 state 1.0.0"), "the first version did not run")
        swap_during_load(host, book, versions)
        in_place_overwrite(host, book, versions)
        host.add_plugin("keeps_singleton_2", "keeps_singleton.so")
        book.expect(41, says(host, "keeps_singleton", "code 2.0.0 state 2.0.0"),
                    f"the state is not the new version's own: {titles_of(host, 'keeps_singleton')}")
        drop_in(host, book, rules)
        quiet = Quiet(before, host.samples())
        missed = host.since(0, event="scheduler_run_late")
        book.expect(39, not missed or not quiet.is_quiet or os.environ.get("VARDE_SOAK") != "1", f"{len(missed)} ticks were missed")
        ticks = len(host.since(0, event="scheduler_run_start"))
        print(f"        {ticks} ticks while files changed, {len(missed)} missed; {quiet}", flush=True)
        book.expect(39, not reasons_of(host, "healthy"), "the healthy rule failed")
        book.expect(39, host.stop() == 0 and not orphans(but=()), "the host did not stop cleanly")
    finally:
        host.stop()


def swap_during_load(host, book, versions):
    """cp, cp, cp: the file is written over in pieces, faster than anybody can load it."""
    file = host.plugins / "speaks_version.so"
    known = {hashlib.sha256(content).hexdigest() for content in versions}
    mark = host.mark()
    for turn in range(13):
        content = versions[turn % 2]
        with open(file, "wb", buffering=0) as out:
            for at in range(0, len(content), 4096):
                out.write(content[at:at + 4096])
                time.sleep(0.002)
        time.sleep(0.02 * (turn % 5))
    with open(file, "wb", buffering=0) as out:
        out.write(versions[1])
    book.expect(38, says(host, "speaks_version", "version 2.0.0"), "the last complete file is not in use")
    ran = {e.get("sha256") for name in ("rule_loaded", "rule_replaced") for e in host.since(mark, event=name, rule_id="speaks_version")}
    book.expect(38, ran <= known, f"something was run that was never complete on disk: {ran - known}")
    spoken = titles_of(host, "speaks_version")
    book.expect(38, spoken <= {"version 1.0.0", "version 2.0.0"}, f"it said {spoken}")
    book.expect(38, not reasons_of(host, "speaks_version", mark), f"an evaluation failed: {reasons_of(host, 'speaks_version', mark)}")


def in_place_overwrite(host, book, versions):
    """cp over the running file, then a file cut in half: what runs is not touched by it."""
    file = host.plugins / "speaks_version.so"
    mark = host.mark()
    file.write_bytes(versions[0])
    book.expect(39, says(host, "speaks_version", "version 1.0.0"), "the file that was written over is not in use")
    book.expect(39, bool(host.since(mark, event="rule_replaced", rule_id="speaks_version")), "no rule_replaced was logged")
    mark = host.mark()
    file.write_bytes(versions[1][:len(versions[1]) // 2])
    try:
        host.wait_for(lambda e: e.get("event") == "rule_rejected" and e.get("path") == str(file), 6, since=mark)
        for _ in range(3):
            host.run_after(host.mark())
    except HostFailed:
        book.expect(39, False, "no rule_rejected was logged for the half file")
    book.expect(39, not reasons_of(host, "speaks_version", mark),
                f"the running version suffered from the half file: {reasons_of(host, 'speaks_version', mark)}")
    answered = host.since(mark, event="scheduler_rule_result", rule_id="speaks_version")
    book.expect(39, len(answered) >= 3, "the running version no longer answers")
    file.write_bytes(versions[1])
    book.expect(39, says(host, "speaks_version", "version 2.0.0"), "the completed file is not in use")


def drop_in(host, book, rules):
    """Bad files that come while the host runs may be found out before they are put to use, or at their first evaluation."""
    dropped = {"segfaults": (1, "segmentation_fault"), "spins": (12, "deadline"), "connects": (23, "violation"),
               "hangs_at_load": (9, "deadline"), "exits": (11, "exited")}
    mark = host.mark()
    for plugin in dropped:
        host.add_plugin(plugin)
    host.write_rules({**rules, **{plugin: {} for plugin in dropped}})
    for plugin, (number, reason) in dropped.items():
        def failed(e, plugin=plugin, reason=reason):
            return e.get("rule_id") == plugin and e.get("event") in ("scheduler_rule_error", "rule_rejected") and \
                e["error"].get("reason") in (reason, "selftest_failed")
        try:
            host.wait_for(failed, 12, since=mark)
        except HostFailed:
            book.expect(number, False, f"{plugin}, dropped into a running host, was not found out: {reasons_of(host, plugin, mark)}")


def breaker_state(value, rule_id):
    """The state of a rule's breaker in an answer of the API or the command line, wherever it stands there."""
    for record in records_of(value, rule_id):
        found = [text for text in strings_of(record) if text in STATES]
        if found:
            return found[0]
    return None


def strings_of(value):
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings_of(inner)


def creeping_host(ground, book):
    """17, 47, 48, 49, 51: rules that get worse with time, and one that attacks who shares its worker."""
    # The third lost worker puts a rule out of service; six seconds are enough to look, and to start again.
    settings = {"isolation": {"max_growth_mb": 8},
                "breaker": {"lost_workers": 3, "first_back_off_seconds": 1, "max_back_off_seconds": 6}}
    host = CatalogueHost(ground, "creeping", 100, settings)
    shared = {"group": "shared"}
    rules = {"leaks": {"memory_mb": 128}, "creeps": {"timeout_ms": 30}, "flaky": {}, "answers_at_random": {}, "forges_neighbour": shared,
             "tenant": shared}
    for plugin in rules:
        host.add_plugin(plugin)
    host.write_rules(rules)
    host.start()
    try:
        flaky_goes_and_comes_back(host, book)
        leaks_are_recycled(host, book)
        the_group_is_split(host, book)
        creeping_is_noticed(host, book)
        chance_is_noticed(host, book)
        book.expect(17, not reasons_of(host, "healthy"), f"the healthy rule failed: {reasons_of(host, 'healthy')}")
    finally:
        host.stop()


def await_event(host, book, number, name, rule_id, seconds):
    """The event, or None, which is then written down."""
    try:
        return host.wait_for(lambda e: e.get("event") == name and (rule_id is None or e.get("rule_id") == rule_id), seconds)
    except HostFailed:
        book.expect(number, False, f"no {name} was logged")
        return None


def leaks_are_recycled(host, book):
    await_event(host, book, 17, "worker_recycled", "leaks", 4)
    book.expect(17, not reasons_of(host, "leaks"), f"an evaluation failed: {reasons_of(host, 'leaks')}")


def the_group_is_split(host, book):
    split = await_event(host, book, 51, "group_split", None, 4)
    if split is None:
        return
    with host.changed:
        mark = host.events.index(split)
    try:
        host.wait_for(lambda e: e.get("event") == "scheduler_rule_result" and e.get("rule_id") == "tenant", 4, since=mark)
        host.run_after(host.mark())
        book.expect(51, not reasons_of(host, "tenant", mark), f"after the split its neighbour fails: {reasons_of(host, 'tenant', mark)}")
        book.expect(51, titles_of(host, "tenant") == {"the tenant's answer"}, f"the neighbour says {titles_of(host, 'tenant')}")
    except HostFailed:
        book.expect(51, False, "its neighbour does not answer after the split")
    blamed = reasons_of(host, "forges_neighbour")
    book.expect(51, blamed & {"protocol", "bad_result"} != set(), f"the forger was not found out: {blamed}")


def creeping_is_noticed(host, book):
    slow = await_event(host, book, 49, "rule_slow", "creeps", 4)
    try:
        killed = host.wait_for(lambda e: e.get("event") == "scheduler_rule_error" and e.get("rule_id") == "creeps", 6)
        book.expect(49, killed["error"].get("reason") == "deadline", f"it failed with {killed['error']}")
        book.expect(49, slow is None or slow["ts"] < killed["ts"], "the warning came after the deadline")
    except HostFailed:
        book.expect(49, False, "it never met its deadline")


def chance_is_noticed(host, book):
    found = reasons_of(host, "answers_at_random") == {"nondeterministic"} or await_event(
        host, book, 48, "rule_nondeterministic", "answers_at_random", 4)
    book.expect(48, bool(found), "nobody noticed that it answers at random")


def state_of_flaky(host):
    """As the API says; a rule of which nothing is said is healthy."""
    return breaker_state(host.request("GET", "/v1/rules")[2], "flaky") or "healthy"


def flaky_goes_and_comes_back(host, book):
    """Backs off after the second lost worker, is put away after the third, stays away over a restart, comes back by probing."""
    for name in ("rule_backing_off", "rule_quarantined"):
        if await_event(host, book, 47, name, "flaky", 8) is None:
            return
    host.settle(lambda: state_of_flaky(host) == "quarantined", 1)  # said at the end of the run
    everywhere = {"/v1/rules": host.request("GET", "/v1/rules")[2], "/health/detail": host.request("GET", "/health/detail")[2],
                  "varde rules list": host.varde("rules", "list")}
    for place, value in everywhere.items():
        book.expect(47, breaker_state(value, "flaky") == "quarantined", f"{place} does not say that it is quarantined")
    book.expect(47, any(records_of(host.varde("incidents", "list"), "flaky")), "varde incidents list does not know of it")
    book.expect(47, host.stop() == 0 and not orphans(but=()), "the host did not stop cleanly")
    mark = host.mark()
    host.start()
    host.run_after(mark)
    book.expect(47, state_of_flaky(host) == "quarantined", f"after a restart it is {state_of_flaky(host)}")
    probing = await_event(host, book, 47, "rule_probing", "flaky", 12)
    await_event(host, book, 47, "rule_back_in_service", "flaky", 4)
    asked = [e for e in host.since(mark, event="scheduler_rule_result", rule_id="flaky") if probing is None or e["ts"] < probing["ts"]]
    book.expect(47, not asked, "it was asked while it was out of service")


def death_host(ground, book, checks):
    """54: kill -9 of a host whose workers spin, sleep and block every signal."""
    host = CatalogueHost(ground, "death", 500)
    hanging = ("blocks_signals", "sleeps", "spins")
    for plugin in hanging:
        host.add_plugin(plugin)
    host.write_rules({plugin: {"timeout_ms": 60_000} for plugin in hanging})
    host.start()
    try:
        # The first of them in the alphabet hangs in its first evaluation now, the others wait their turn.
        host.wait_for(lambda e: e.get("event") == "scheduler_run_start", 10)
        busy = host.settle(lambda: any(ticks > 20 for ticks in cpu_ticks(host)), 5)
        workers = host.workers()
        book.expect(54, busy and len(workers) >= 4 + len(hanging), f"{len(workers)} workers, one of them busy: {busy}")
        host.kill()
        begin = time.monotonic()
        while any(is_alive(pid) for pid in workers) and time.monotonic() < begin + 5:
            time.sleep(0.001)
        gone = (time.monotonic() - begin) * 1000
        print(f"        {len(workers)} workers were gone {gone:.0f} ms after kill -9 of their host", flush=True)
        book.expect(54, gone < 100, f"the workers were gone after {gone:.0f} ms")
        book.expect(54, host.settle(lambda: not orphans(but=()), 1), f"left behind: {orphans(but=())}")
        host.write_rules({})
        mark = host.mark()
        host.start()
        events, _ = host.run_after(mark)
        failed = [e for e in events if e.get("event") == "scheduler_rule_error"]
        book.expect(54, not failed, f"the next start is not clean: {failed}")
        book.expect(54, host.stop() == 0, "the next host does not stop cleanly")
    finally:
        host.stop()


def cpu_ticks(host):
    """User time of each worker, in hundredths of a second."""
    for pid in host.workers():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                yield int(file.read().rpartition(")")[2].split()[11])
        except OSError:
            continue
