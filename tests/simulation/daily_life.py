"""Where one person who lives alone is, minute by minute: the diary behind generated events.

Times are minutes (floats) after the local midnight with which the history begins; nothing here knows sensors, zones or rules.
"""
import bisect
import dataclasses

DAY = 24 * 60
AWAY = "ute"  # not at home; no room has this name
ROOMS = ("soverom", "baderom", "kjokken", "stue", "inngang")


@dataclasses.dataclass(frozen=True)
class Stay:
    start: float
    end: float
    room: str
    manner: str = "awake"  # awake | asleep | still | unseen: how much somebody moves there; unseen: no presence sensor sees them either


class Diary:
    """Stays in a row. What is entered later replaces what was there."""

    def __init__(self, end):
        self.stays = [Stay(0, end, "soverom", "asleep")]

    def put(self, start, end, room, manner="awake"):
        kept = []
        for stay in self.stays:
            if stay.end <= start or stay.start >= end:
                kept.append(stay)
                continue
            if stay.start < start:
                kept.append(dataclasses.replace(stay, end=start))
            if stay.end > end:
                kept.append(dataclasses.replace(stay, start=end))
        bisect.insort(kept, Stay(start, end, room, manner), key=lambda stay: stay.start)
        self.stays = kept

    def avoid(self, room, start, end, instead):
        """Nobody goes to this room in [start, end)."""
        for stay in list(self.stays):
            if stay.room == room and stay.start < end and stay.end > start:
                self.put(max(stay.start, start), min(stay.end, end), instead)

    def merged(self):
        """The stays, one for each time in a room. What later entries left of a stay is no stay if it is shorter than half a minute."""
        found = []
        for stay in self.stays:
            same = found and (found[-1].room, found[-1].manner) == (stay.room, stay.manner)
            if same or (found and stay.end - stay.start < 0.5):
                found[-1] = dataclasses.replace(found[-1], end=stay.end)
            else:
                found.append(stay)
        return found

    def last(self, room, before):
        """When the last stay in this room before then was over."""
        return max(stay.end for stay in self.stays if stay.room == room and stay.end <= before)


class Plans:
    """What is already planned, so that two things do not happen at once."""

    def __init__(self):
        self.spans = []

    def take(self, start, end):
        self.spans.append((start, end))

    def is_free(self, start, end):
        return all(end <= other_start or start >= other_end for other_start, other_end in self.spans)

    def find(self, dice, earliest, latest, length, margin):
        """A start in [earliest, latest] with so much room before and after, or nothing."""
        for _ in range(8):
            start = dice.uniform(earliest, latest)
            if self.is_free(start - margin, start + length + margin):
                self.take(start, start + length)
                return start
        return None


def live_a_day(diary, dice, midnight, habits):
    """An ordinary day at home: up, meals in the kitchen, the living room, the bathroom now and then, bed."""
    up = midnight + habits["up"] + dice.uniform(-20, 30)
    bed = midnight + habits["bed"] + dice.uniform(-25, 25)
    walks = sorted(dice.uniform(60, habits["up"] - 60) for _ in range(dice.choice((0, 1, 1, 1, 2))))
    for walk in walks:
        diary.put(midnight + walk, midnight + walk + dice.uniform(3, 9), "baderom")
    at = up
    while at < bed:
        room, length = next_stay(dice)
        diary.put(at, min(at + length, bed), room, "awake")
        at += length
    diary.put(up, up + dice.uniform(8, 24), "baderom")
    for hour, length in ((7.9, 25), (12.0, 30), (16.5, 45), (19.5, 20)):
        start = midnight + hour * 60 + dice.uniform(-20, 20)
        if start > up + 25:
            diary.put(start, start + length * dice.uniform(0.8, 1.2), "kjokken")
    diary.put(bed - dice.uniform(10, 20), bed, "baderom")


def next_stay(dice):
    """What comes between the fixed points of a day."""
    room = dice.choices(("stue", "kjokken", "baderom", "soverom"), (60, 17, 15, 8))[0]
    shortest, longest = {"stue": (20, 80), "kjokken": (3, 14), "baderom": (3, 9), "soverom": (5, 40)}[room]
    return room, dice.uniform(shortest, longest)
