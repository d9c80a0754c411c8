"""Pages as Chromium shows them: every chart is drawn, nothing is asked of a network, keys work."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmkit.cli.demo import analyse, load
from crmkit.workspace import Crm, init_workspace

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="chromium is not installed"),
]
# Reports whose charts must be there on the demo's day.
CHARTS = {
    "telecom.churn-composition": 2, "telecom.churn-survival": 1, "telecom.retention-list": 1,
    "core.funnel": 1, "core.cohort-retention": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """The telecom demo, small."""
    folder = tmp_path_factory.mktemp("demo")
    with init_workspace(folder / "demo", plugins=("telecom",)) as opened:
        demo = opened.catalog.demos["telecom"]
        data = load(opened, demo, 300, 1)
        as_of = opened.as_of(data.as_of.isoformat())
        analyse(opened, demo, data, as_of)
        opened.publish_reports(folder / "pages", as_of=as_of)
        opened.publish_reports(folder / "zh", CHARTS, as_of, language="zh")
        yield opened


@pytest.fixture(scope="module")
def pages(crm: Crm) -> Path:
    return crm.settings.folder.parent / "pages"


def opened(page: Path, profile: Path, *, width: int = 1280) -> tuple[str, list[str]]:
    """The document after its scripts have run, and what the console and the network said.

    Every address but the file's own is refused, and the refusal is logged.
    """
    assert BROWSER is not None
    done = subprocess.run(
        [
            BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0",
            "--virtual-time-budget=8000", f"--window-size={width},1200", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, said


@pytest.mark.parametrize(("name", "width"), [*((n, 390) for n in CHARTS), ("core.funnel", 1280)])
def test_charts_are_drawn_with_titled_axes(
    pages: Path, tmp_path: Path, name: str, width: int
) -> None:
    document, said = opened(pages / f"{name}.html", tmp_path / "profile", width=width)
    assert said == []
    drawn = document.split('<svg xmlns="http://www.w3.org/2000/svg"')[1:]
    assert len(drawn) == CHARTS[name]
    for svg in drawn:
        svg = svg.partition("</svg>")[0]
        assert len(re.findall(r'class="mark-(?:rect|line|symbol) role-mark', svg)) >= 1
        assert svg.count('role-axis-title"') >= 2
        # A bar, a line or a cell has a path that goes somewhere.
        assert re.search(r'aria-roledescription="(?:bar|rect mark|line mark)"', svg)


def test_every_published_page_opens_without_a_word_on_the_console(
    pages: Path, tmp_path: Path
) -> None:
    found = {}
    for page in sorted(pages.glob("*.html")):
        document, said = opened(page, tmp_path / "profile")
        assert "</footer>" in document
        if said:
            found[page.name] = said
    assert found == {}


def test_chinese_pages_have_chinese_axes(pages: Path, tmp_path: Path) -> None:
    document, said = opened(pages.parent / "zh" / "telecom.churn-survival.html", tmp_path / "p")
    assert said == []
    assert "在网月数" in document.partition("<svg")[2].partition("</svg>")[0]


def test_a_heading_sorts_and_the_pager_turns(pages: Path, tmp_path: Path) -> None:
    """The same page with a script that presses the buttons, as the keys would."""
    page = pages / "telecom.churn-survival.html"
    pressed = tmp_path / "pressed.html"
    press = (
        "<script>document.getElementById('next').click();"
        "document.title = document.getElementById('place').textContent;"
        "document.querySelectorAll('th button')[1].click();"
        "document.querySelectorAll('th button')[1].click();</script>"
    )
    # Without its policy, which would let no other script run.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    pressed.write_text(text.replace("</body>", press + "</body>"))
    document, _ = opened(pressed, tmp_path / "profile")
    table = document.partition('<div class="scroll"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr><td.*?</tr>", table)
    months = [int(re.findall(r"<td[^>]*>([^<]*)</td>", row)[1].replace(",", "")) for row in rows]
    assert len(months) == 50
    assert months == sorted(months, reverse=True)
    assert re.search(r"<title>2 / \d+</title>", document)


def test_the_policy_stops_a_script_that_is_not_the_page_s_own(pages: Path, tmp_path: Path) -> None:
    """Whatever should get into a page as markup after all stays dead, and the charts stand."""
    name = "telecom.churn-survival"
    page = tmp_path / f"{name}.html"
    planted = (
        "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
        "<a id=dead href=\"javascript:document.title='ran'\">x</a><style>main{display:none}</style>"
    )
    page.write_text((pages / f"{name}.html").read_text().replace("<h1>", f"{planted}<h1>"))
    document, said = opened(page, tmp_path / "profile")
    assert "<title>ran</title>" not in document
    assert any("Content Security Policy" in line for line in said)
    assert document.count('<svg xmlns="http://www.w3.org/2000/svg"') == CHARTS[name]


def test_a_stored_script_does_not_run(crm: Crm, tmp_path: Path) -> None:
    """As a page of one customer whose name is one, written by the command."""
    from crmkit.cli.main import main

    planted = "</pre></script><script>document.title='ran'</script><img src=x onerror=document.title='ran'>"
    crm.store.customers.add(name=planted, region=planted, owner=planted)
    for words in (("customer", "list"), ("customer", "search", "document.title")):
        page = tmp_path / "page.html"
        assert main(["-w", str(crm.settings.folder), *words, "-o", str(page)]) == 0
        document, said = opened(page, tmp_path / "profile")
        assert said == []
        assert "<title>ran</title>" not in document
        assert "document.title='ran'" in document
