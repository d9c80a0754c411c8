"""Customers that may be one person: found, judged by somebody, merged and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ...errors import UsageError
from .evidence import evidence
from .model import score
from .people import read_people

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog
    from ...hosting.host import PluginHost
    from ...store.store import Store

# Every pair that is likelier than not is shown; from here on a merge of many takes pairs unseen.
REVIEW_FROM = 0.5
MERGE_FROM = 0.9


@frozen(kw_only=True)
class Candidate:
    """Two customers that may be one.

    Attributes:
        a_id, b_id: the customers, ``a_id`` the one known longer.
        probability: that they are one, from 0 to 1.
        evidence: why, in words and without any value.
        decision: what somebody said of the pair, or None.
    """

    a_id: int
    b_id: int
    probability: float
    evidence: str
    decision: str | None = None


class Duplicates:
    """Finds pairs, keeps what people say of them, merges and unmerges. Nothing merges unasked."""

    def __init__(self, store: Store, catalog: Catalog, host: PluginHost) -> None:
        self._store, self._catalog, self._host = store, catalog, host

    def find(self, least: float = REVIEW_FROM, *, engine: str | None = None) -> list[Candidate]:
        """Every pair with at least this probability, likeliest first.

        Args:
            least: lowest probability, above 0 and at most 1.
            engine: ``splink`` (learns from the customers) or ``fixed``; None chooses.

        Raises:
            UsageError: if ``least`` is no such probability, or Splink is asked for and missing.
        """
        if not 0 < least <= 1:
            raise UsageError(f"a probability of {least} is not above 0 and at most 1.")
        if engine == "splink":
            check_splink()
        people = read_people(self._store, self._catalog)
        said = self._store.decisions.all()
        return [
            Candidate(
                a_id=pair.a,
                b_id=pair.b,
                probability=pair.probability,
                evidence=evidence(pair, people.keys),
                decision=said[pair.a, pair.b].decision if (pair.a, pair.b) in said else None,
            )
            for pair in score(people, least, engine=engine)
        ]

    def decide(self, pairs: Sequence[tuple[int, int]], decision: str, reason: str | None) -> None:
        """Notes what somebody says of pairs; see :meth:`crmkit.store.decisions.Decisions.decide`."""
        self._store.decisions.decide(pairs, decision, reason)


def check_splink() -> None:
    """Refuses to go on without Splink.

    Raises:
        UsageError: naming the extra.
    """
    from .model import has_splink

    if not has_splink():
        raise UsageError(
            "Splink is not installed.", hint="Install it with: pip install 'crmkit[dedupe]'"
        )
