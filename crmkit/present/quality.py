"""How the tables of a score's evaluation are shown: headings, units and pictures."""

from __future__ import annotations

from ..declarations import Chart
from ..entities.field_types import FieldType
from .grid import Column


def _count(name: str, title: str, title_zh: str) -> Column:
    return Column(name=name, type=FieldType.INTEGER, unit="1", title=title, title_zh=title_zh)


def _number(name: str, title: str, title_zh: str, unit: str = "1") -> Column:
    return Column(name=name, type=FieldType.NUMBER, unit=unit, title=title, title_zh=title_zh)


_TENTH, _TENTH_ZH = "Tenth, highest values first", "十分位（由高到低）"
COLUMNS = {
    "lift": (
        _count("band", "Tenth", "十分位"),
        _count("size", "Rows", "行数"),
        _number("positives", "Outcomes", "发生数"),
        _number("mean_value", "Mean probability", "平均预测概率"),
        _number("rate", "Observed rate", "实际发生率"),
        _number("captured", "Share of all outcomes", "累计捕获率"),
        _number("lift", "Lift", "提升度", "x"),
    ),
    "calibration": (
        _count("band", "Tenth", "十分位"),
        _count("size", "Rows", "行数"),
        _number("mean_value", "Mean probability", "平均预测概率"),
        _number("rate", "Observed rate", "实际发生率"),
        _number("low", "At least (95 %)", "95% 下限"),
        _number("high", "At most (95 %)", "95% 上限"),
    ),
}
CHARTS = {
    "lift": (
        Chart(kind="line", x="band", y="captured", title="Share of all outcomes, tenth by tenth",
              title_zh="累计捕获率", x_title=_TENTH, x_title_zh=_TENTH_ZH),
        Chart(kind="bar", x="band", y="lift", title="Lift by tenth", title_zh="各十分位提升度",
              x_title=_TENTH, x_title_zh=_TENTH_ZH),
    ),
    "calibration": (
        Chart(kind="line", x="mean_value", y="rate", title="What happened, by what was said",
              title_zh="实际发生率与预测概率"),
    ),
}  # fmt: skip
