"""What the sensors of a home say of the person in it: events as they are sent to POST /event.

Two homes never have the same habits: which rooms have a presence sensor, whether a sensor repeats itself, says "on" or true, in `state`
or in `value`, how long it stays on after somebody has left, and whether every way leads through the hall.
"""
import dataclasses
import json

from daily_life import AWAY

SECOND = 1 / 60


@dataclasses.dataclass(frozen=True)
class Habits:
    """How the sensors of one home behave."""
    presence: tuple      # rooms with a presence sensor; every room has a motion sensor
    key: str             # payload key of the state
    booleans: bool       # true and false instead of "on" and "off"
    repeats: float       # minutes after which a presence sensor says "on" again; 0: never
    hold: float          # minutes that a presence sensor stays on after somebody has left
    through_hall: bool   # the way from room to room leads past the hall's sensor
    beat: float          # minutes between two heartbeats

    @staticmethod
    def of(dice):
        presence = ["baderom", "stue", "kjokken", "inngang"] + (["soverom"] if dice.random() < 0.5 else [])
        return Habits(tuple(presence), dice.choice(("state", "state", "value")), dice.random() < 0.25,
                      dice.choice((0, 0, 5, 15)), dice.uniform(0.3, 1.5), dice.random() < 0.5, dice.choice((2, 5, 5)))


class Sensors:
    """Collects the events of one home as (minute, event)."""

    def __init__(self, scope, habits, dice):
        self.scope = scope
        self.habits = habits
        self.dice = dice
        self.events = []
        self.stuck = []  # (room, start, end)

    def say(self, at, category, room, state, name=None):
        payload = {"entity_id": f"binary_sensor.{name or room + '_' + category}"}
        if state is not None:
            payload[self.habits.key] = state
        if room:
            payload["room_id"] = room
        if category == "door":
            payload["door"] = "front"
        self.events.append((at, {"category": category, "payload": payload, **self.scope}))

    def is_stuck(self, room, at):
        return any(room == stuck and start < at < end for stuck, start, end in self.stuck)

    def binary(self, at, category, room, on):
        """Presence or motion. A stuck presence sensor says nothing but "on"."""
        if category == "presence" and self.is_stuck(room, at):
            return
        self.say(at, category, room, on if self.habits.booleans else "on" if on else "off")

    def moved(self, at, room):
        self.binary(at, "motion", room, True)
        self.binary(at + self.dice.uniform(20, 60) * SECOND, "motion", room, False)

    def present(self, start, end, room):
        if room not in self.habits.presence:
            return
        self.binary(start, "presence", room, True)
        if self.habits.repeats:
            at = start + self.habits.repeats
            while at < end:
                self.binary(at, "presence", room, True)
                at += self.habits.repeats
        self.binary(end + self.habits.hold, "presence", room, False)

    def stick(self, room, start, end):
        """The presence sensor of this room is on from start to end, whoever is there."""
        self.stuck.append((room, start, end))
        self.say(start, "presence", room, True if self.habits.booleans else "on")
        self.say(end, "presence", room, False if self.habits.booleans else "off")
        at = start + self.habits.repeats
        while self.habits.repeats and at < end:
            self.say(at, "presence", room, True if self.habits.booleans else "on")
            at += self.habits.repeats

    def front_door(self, at):
        self.say(at, "door", "inngang", "open", "inngangsdor_contact")
        self.say(at + self.dice.uniform(4, 20) * SECOND, "door", "inngang", "closed", "inngangsdor_contact")

    def beat(self, end):
        """A heartbeat of the gateway at its distance; one in fifty is lost on its way."""
        at = self.dice.uniform(0, self.habits.beat)
        while at < end:
            if self.dice.random() > 0.02:
                self.say(at, "heartbeat", None, None, "gateway")
            at += self.habits.beat

    def watch(self, stays):
        """Everything that the sensors see of a diary."""
        previous = None
        for stay in stays:
            self.on_the_way(previous, stay)
            if stay.room != AWAY:
                if stay.manner != "unseen":
                    self.present(stay.start + 3 * SECOND, stay.end, stay.room)
                self.movements(stay)
            previous = stay

    def on_the_way(self, previous, stay):
        if previous is None or previous.room == stay.room:
            return
        if AWAY in (previous.room, stay.room):
            out = stay.room == AWAY
            self.moved(stay.start - 20 * SECOND if out else stay.start + 5 * SECOND, "inngang")
            self.front_door(stay.start)
        elif self.habits.through_hall and "inngang" not in (previous.room, stay.room):
            self.moved(stay.start - 4 * SECOND, "inngang")

    def movements(self, stay):
        if stay.manner == "unseen":
            return
        self.moved(stay.start + 8 * SECOND, stay.room)
        if stay.manner == "still":
            return
        shortest, longest = (15, 85) if stay.manner == "asleep" else (1.5, 4) if stay.room == "kjokken" else (1.5, 9)
        at = stay.start + self.dice.uniform(shortest, longest)
        while at < stay.end - 1:
            self.moved(at, stay.room)
            at += self.dice.uniform(shortest, longest)


def silenced(events, spans):
    """Without what was said in these spans: the gateway was dead and kept nothing."""
    return [(at, event) for at, event in events if not any(start <= at < end for start, end in spans)]


def as_lines(events, instant_of, home):
    """JSON lines in time order, with ids that are the same at every run."""
    for number, (at, event) in enumerate(sorted(events, key=lambda item: item[0]), 1):
        yield json.dumps({"id": f"{home}-{number:06}", "timestamp": instant_of(at), **event}, separators=(",", ":"))
