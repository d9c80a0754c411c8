"""Which keys were seen before, in memory and beyond it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crmkit.intake.keys import Occurrences, Repeat, SeenKeys


def test_a_repeat_names_the_first_line_and_whether_it_is_equal():
    seen = SeenKeys()
    assert seen.repeats(["a", "b", "a", "a"], [1, 2, 1, 3], [2, 3, 4, 5]) == [
        Repeat(2, 2, True), Repeat(3, 2, False),
    ]  # fmt: skip
    seen.add(["a", "b"], [1, 2], [2, 3])
    assert seen.repeats(["c", "b"], [9, 2], [6, 7]) == [Repeat(1, 3, True)]
    assert seen.known(["c", "b", "a"]) == ["b", "a"]


@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=8))
def test_keys_beyond_memory_are_found_as_in_memory(batches):
    small, large = SeenKeys(limit=3), SeenKeys()
    line = 1
    for batch in batches:
        keys = [f"k{n % 20}" for n in batch]
        lines = list(range(line, line + len(batch)))
        line += len(batch)
        expected = large.repeats(keys, batch, lines)
        assert small.repeats(keys, batch, lines) == expected
        repeated = {r.position for r in expected}
        new = [i for i in range(len(keys)) if i not in repeated]
        for seen in (small, large):
            seen.add([keys[i] for i in new], [batch[i] for i in new], [lines[i] for i in new])
        assert sorted(small.known(keys)) == sorted(keys)
    small.close()


def test_equal_rows_are_numbered_through_the_file():
    names = Occurrences()
    first = names.keys([("a", None), ("b", "c"), ("a", None)], 2)
    assert [key.rpartition("-")[2] for key in first] == ["1", "1", "2"]
    assert first[0].rpartition("-")[0] == first[2].rpartition("-")[0] != first[1].rpartition("-")[0]
    assert [key.rpartition("-")[2] for key in names.keys([("a", None), ("b", "c")], 5)] == [
        "3",
        "2",
    ]
    assert Occurrences().keys([("a", None)], 2) == first[:1]
