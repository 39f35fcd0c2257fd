//! The rule: a door, the fridge's unless another is named, has been open for longer than `minutes`. See README.md.
use crate::abi::{ASK_ALWAYS, LOW, NEVER, OUTCOME_MET, OUTCOME_NOT_MET, OUTCOME_NO_DATA, OUTCOME_UNKNOWN};
use crate::edge::{Answer, Findings, Key, Literal, Params, Read, Refusal, Row, Rule, Setup, Value, Window};

const MINUTE_US: i64 = 60_000_000;

pub struct LeftOpen {
    minutes: i64,
    doors: Read,
    category: Literal,
    watched: Literal,
    open: Literal,
    door: Key,
    state: Key,
}

impl Rule for LeftOpen {
    fn new(setup: &Setup, params: &Params) -> Result<Self, Refusal> {
        let (mut minutes, mut door) = (10, "fridge");
        for (name, value) in params.members() {
            match (name, value) {
                ("minutes", Value::Integer(number @ 1..=1440)) => minutes = number,
                ("minutes", _) => return Err(Refusal::of(name, "must be a whole number from 1 to 1440")),
                ("door", Value::Text(text)) if (1..=64).contains(&text.len()) => door = text,
                ("door", _) => return Err(Refusal::of(name, "must be a text of 1 to 64 bytes")),
                _ => return Err(Refusal::of(name, "is no parameter of this rule; it has minutes and door")),
            }
        }
        let category = setup.literal("door")?;
        Ok(LeftOpen {
            minutes,
            doors: setup.window(&[category])?,
            category,
            watched: setup.literal(door)?,
            open: setup.literal("open")?,
            door: setup.key("door")?,
            state: setup.key("state")?,
        })
    }

    fn evaluate(&self, window: &Window, findings: &Findings) -> Answer {
        let limit_us = self.minutes * MINUTE_US;
        // A window that moves on loses the event an answer rests on.
        let gone_us = |row: Row| row.time_us() + window.length_us() + 1;
        if limit_us >= window.length_us() {
            return answer(OUTCOME_UNKNOWN, "the window is not longer than `minutes`; set lookback_minutes", ASK_ALWAYS);
        }
        let mut newest_first = self.events_of_door(window).rev();
        let Some(last) = newest_first.next() else {
            return answer(OUTCOME_NO_DATA, "no event of this door", NEVER);
        };
        if !self.is_open(&last) {
            return answer(OUTCOME_NOT_MET, "", gone_us(last));
        }
        // The first of the "open" events that nothing else has followed.
        let opened = newest_first.take_while(|row| self.is_open(row)).last().unwrap_or(last);
        let too_long_us = opened.time_us() + limit_us + 1;
        if window.until_us() < too_long_us {
            return answer(OUTCOME_NOT_MET, "", too_long_us);
        }
        let minutes = self.minutes;
        let explanation = format!("It was opened more than {minutes} minutes ago and has not been closed. Please close it.");
        findings
            .add(LOW, "A door has been open for too long", &explanation)
            .events("event_ids", &[opened])
            .time("opened_at", opened.time_us())
            .integer("minutes", minutes);
        answer(OUTCOME_MET, "", gone_us(opened))
    }
}

impl LeftOpen {
    /// Rows that this rule did not ask for can stand between those it did.
    fn events_of_door<'a>(&'a self, window: &Window<'a>) -> impl DoubleEndedIterator<Item = Row<'a>> + 'a {
        window.rows(self.doors).filter(|row| row.is_of(self.category) && row.says(self.door, self.watched))
    }

    fn is_open(&self, row: &Row) -> bool {
        row.says(self.state, self.open)
    }
}

fn answer(outcome: i32, reason: &'static str, valid_until: i64) -> Answer {
    Answer { outcome, reason, valid_until }
}
