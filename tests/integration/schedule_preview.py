#!/usr/bin/env python3
"""Check 4 of research/seeds_scheduler_services.md, section F: what the preview of a host answers over HTTP is what cron.jsonl promises.

    schedule_preview.py BUILD_FOLDER SHARED_FOLDER

Lines of five fields and macros whose promise is plain; `varde cron next --vectors` (conformance.cron) asks all dialects without HTTP.
"""
import json
import pathlib
import sys
import tempfile
import urllib.parse

from host_process import Checks, HostFailed
from schedule_stage import Stage, instant

VECTORS = "conformance/cron.jsonl"


def lines_of(shared):
    """Those that the definition of a schedule can say."""
    for line in (pathlib.Path(shared) / VECTORS).read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        plain = vector.get("promise") == "same" and vector["dialect"] in ("unix5", "macro")
        # An expression of another engine's hash, or with its own numbers of weekdays, means something else here.
        if plain and "impl_specific" not in vector and "dow" not in vector and not vector["expr"].startswith("@every"):
            yield vector


def answer_to(stage, vector):
    """The next time, "none" or "error"."""
    trigger = {"cron": vector["expr"], "timezone": vector.get("tz", "UTC"), "day_match": "both" if vector["domdow"] == "and" else "either"}
    after = urllib.parse.quote(vector.get("after", "2026-01-01T00:00:00Z"))
    status, answer = stage.call("POST", f"/schedules/preview?count=10&after={after}",
                                {"id": vector["id"], "kind": "noop", "trigger": trigger})
    if status == 422:
        return "none" if "never fires" in json.dumps(answer) else "error"
    if status != 200:
        raise HostFailed(f"{vector['id']}: {status} {answer}")
    fires = [row for row in answer["rows"] if row["fires"]]
    return instant(fires[0]["nominal_at"]) if fires else "none"


def promised(vector):
    if vector.get("expect_next"):
        return instant(vector["expect_next"])
    return "error" if "error" in vector else "none"


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    if not (pathlib.Path(sys.argv[2]) / VECTORS).exists():
        checks.skip("previews as cron.jsonl promises", f"{VECTORS} is not there")
        return checks.finish()
    with tempfile.TemporaryDirectory(prefix="varde-preview-") as name:
        folder = pathlib.Path(name)
        stage = Stage(build, folder / "sqlite", f"sqlite:{folder / 'varde.db'}", checks)
        try:
            stage.host.start()
            vectors = list(lines_of(sys.argv[2]))
            different = [(vector, answer) for vector in vectors if (answer := answer_to(stage, vector)) != promised(vector)]
            checks.check("there were at least forty lines of each kind of answer",
                         min(sum(bool(v.get("expect_next")) for v in vectors), sum("error" in v for v in vectors)) >= 40, len(vectors))
            checks.check(f"all of {len(vectors)} lines are answered as promised", not different, different[:5])
            checks.equal("the host stops cleanly", stage.host.stop(), 0)
        except HostFailed as error:
            checks.check("the host answers", False, error)
        finally:
            stage.host.stop()
            stage.sink.close()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
