"""Every case of the shipped corpus comes out as it says, and none with a traceback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmkit.testing.corpus import CASES, Case, Desk, open_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("corpus")) as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input_comes_out_as_the_corpus_says(desk: Desk, case: Case):
    assert desk.faults(case) == []
