"""Banking: accounts, credit decisions, watch list and profit.

This module holds the hook implementations only; each is a plain list of what the subjects of the
plugin bring, whose modules are imported when the hook is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit import hookimpl

if TYPE_CHECKING:
    from crmkit.declarations import (
        CaseKind,
        Command,
        CostDriver,
        CustomerFields,
        Demo,
        Estimator,
        FeatureSet,
        ImportProfile,
        InteractionKind,
        Lifecycle,
        RecordType,
        Report,
        Rule,
        Score,
        Scored,
        Segment,
        TierScheme,
    )
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm


@hookimpl
def register_customer_fields() -> CustomerFields:
    """What a bank knows of every customer."""
    from .data import customer_fields

    return customer_fields()


@hookimpl
def register_record_types() -> list[RecordType]:
    """Accounts, deposits, loans, cards, applications and decisions."""
    from .data import record_types

    return record_types()


@hookimpl
def register_interaction_kinds() -> list[InteractionKind]:
    """Transactions, repayments, visits and requests."""
    from .data import interaction_kinds

    return interaction_kinds()


@hookimpl
def register_lifecycles() -> list[Lifecycle]:
    """The way of a bank's customer."""
    from . import portfolio
    from .lifecycle import RELATION

    return [RELATION, *portfolio.LIFECYCLES]


@hookimpl
def register_profiles() -> list[ImportProfile]:
    """The public files of credit research."""
    from .profiles import profiles

    return profiles()


@hookimpl
def register_reports() -> list[Report]:
    """Decisions, balances, arrears, impairment, profit, sales and cash."""
    from . import portfolio
    from .decisions import reports as decisions

    return [*decisions.REPORTS, *portfolio.REPORTS]


@hookimpl
def register_features() -> list[FeatureSet]:
    """What is known of an application, an offer, a customer and a branch as of an instant."""
    from . import portfolio
    from .application import features as application
    from .monitoring import alarms
    from .propensity import features as propensity

    return [
        *application.FEATURE_SETS,
        *propensity.FEATURE_SETS,
        *alarms.FEATURE_SETS,
        *portfolio.FEATURE_SETS,
    ]


@hookimpl
def register_estimators() -> list[Estimator]:
    """Scorecards in whole points."""
    from .cards.declaration import POINTS

    return [POINTS]


@hookimpl
def register_scores() -> list[Score]:
    """Who will not repay, and who takes an offer."""
    from . import portfolio
    from .application.score import APPLICATION
    from .propensity.score import PROPENSITY, PROPENSITY_WITH_TALK

    return [APPLICATION, PROPENSITY, PROPENSITY_WITH_TALK, *portfolio.SCORES]


@hookimpl
def register_rules() -> list[Rule]:
    """What card, policy, monitoring, watch list, arrears, profit, sales and cash ask for."""
    from . import portfolio
    from .application import rules as application
    from .monitoring import alarms

    return [*application.RULES, *alarms.RULES, *portfolio.RULES]


@hookimpl
def register_commands() -> list[Command]:
    """Decisions, scorecards and allowances."""
    from .decisions import commands as decisions
    from .impairment import filing
    from .rejects import commands as rejects

    return [*decisions.COMMANDS, *rejects.COMMANDS, *filing.COMMANDS]


@hookimpl
def serve_scores(crm: Crm, scored: Scored, tx: Tx) -> None:
    """Files a decision for every application that was scored."""
    from .decisions.serve import serve

    serve(crm, scored, tx)


@hookimpl
def register_segments() -> list[Segment]:
    """Groups to sell to."""
    from . import portfolio

    return [*portfolio.SEGMENTS]


@hookimpl
def register_cost_drivers() -> list[CostDriver]:
    """What transactions, visits and collections cost."""
    from . import portfolio

    return [*portfolio.COST_DRIVERS]


@hookimpl
def register_tier_schemes() -> list[TierScheme]:
    """Tiers by contribution, and wealth bands."""
    from . import portfolio

    return [*portfolio.TIER_SCHEMES]


@hookimpl
def register_case_kinds() -> list[CaseKind]:
    """The watch case, whose customer is called back within the hour."""
    from . import portfolio

    return [*portfolio.CASE_KINDS]


@hookimpl
def register_demos() -> list[Demo]:
    """A bank with a known cause behind every default."""
    from .demo import DEMO

    return [DEMO]
