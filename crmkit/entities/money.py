"""Money as whole minor units with a currency (design D12)."""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

from attrs import field, frozen
from attrs.validators import instance_of, matches_re

# ISO 4217 minor-unit exponents that are not 2 (table of 2026-01); codes absent here have two.
EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    "CLF": 4,
    "UYW": 4,
}

# Amounts are computed here and not in the thread's context, whose precision, rounding and traps belong
# to the embedding program and to whatever library it calls. 64 digits hold every product of an amount
# of 64 bits and a factor of 40 digits exactly.
MONEY_CONTEXT = Context(
    prec=64, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)  # fmt: skip


def exponent(currency: str) -> int:
    """How many decimals the minor unit of ``currency`` has: 2 for USD, 0 for JPY, 3 for KWD."""
    return EXPONENTS.get(currency, 2)


@frozen(order=False)
class Money:
    """An exact amount: ``minor`` whole minor units of ``currency`` (ISO 4217, three capitals).

    Example:
        >>> Money.parse("19.99", "USD")
        Money(minor=1999, currency='USD')
        >>> str(Money(1999, "JPY"))
        '1999'
    """

    minor: int = field(validator=instance_of(int))
    currency: str = field(validator=matches_re(r"[A-Z]{3}"))

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Reads a plain decimal such as ``-1234.5``.

        Raises:
            ValueError: if the text is no finite decimal, or has more decimals than the currency.
        """
        try:
            amount = Decimal(text, MONEY_CONTEXT)
        except InvalidOperation:
            raise ValueError(f"{text!r} is not a decimal amount") from None
        if not amount.is_finite():
            raise ValueError(f"{text!r} is not a finite amount")
        if max(len(amount.as_tuple().digits), amount.adjusted()) > MONEY_CONTEXT.prec:
            raise ValueError(f"{text[:80]!r} has too many digits for an amount")
        scaled = amount.scaleb(exponent(currency), context=MONEY_CONTEXT)
        if scaled != scaled.to_integral_value(context=MONEY_CONTEXT):
            raise ValueError(f"{text!r} has more than {exponent(currency)} decimals of {currency}")
        return cls(int(scaled), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency), context=MONEY_CONTEXT)

    def __str__(self) -> str:
        return f"{self.decimal:f}"

    def __add__(self, other: Money) -> Money:
        """The sum; amounts of two currencies do not add."""
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def split(self, parts: int) -> list[Money]:
        """``parts`` amounts that differ by at most one minor unit and sum exactly to this one."""
        if parts < 1:
            raise ValueError(f"an amount splits into 1 or more parts, not {parts}")
        base, rest = divmod(self.minor, parts)
        return [Money(base + (i < rest), self.currency) for i in range(parts)]

    def times(self, factor: Decimal | float, rounding: str = ROUND_HALF_EVEN) -> Money:
        """The amount times a factor, in whole minor units: the way to every share and commission.

        Args:
            factor: of a float counts the shortest decimal that is read as it: 0.29 is 29 % exactly.
            rounding: a mode of :mod:`decimal`; half to even unless a contract says otherwise.

        Raises:
            ValueError: if the factor is not finite.

        Example:
            >>> Money(100, "USD").times(0.29)
            Money(minor=29, currency='USD')
        """
        exact = Decimal(str(factor), MONEY_CONTEXT)
        if not exact.is_finite():
            raise ValueError(f"an amount cannot be multiplied by {factor}")
        product = MONEY_CONTEXT.multiply(Decimal(self.minor), exact)
        whole = product.to_integral_value(rounding=rounding, context=MONEY_CONTEXT)
        return Money(int(whole), self.currency)
