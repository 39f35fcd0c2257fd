"""What goes wrong in a home on the judged day, and what the rules may say of it.

One function an incident. It changes the diary or the sensors and writes the truth: the rule that has to speak (`rule_id`), and other
rules that may (`also`), because to the sensors it is the same thing: a dead gateway makes a home silent for R-001 too.
"""
from daily_life import AWAY


class House:
    """One home while it is being invented. Times are minutes after the first midnight; the judged day begins at `judged`."""

    def __init__(self, diary, sensors, plans, dice, judged):
        self.diary = diary
        self.sensors = sensors
        self.plans = plans
        self.dice = dice
        self.judged = judged
        self.dead = []   # spans in which the gateway sends nothing
        self.truth = []  # (rule_id, from, until, what, also)

    def at(self, earliest, latest):
        """A moment of the judged day, in hours of the clock."""
        return self.judged + self.dice.uniform(earliest, latest) * 60

    def plant(self, rule_id, start, end, what, also=()):
        self.plans.take(start, end)
        self.truth.append((rule_id, start, end, what, tuple(also)))


def fall_in_the_kitchen(house):
    """On the floor behind the table: in front of a presence sensor that repeats itself R-001 could not tell it from somebody who sits."""
    start = house.at(13, 15)
    end = start + house.dice.uniform(240, 300)
    house.diary.put(start - 12, start - 1, "stue")
    house.diary.put(start - 1, start, "kjokken")
    house.diary.put(start, end, "kjokken", "unseen")
    house.diary.put(end, end + 30, "kjokken")
    visitor_comes(house, end)
    house.plant("R-001", start, end, "fell in the kitchen, found hours later")


def fall_in_the_bathroom(house):
    start = house.at(13, 15)
    end = start + house.dice.uniform(200, 225)
    house.diary.put(start, end, "baderom", "still")
    house.diary.put(end, end + 30, "stue")
    visitor_comes(house, end)
    house.plant("R-004", start, end, "fell in the bathroom, found hours later", ["R-001", "R-010"])


def visitor_comes(house, at):
    house.sensors.front_door(at)
    house.sensors.moved(at + 0.1, "inngang")


def door_at_night(house):
    start = house.at(1, 4)
    end = start + house.dice.uniform(2, 7)
    house.diary.put(start - 2, start, "inngang")
    house.diary.put(start, end, AWAY)
    house.diary.put(end, end + 2, "inngang")
    house.plant("R-002", start, end, "out through the front door at night and back")


def door_and_nothing_after(house):
    start = house.at(17.2, 18.5)
    end = start + house.dice.uniform(20, 45)
    house.diary.put(start - 2, start, "inngang")
    house.diary.put(start, end, AWAY)
    house.diary.put(end, end + 15, "stue")
    house.plant("R-003", start, end, "went out in the dark without a coat, back half an hour later")


def long_stay_by_day(house):
    start = house.at(10, 11)
    end = start + house.dice.uniform(52, 85)
    house.diary.put(start, end, "baderom")
    house.diary.put(end, end + 30, "stue")
    house.plant("R-004", start, end, "long in the bathroom by day")


def long_stay_at_night(house):
    start = house.at(1, 4)
    end = start + house.dice.uniform(30, 50)
    house.diary.put(start, end, "baderom", "still")
    house.diary.put(end, end + 3, "soverom")
    house.plant("R-004", start, end, "long in the bathroom at night")


def bathroom_not_used(house):
    end = house.at(17, 19)
    house.diary.avoid("baderom", house.judged - house.dice.uniform(13, 15) * 60, end, "soverom")
    house.diary.put(end, end + 6, "baderom")
    start = house.diary.last("baderom", end - 1)
    house.truth.append(("R-005", start, end, "not in the bathroom for more than a day", ()))


def stays_in_bed(house):
    start, end = house.at(6, 6.1), house.at(13.5, 14.5)
    house.diary.put(start, end, "soverom", "asleep")
    for hour in (7.5, 10, 12.5):
        house.diary.put(house.judged + hour * 60, house.judged + hour * 60 + 7, "baderom")
    house.diary.put(house.judged + 8 * 60, house.judged + 8 * 60 + 12, "kjokken")
    house.diary.put(end, end + 40, "stue")
    house.plant("R-006", start, end, "ill, in bed until the afternoon")


