"""Watch list: abnormal withdrawals and card use, collapse of income or balance, about to close."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import FeatureSet

from ..measures import flag, money, whole, word
from .case import DEPARTURE_CASE, STATES, WATCH_CASE
from .reports import REPORTS
from .rules import RULES

UNUSUAL = FeatureSet(
    name="banking.unusual",
    sql=resource_text(__package__, "unusual.sql"),
    window_days=181,
    source="Banking brief, section 9, rule 3",
    features=(
        money("withdrawal_today", "Largest withdrawal of the day", "当日最大取现",
              description="Largest withdrawal of the as-of day, at machine or counter; missing without "
              "one."),
        money("withdrawal_bound", "What a withdrawal would not exceed", "取现异常界限",
              description="The larger of five times the median and the mean plus four standard "
              "deviations of 180 days; missing with fewer than five withdrawals."),
        flag("unusual_withdrawal", "Unusual withdrawal", "异常取现", missing=False,
             description="The day's largest withdrawal is above its bound."),
        money("card_payment_today", "Largest card payment of the day", "当日最大刷卡",
              description="Largest card payment of the as-of day; missing without one."),
        money("card_payment_bound", "What a card payment would not exceed", "刷卡异常界限",
              description="As for withdrawals, of card payments."),
        flag("unusual_card_payment", "Unusual card payment", "异常刷卡", missing=False,
             description="The day's largest card payment is above its bound."),
        whole("atm_draws_today", "draw", "Draws at machines on the day", "当日ATM取现次数",
              description="Withdrawals at machines on the as-of day."),
        word("new_country", "Country that is new", "新国家",
             description="A country of the day's withdrawals and payments in which the 180 days before "
             "saw none, of a customer with five or more movements in them."),
        word("unusual_transaction", "The transaction", "所涉交易",
             description="Number of the transaction that is unusual: above a bound, else in a new "
             "country, else the largest of too many draws."),
    ),
)  # fmt: skip
FEATURES = (UNUSUAL,)

LIFECYCLES, CASE_KINDS = (STATES,), (WATCH_CASE, DEPARTURE_CASE)

__all__ = ["CASE_KINDS", "FEATURES", "LIFECYCLES", "REPORTS", "RULES"]
