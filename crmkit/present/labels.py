"""Words of tables and pages in English and Chinese."""

from __future__ import annotations

from ..entities.field_types import FieldType
from .grid import Column

LABELS = {
    "en": {
        "as_of": "As of", "parameters": "Parameters", "rows": "rows", "row": "row",
        "method": "Method", "source": "Source", "notes": "Notes", "remarks": "About this run",
        "columns": "Columns", "page": "Page", "of": "of", "previous": "Previous", "next": "Next",
        "no_rows": "No rows.", "sort": "Select a heading to sort.", "unit": "unit",
        "cut": "The page holds the first {shown} of {total} rows; other formats hold all.",
        "no_charts": "Charts need the extra: pip install 'crmkit[charts]'.",
        "print": "Made by crmkit {version}", "ref": "Customer", "name": "Name", "about": "About this report", "about_sheet": "About",
        "reports": "Reports", "reports_unit": "reports", "report": "Report", "all_reports": "All reports", "key_figure": "Key figure", "count": "Rows",
        "chart_failed": "This chart could not be drawn.", "plain": "Without scripts the page shows the first {shown} of {total} rows.",
        "kept": "{shown} of {total} rows", "failed": "Not published", "none_published": "No report was published.",
    },
    "zh": {
        "as_of": "截至", "parameters": "参数", "rows": "行", "row": "行",
        "method": "方法", "source": "来源", "notes": "说明", "remarks": "本次运行",
        "columns": "列", "page": "第", "of": "/", "previous": "上一页", "next": "下一页",
        "no_rows": "没有数据。", "sort": "点击列名排序。", "unit": "单位",
        "cut": "本页只含前 {shown} 行，共 {total} 行；其他格式含全部数据。",
        "no_charts": "图表需要附加组件：pip install 'crmkit[charts]'。",
        "print": "由 crmkit {version} 生成", "ref": "客户", "name": "姓名", "about": "关于本报表", "about_sheet": "说明",
        "reports": "报表目录", "reports_unit": "份报表", "report": "报表", "all_reports": "全部报表", "key_figure": "关键指标", "count": "行数",
        "chart_failed": "图表无法绘制。", "plain": "未启用脚本时本页只显示前 {shown} 行，共 {total} 行。",
        "kept": "{total} 行中的 {shown} 行", "failed": "未能生成", "none_published": "没有生成任何报表。",
    },
}  # fmt: skip

UNITS_ZH = {
    "year": "年", "month": "月", "week": "周", "day": "天", "hour": "小时", "minute": "分钟",
    "second": "秒", "person": "人", "customer": "客户", "call": "次", "event": "次", "time": "次",
    "bill": "账单", "subscription": "用户", "line": "线", "complaint": "件", "percent": "%",
}  # fmt: skip
PLURALS = {"person": "people", "percent": "%"}


def unit_word(unit: str, language: str) -> str:
    """A unit in the reader's language; symbols such as ``GB`` are the same in both."""
    if unit not in UNITS_ZH:
        return unit
    return UNITS_ZH[unit] if language == "zh" else PLURALS.get(unit, f"{unit}s")


def heading_unit(column: Column, language: str) -> str:
    """The unit that a heading has to name: none where there is none, or the title says it.

    ``Customers`` in the unit ``customer`` needs no further word.
    """
    if column.currency:
        return column.currency
    # An amount names its currency itself; what is left of ``money/month`` is per what it is.
    unit = column.unit.removeprefix("money") if column.unit else column.unit
    if unit in (None, "", "1", "id") or column.type is FieldType.TEXT:
        return ""
    word = unit_word(unit, language)
    said = (column.label(language) if language == "zh" else column.title or column.name).lower()
    return "" if unit in said.replace("_", " ") or word in said else word


def label(key: str, language: str) -> str:
    """The word for ``key``; English where the language is unknown."""
    return LABELS.get(language, LABELS["en"])[key]
