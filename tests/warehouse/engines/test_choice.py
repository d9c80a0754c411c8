"""Which engine a name means, and what is said where it cannot be had."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from crmkit.errors import ConfigError, UsageError
from crmkit.testing.engines import require_spark
from crmkit.warehouse.engines.choice import check_engine, open_engine
from crmkit.warehouse.engines.spark_session import spark_missing


@pytest.mark.parametrize(
    "name", ["duckdb", "spark", "spark://host-1.example:7077", "spark://a:1,b:2"]
)
def test_a_name_that_means_an_engine(name: str) -> None:
    assert check_engine(name) == name


@pytest.mark.parametrize("name", ["", "polars", "local[8]", "spark://", "spark://host", "spark://h:1/x y"])  # fmt: skip
def test_another_name_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_engine(name, [])
    assert str(caught.value).startswith(f"there is no engine {name!r}.")
    assert "spark://HOST:PORT" in caught.value.hint


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'crmkit[spark]'" in str(spark_missing())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "needs Java 17" in str(spark_missing())


def test_a_master_that_does_not_answer_is_told_at_once() -> None:
    require_spark()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"spark://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(ConfigError, match="no Spark master answers at spark://127"):
            open_engine(url, [])
