"""Customers that may be one person: found, judged by somebody, merged and taken apart again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from attrs import frozen

from ...declarations import CUSTOMER, MergeConflict
from ...errors import PluginError, UsageError
from .evidence import evidence
from .model import Scored, score
from .people import People, read_people
from .relatives import HELD_AT, MERGE_FROM, Relatives

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog
    from ...hosting.host import PluginHost
    from ...store.merge import Merge
    from ...store.store import Store

Pair = tuple[int, int]
HOOK = "choose_merged_values"
# The pairs worth a person's time; with fewer doubts than this, most pairs of a list are two people.
REVIEW_FROM = 0.9


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
        people, pairs = self._scored(least, engine)
        said = self._store.decisions.all()
        return [
            Candidate(
                a_id=pair.a,
                b_id=pair.b,
                probability=pair.probability,
                evidence=evidence(pair, people),
                decision=said[pair.a, pair.b].decision if (pair.a, pair.b) in said else None,
            )
            for pair in pairs
        ]

    def _scored(self, least: float, engine: str | None) -> tuple[People, list[Scored]]:
        if not 0 < least <= 1:
            raise UsageError(f"a probability of {least} is not above 0 and at most 1.")
        if engine == "splink":
            check_splink()
        people = read_people(self._store, self._catalog)
        return people, score(people, least, engine=engine)

    def decide(self, pairs: Sequence[tuple[int, int]], decision: str, reason: str | None) -> None:
        """Notes what somebody says of pairs; see :meth:`crmkit.store.decisions.Decisions.decide`."""
        self._store.decisions.decide(pairs, decision, reason)

    # --- merging ------------------------------------------------------------------------------

    def merge(self, pairs: Sequence[Pair], *, dry_run: bool = False) -> list[Merge]:
        """Merges each second customer of a pair into the first, all or none.

        Where both have a value, plugins may choose whose survives (``choose_merged_values``); else
        the value of the one that stays does. A field that only one of them has a value in takes
        that one, and consent the stricter one.

        Raises:
            NotFound: if a customer does not exist.
            UsageError: if one of them is merged already.
            PluginError: if a plugin's choice fails; nothing was merged then.
        """
        conflicts = self._store.merges.conflicts(pairs)
        return self._store.merges.merge(pairs, self._chosen(conflicts), dry_run=dry_run)

    def likely(self, least: float = MERGE_FROM, *, engine: str | None = None) -> list[Pair]:
        """What a merge of all pairs from this probability on would merge: (kept, merged).

        Pairs decided ``same`` are in it whatever their probability, those decided otherwise are
        not. Of several records of one person the oldest stays. Two records that somebody decided
        are different never end up in one customer, by no third one either; nor do two that may be
        relatives, and a record that goes with both of them is merged with neither.
        """
        people, pairs = self._scored(least, engine)
        said = {p: d.decision for p, d in self._store.decisions.all().items()}
        customers = set(people.table["id"].to_pylist())
        same = [p for p, decision in said.items() if decision == "same" and customers.issuperset(p)]
        relatives = Relatives(people)

        def are_apart(a: int, b: int) -> bool:
            decision = said.get((min(a, b), max(a, b)))
            if decision is not None:
                return decision != "same"
            return least > HELD_AT and relatives.reason(a, b) is not None

        groups = Groups(are_apart)
        wanted = [(pair.a, pair.b) for pair in pairs if (pair.a, pair.b) not in said]
        for a, b in (*same, *unambiguous(wanted, are_apart)):
            groups.join(a, b)
        return groups.pairs()

    def unmerge(self, merges: Sequence[Merge]) -> None:
        """Takes merges back; see :meth:`crmkit.store.merge.Merges.unmerge`."""
        self._store.merges.unmerge(merges)

    def _chosen(self, conflicts: Sequence[MergeConflict]) -> list[MergeConflict]:
        """The conflicts in which a plugin lets the merged customer's value survive."""
        by_plugin: dict[str, list[MergeConflict]] = {}
        for conflict in conflicts:
            plugin = "core" if conflict.entity == CUSTOMER else conflict.entity.partition(".")[0]
            by_plugin.setdefault(plugin, []).append(conflict)
        out = []
        for plugin, own in sorted(by_plugin.items()):
            if plugin not in self._host.loaded or HOOK not in self._host.entry(plugin).hooks:
                continue
            for choice in self._host.call_alone(plugin, HOOK, conflicts=own):
                if not 0 <= choice.conflict < len(own):
                    raise PluginError(
                        plugin, HOOK, f"chose in conflict {choice.conflict} of {len(own)}."
                    )
                if choice.survivor == "merged":
                    out.append(own[choice.conflict])
        return out


class Groups:
    """Records of one person, joined pair by pair.

    Args:
        are_apart: whether two records must not come together.
    """

    def __init__(self, are_apart: Callable[[int, int], bool]) -> None:
        self._group: dict[int, set[int]] = {}
        self._are_apart = are_apart

    def join(self, a: int, b: int) -> bool:
        """Joins the groups of two records; false if that would bring two together that must not."""
        one, other = (self._group.get(i, {i}) for i in (a, b))
        if one is other:
            return True
        if any(self._are_apart(i, j) for i in one for j in other):
            return False
        joined = one | other
        for i in joined:
            self._group[i] = joined
        return True

    def pairs(self) -> list[Pair]:
        """(kept, merged) for each record but the oldest of its group, in order."""
        oldest = {i: min(group) for i, group in self._group.items()}
        return sorted((kept, i) for i, kept in oldest.items() if i != kept)


def unambiguous(pairs: Iterable[Pair], are_apart: Callable[[int, int], bool]) -> Iterator[Pair]:
    """The pairs without those of a record that goes with two others which must not come together.

    ``M. Twin`` may be Max or Mia, and only somebody who knows them can say which.
    """
    pairs = list(pairs)
    partners: dict[int, list[int]] = {}
    for a, b in pairs:
        partners.setdefault(a, []).append(b)
        partners.setdefault(b, []).append(a)
    unclear = {
        i for i, others in partners.items() if any(are_apart(*pair) for pair in combinations(others, 2))
    }  # fmt: skip
    return (pair for pair in pairs if unclear.isdisjoint(pair))


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
