"""Logs of clocks read by hand."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crmkit.entities import Calendar, ClockEvent, ClockState, Target, parse_week, replay

BERLIN = "Europe/Berlin"
ALWAYS = Calendar(time_zone=BERLIN)
OFFICE = Calendar(time_zone=BERLIN, week=parse_week("mon-fri 09:00-17:00"))
ANSWER = Target.parse("24 h")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))


def log(**events: str) -> list[ClockEvent]:
    """Events by name, ``pause_2`` being a second pause."""
    return [ClockEvent(name.partition("_")[0], local(at)) for name, at in events.items()]


@pytest.mark.parametrize("start", [
    "2026-03-18T10:00:00",  # a Wednesday
    "2026-03-20T16:00:00",  # a Friday: the weekend does not stop the answer
    "2026-04-02T18:00:00",  # the evening before Good Friday
    "2026-03-28T12:00:00",  # summer time begins within
    "2026-10-24T12:00:00",  # summer time ends within
])  # fmt: skip
def test_an_answer_is_in_time_before_24_hours_and_late_with_them(start: str) -> None:
    received = local(start)
    activated = [ClockEvent("activate", received)]
    second = timedelta(seconds=1)
    due = received.astimezone(UTC) + timedelta(hours=24)
    running = replay(activated, ANSWER, ALWAYS)
    assert running.due_at == due
    assert not running.is_late(due - second)
    assert running.is_late(due)
    in_time = replay([*activated, ClockEvent("fulfil", due - second)], ANSWER, ALWAYS)
    late = replay([*activated, ClockEvent("fulfil", due)], ANSWER, ALWAYS)
    far = due + timedelta(days=9)
    assert (in_time.used, in_time.is_late(far)) == (timedelta(hours=24) - second, False)
    assert (late.used, late.is_late(far)) == (timedelta(hours=24), True)


def test_a_pause_moves_the_due_time_by_what_was_open_meanwhile() -> None:
    # 8 office hours from Thursday 15:00: 2 used by 17:00; paused Friday 10:00 (3 used) until
    # Monday 12:00; 5 left from there: Monday 17:00.
    target = Target(8, "hour")
    events = log(activate="2026-03-19T15:00", pause="2026-03-20T10:00")
    paused = replay(events, target, OFFICE)
    assert (paused.state, paused.due_at, paused.used) == (
        ClockState.PAUSED,
        None,
        timedelta(hours=3),
    )
    events += log(resume="2026-03-23T12:00")
    running = replay(events, target, OFFICE)
    assert running.due_at == local("2026-03-23T17:00")
    assert running.used_at(local("2026-03-23T14:00"), OFFICE) == timedelta(hours=5)
    # Half of it was used after 4 hours: an hour after it ran again.
    assert running.passes(0.5, OFFICE) == local("2026-03-23T13:00")
    events += log(fulfil="2026-03-23T17:00")
    done = replay(events, target, OFFICE)
    assert (done.state, done.due_at, done.used) == (
        ClockState.FULFILLED, local("2026-03-23T17:00"), timedelta(hours=8),
    )  # fmt: skip
    assert done.is_late(local("2026-03-23T17:00"))


def test_what_cannot_follow_changes_nothing() -> None:
    sound = log(activate="2026-03-19T15:00", fulfil="2026-03-19T16:00")
    noisy = log(
        activate="2026-03-19T15:00", resume="2026-03-19T15:10", breach="2026-03-19T15:20",
        fulfil="2026-03-19T16:00", pause="2026-03-19T16:10", resume_2="2026-03-19T16:20",
    )  # fmt: skip
    assert replay(noisy, ANSWER, ALWAYS) == replay(sound, ANSWER, ALWAYS)


def test_a_cancelled_clock_is_never_late() -> None:
    events = log(activate="2026-03-19T15:00", cancel="2026-03-25T15:00")
    assert not replay(events, ANSWER, ALWAYS).is_late(local("2026-04-25T15:00"))


def test_another_holiday_list_gives_another_due_time_of_the_same_log() -> None:
    events = log(activate="2026-04-01T09:00")
    target = Target.parse("3 working days")
    # Wednesday to Friday evening; with Good Friday closed, Monday evening.
    assert replay(events, target, OFFICE).due_at == local("2026-04-03T17:00")
    holiday = Calendar(time_zone=BERLIN, week=OFFICE.week, days={date(2026, 4, 3): ()})
    assert replay(events, target, holiday).due_at == local("2026-04-06T17:00")


def test_days_end_with_the_last_of_them() -> None:
    target = Target.parse("2 days")
    # Received 28 March at some time; the second day after is the 30th, over when the 31st begins.
    reading = replay(log(activate="2026-03-28T11:00"), target, ALWAYS)
    assert reading.due_at == local("2026-03-31T00:00")
    last = replay(log(activate="2026-03-28T11:00", fulfil="2026-03-30T00:00"), target, ALWAYS)
    late = replay(log(activate="2026-03-28T11:00", fulfil="2026-03-31T00:00"), target, ALWAYS)
    assert (last.is_late(local("2027-01-01")), late.is_late(local("2027-01-01"))) == (False, True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30 min", Target(30, "minute")),
        ("24 h", Target(24, "hour")),
        ("1 hour", Target(1, "hour")),
        ("3 working days", Target(3, "working_day")),
        ("15 days", Target(15, "day")),
    ],
)
def test_targets_are_written_in_words(text: str, meant: Target) -> None:
    assert Target.parse(text) == meant
    assert Target.parse(str(meant)) == meant


@pytest.mark.parametrize("text", ["soon", "0 hours", "-1 h", "3", "3 weeks"])
def test_a_target_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time such as"):
        Target.parse(text)


def test_a_log_begins_with_its_activation() -> None:
    with pytest.raises(ValueError, match="activation"):
        replay(log(pause="2026-03-19T15:00"), ANSWER, ALWAYS)


def test_two_pauses_add_up_and_a_second_pause_or_resumption_changes_nothing() -> None:
    """8 hours on the wall clock: 1 used by 10:00, 3 more by 15:00, and 4 from 16:00 on."""
    events = log(
        activate="2026-03-18T09:00",
        pause="2026-03-18T10:00",
        pause_2="2026-03-18T10:30",
        resume="2026-03-18T12:00",
        resume_2="2026-03-18T13:00",
        pause_3="2026-03-18T15:00",
        resume_3="2026-03-18T16:00",
    )
    target = Target(8, "hour")
    running = replay(events, target, ALWAYS)
    assert (running.used, running.since) == (timedelta(hours=4), local("2026-03-18T16:00"))
    assert running.due_at == local("2026-03-18T20:00")
    second = timedelta(seconds=1)
    assert not running.is_late(running.due_at - second)
    assert running.is_late(running.due_at)
    assert running.used_at(local("2026-03-18T17:00"), ALWAYS) == timedelta(hours=5)
    # Half was used when it last began to run, so that is the instant; a quarter was used before.
    shares = {share: running.passes(share, ALWAYS) for share in (0, 0.25, 0.5, 0.75, 1)}
    assert shares == {
        0: local("2026-03-18T16:00"),
        0.25: local("2026-03-18T16:00"),
        0.5: local("2026-03-18T16:00"),
        0.75: local("2026-03-18T18:00"),
        1: local("2026-03-18T20:00"),
    }


@pytest.mark.parametrize(("hours", "late"), [(1, True), (2, True), (3, False)])
def test_a_clock_that_stands_is_late_with_all_of_its_time_used(hours: int, late: bool) -> None:
    """It was paused after two hours."""
    target, far = Target(hours, "hour"), local("2026-04-30T00:00")
    events = log(activate="2026-03-18T09:00", pause="2026-03-18T11:00")
    paused = replay(events, target, ALWAYS)
    assert (paused.is_late(far), paused.due_at) == (late, None)
    assert paused.used_at(far, ALWAYS) == timedelta(hours=2)
    assert paused.passes(0.5, ALWAYS) is None
    # What is done while it stands uses nothing more.
    done = replay(events + log(fulfil="2026-03-19T11:00"), target, ALWAYS)
    assert (done.state, done.used, done.stopped_at) == (
        ClockState.FULFILLED,
        timedelta(hours=2),
        local("2026-03-19T11:00"),
    )
    assert (done.is_late(far), done.passes(0.5, ALWAYS)) == (late, None)
    # Begun again, it is due when the rest is used up, which may be at once.
    again = replay(events + log(resume="2026-03-20T09:00"), target, ALWAYS)
    assert again.due_at == local("2026-03-20T10:00" if hours == 3 else "2026-03-20T09:00")


@pytest.mark.parametrize(
    ("target", "given"),
    [
        (Target(90, "minute"), timedelta(minutes=90)),
        (Target(2, "hour"), timedelta(hours=2)),
        (Target(2, "working_hour"), timedelta(hours=2)),
        # Two days of 8 hours; and from Thursday 15:00 two hours that day and 8 on Friday.
        (Target(2, "working_day"), timedelta(hours=16)),
        (Target(1, "day"), timedelta(hours=10)),
    ],
)
def test_a_target_gives_time_of_its_unit(target: Target, given: timedelta) -> None:
    assert target.duration(local("2026-03-19T15:00"), OFFICE) == given
    assert target.working == target.unit.startswith("working")


def test_one_is_written_without_a_plural() -> None:
    assert [str(Target(n, "working_hour")) for n in (1, 2)] == ["1 working hour", "2 working hours"]
