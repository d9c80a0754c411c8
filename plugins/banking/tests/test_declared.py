"""Whatever the plugin declares says what it is and where it comes from."""

from __future__ import annotations

import re

import crmkit_banking as banking


def test_every_feature_says_what_it_is_and_every_set_where_it_comes_from() -> None:
    sets = banking.register_features()
    features = [feature for one in sets for feature in one.features]
    assert [f.name for f in features if not (f.description and f.title and f.title_zh)] == []
    assert [one.name for one in sets if not one.source] == []


def test_rules_reports_and_the_rest_name_their_sources() -> None:
    assert [
        rule.name for rule in banking.register_rules() if not (rule.source and rule.message)
    ] == []
    assert [r.name for r in banking.register_reports() if not (r.method and r.source)] == []
    assert [s.name for s in banking.register_scores() if not (s.description and s.limits)] == []
    assert [s.name for s in banking.register_segments() if not s.description] == []
    sourced = [*banking.register_cost_drivers(), *banking.register_tier_schemes()]
    assert [one.name for one in sourced if not one.source] == []


def test_no_rule_names_a_column_as_evidence_that_is_kept_anyway() -> None:
    """Columns of the condition and the message are."""
    said = {
        rule.name: set(re.findall(r"banking_\w+", f"{rule.when} {rule.message}"))
        for rule in banking.register_rules()
    }
    repeated = {
        rule.name: said[rule.name] & set(rule.evidence)
        for rule in banking.register_rules()
        if said[rule.name] & set(rule.evidence)
    }
    assert repeated == {}
