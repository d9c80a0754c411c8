"""Customers that may be one person: found, judged by somebody, merged and taken apart again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ...declarations import CUSTOMER, MergeConflict
from ...errors import PluginError, UsageError
from .evidence import evidence
from .model import score
from .people import read_people

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog
    from ...hosting.host import PluginHost
    from ...store.merge import Merge
    from ...store.store import Store

Pair = tuple[int, int]
HOOK = "choose_merged_values"
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
                evidence=evidence(pair, people),
                decision=said[pair.a, pair.b].decision if (pair.a, pair.b) in said else None,
            )
            for pair in score(people, least, engine=engine)
        ]

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

        Pairs decided ``same`` are in it whatever their probability from :data:`REVIEW_FROM` on,
        those decided otherwise are not. Of several records of one person the oldest stays. Two
        records that somebody decided are different never end up in one customer, by no third one
        either.
        """
        found = self.find(min(least, REVIEW_FROM), engine=engine)
        apart = [p for p, d in self._store.decisions.all().items() if d.decision != "same"]
        groups = Groups(apart)
        for pair in found:
            wanted = pair.decision == "same" or (
                pair.decision is None and pair.probability >= least
            )
            if wanted:
                groups.join(pair.a_id, pair.b_id)
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
        apart: pairs that must not come together.
    """

    def __init__(self, apart: Sequence[Pair] = ()) -> None:
        self._group: dict[int, set[int]] = {}
        self._apart: dict[int, set[int]] = {}
        for a, b in apart:
            self._apart.setdefault(a, set()).add(b)
            self._apart.setdefault(b, set()).add(a)

    def join(self, a: int, b: int) -> bool:
        """Joins the groups of two records; false if that would bring two together that must not."""
        one, other = (self._group.get(i, {i}) for i in (a, b))
        if one is other:
            return True
        if any(self._apart.get(i, set()) & other for i in one):
            return False
        joined = one | other
        for i in joined:
            self._group[i] = joined
        return True

    def pairs(self) -> list[Pair]:
        """(kept, merged) for each record but the oldest of its group, in order."""
        oldest = {i: min(group) for i, group in self._group.items()}
        return sorted((kept, i) for i, kept in oldest.items() if i != kept)


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