def restless_night(house):
    start = at = house.at(1, 3)
    end = start + house.dice.uniform(70, 100)
    room = None
    while at < end:
        room = house.dice.choice([other for other in ("soverom", "kjokken", "stue", "baderom") if other != room])
        length = house.dice.uniform(1.5, 4)
        house.diary.put(at, at + length, room)
        at += length
    house.plant("R-007", start, end, "from room to room at night")


def door_again_and_again(house):
    start = at = house.at(14.8, 15.5)
    for _ in range(4):
        house.diary.put(at, at + 1.5, AWAY)
        house.diary.put(at + 1.5, at + 5, "inngang")
        at += 5
    house.diary.put(at, at + 20, "stue")
    house.plant("R-008", start, at + 20, "out and in and out again, four times in twenty minutes")


def dead_gateway(house):
    start = house.at(8.5, 10)
    end = start + house.dice.uniform(210, 300)
    house.diary.put(start - 15, start + 5, "stue")
    house.diary.put(end - 5, end + 10, "stue")
    house.dead.append((start, end))
    house.plant("R-009", start, end, "gateway dead for hours", ["R-001", "R-006"])


def hall_sensor_stuck(house):
    start = house.at(7, 9)
    end = start + house.dice.uniform(300, 420)
    house.sensors.stick("inngang", start, end)
    house.truth.append(("R-010", start, end, "presence sensor of the hall stuck", ()))


def bathroom_sensor_stuck(house):
    start = house.at(7, 9)
    end = start + house.dice.uniform(300, 420)
    house.sensors.stick("baderom", start, end)
    house.truth.append(("R-010", start, end, "presence sensor of the bathroom stuck", ("R-004",)))


def kitchen_sensor_stuck(house):
    start = house.at(-7, -5)
    end = house.at(12, 15)
    house.sensors.stick("kjokken", start, end)
    house.truth.append(("R-010", start, end, "presence sensor of the kitchen stuck", ()))


def day_out(house):
    start = house.at(10, 11)
    end = start + house.dice.uniform(240, 420)
    house.diary.put(start, end, AWAY)
    house.plant("R-003", start, end, "out for most of the day", ["R-001"])


# What happens in the homes, in turns. The first six have something for every rule.
TURNS = (
    (door_at_night, fall_in_the_kitchen),
    (restless_night, dead_gateway),
    (long_stay_at_night, door_again_and_again),
    (bathroom_not_used, door_and_nothing_after),
    (stays_in_bed,),
    (hall_sensor_stuck, long_stay_by_day),
    (),
    (fall_in_the_bathroom,),
    (kitchen_sensor_stuck, door_at_night),
    (day_out,),
    (bathroom_sensor_stuck,),
    (),
)


def leave_home_now_and_then(house, midnight, habits):
    """The front door on an ordinary day: a nurse in some homes, the letter box, an errand. To R-003 an errand is no different from a fall
    outside the door, so that it stands in the truth too; the rest is nothing that a rule should speak of."""
    dice = house.dice
    if habits["nurse"] and (start := house.plans.find(dice, midnight + 8.4 * 60, midnight + 9.6 * 60, 30, 5)):
        end = start + dice.uniform(15, 28)
        house.diary.put(start, end, "stue")
        visitor_comes(house, start)
        house.sensors.moved(end - 0.3, "inngang")
        house.sensors.front_door(end)
        house.diary.put(end, end + 3, "kjokken")
    if dice.random() < 0.5 and (start := house.plans.find(dice, midnight + 11 * 60, midnight + 14 * 60, 4, 5)):
        house.diary.put(start, start + dice.uniform(1.5, 4), AWAY)
    length = dice.uniform(35, 150)
    if dice.random() < 0.7 and (start := house.plans.find(dice, midnight + 10 * 60, midnight + 14.5 * 60, length, 10)):
        house.diary.put(start, start + length, AWAY)
        house.truth.append(("R-003", start, start + length, "errand", ()))

