import pytest

from crmkit.entities import Lifecycle, Stage
from crmkit.errors import MoveRefused

STAGES = (Stage("prospect", "prospect"), Stage("active", "growth"), Stage("left", "termination"))


def lifecycle(moves: set[tuple[str, str]], stages: tuple[Stage, ...] = STAGES) -> Lifecycle:
    return Lifecycle(name="test.customer", stages=stages, moves=moves)


SOUND = lifecycle({("prospect", "active"), ("active", "left"), ("left", "active")})


def test_allowed_move_and_first_entry_pass() -> None:
    assert SOUND.faults() == []
    SOUND.check_move("prospect", "active")
    SOUND.check_move("left", "active")  # win-back
    SOUND.check_move(None, "active")


def test_impossible_move_is_refused_with_the_allowed_stages() -> None:
    with pytest.raises(MoveRefused) as caught:
        SOUND.check_move("prospect", "left")
    assert str(caught.value) == (
        "lifecycle test.customer: prospect cannot move to left. Allowed from prospect: active."
    )
    assert caught.value.exit_code == 2


def test_unknown_stage_lists_the_known_ones() -> None:
    with pytest.raises(MoveRefused, match="It has prospect, active, left"):
        SOUND.check_move("prospect", "gone")


@pytest.mark.parametrize(
    ("machine", "fault"),
    [
        (lifecycle({("prospect", "active")}), "stage 'prospect' reaches no end"),
        (lifecycle({("prospect", "gone")}), "move prospect to gone names no stage 'gone'"),
        (lifecycle(set(), STAGES[:2]), "no stage is an end (kind termination, done, failed)"),
        (lifecycle(set(), (*STAGES, STAGES[0])), "stage 'prospect' is declared twice"),
        (
            lifecycle(set(), (Stage("waiting", "waiting"), STAGES[2])),
            "stage 'waiting' is of kind 'waiting', not one of prospect, development, growth, "
            "maturity, termination",
        ),
    ],
)
def test_unsound_lifecycle_is_named(machine: Lifecycle, fault: str) -> None:
    assert fault in machine.faults()
