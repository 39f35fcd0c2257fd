"""What became of the slots of interval schedules, read from the database: every one has exactly one row that tells."""
import contextlib
import sqlite3

import postgres_server

ROWS = ("SELECT schedule_id, nominal_at, coalesce(nominal_from, nominal_at), slots, more_slots, state, reason, attempt FROM runs"
        " WHERE kind = 'scheduled' ORDER BY schedule_id, nominal_at")
CURSORS = "SELECT schedule_id, created_at, coalesce(last_nominal, 0) FROM schedules"
LIVE = {"waiting", "pending", "running"}


def read(database, sql):
    if database.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(f"file:{database.removeprefix('sqlite:')}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()
    return [tuple(int(part) if part.lstrip("-").isdigit() else part for part in line.split("|"))
            for line in postgres_server.query(database, sql)]


class SlotBook:
    """Holds the rows against the grid of each schedule: slots every `period_us` from `anchor_us`, up to its cursor."""

    def __init__(self, database, period_us, anchor_us, schedules):
        self.missing, self.doubled, self.unexplained, self.live = [], [], [], []
        self.slots = self.runs = self.again = 0
        self.states = {}
        rows = {name: [] for name in schedules}
        for row in read(database, ROWS):
            if row[0] in rows:
                rows[row[0]].append(row)
        for name, created, cursor in read(database, CURSORS):
            if name in rows and cursor:
                first = anchor_us + ((created - anchor_us) // period_us + 1) * period_us
                self._hold(name, rows[name], range(first, cursor + 1, period_us), period_us)

    def _hold(self, name, rows, grid, period):
        seen = set()
        for _, last, first, slots, more, state, reason, attempt in rows:
            told = range(first, last + 1, period)
            if len(told) != slots and not more:
                self.missing.append((name, first, last, f"{slots} slots told, {len(told)} lie there"))
            self.doubled += [(name, slot) for slot in told if slot in seen]
            seen.update(told)
            self.states[state] = self.states.get(state, 0) + slots
            self.runs += state != "skipped"
            self.again += attempt > 1
            if state in LIVE:
                self.live.append((name, last, state))
            elif state != "success" and not reason:
                self.unexplained.append((name, last, state))
        self.slots += len(grid)
        self.missing += [(name, slot) for slot in grid if slot not in seen]

    def check(self, checks, what):
        checks.check(f"{what}: there were slots", self.slots > 0)
        checks.equal(f"{what}: no slot of {self.slots} is without a row", self.missing[:5], [])
        checks.equal(f"{what}: none has two", self.doubled[:5], [])
        checks.equal(f"{what}: what did not succeed has a reason", self.unexplained[:5], [])
        checks.equal(f"{what}: nothing is left open", self.live[:5], [])
        checks.equal(f"{what}: nothing was started twice", self.again, 0)
        print(f"        {what}: {self.slots} slots, {self.runs} runs, {self.states}", flush=True)
