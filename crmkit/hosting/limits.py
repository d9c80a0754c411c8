"""The time and memory that the check of a plugin may take."""

from __future__ import annotations

import os

from attrs import frozen

from ..errors import ConfigError

SECONDS_SETTING, MEGABYTES_SETTING = "CRMKIT_CHECK_SECONDS", "CRMKIT_CHECK_MEGABYTES"
# Importing scikit-learn on a cold disk took 6 s; three times that is no plugin's honest need.
DEFAULT_SECONDS = 20.0
# Address space, not resident memory: the libraries of a scoring plugin map 1.2 GB and touch a tenth.
DEFAULT_MEGABYTES = 2048.0


@frozen
class Limits:
    """What a check may take: ``seconds`` of time and ``megabytes`` of address space."""

    seconds: float = DEFAULT_SECONDS
    megabytes: float = DEFAULT_MEGABYTES

    @classmethod
    def set(cls) -> Limits:
        """The limits that the environment sets, else the defaults.

        Raises:
            ConfigError: if one is no positive number.
        """
        return cls(
            _limit(SECONDS_SETTING, DEFAULT_SECONDS), _limit(MEGABYTES_SETTING, DEFAULT_MEGABYTES)
        )

    def exceed(self, others: Limits) -> bool:
        """Whether a plugin now gets more time or memory than under the other limits."""
        return self.seconds > others.seconds or self.megabytes > others.megabytes


def _limit(setting: str, default: float) -> float:
    text = os.environ.get(setting, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e7:
        raise ConfigError(f"{setting} is {text!r}, not a positive number.")
    return value
