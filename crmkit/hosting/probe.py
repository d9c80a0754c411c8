"""Checking a plugin in a child process with limits of time and memory (D16).

The parent calls :func:`check_plugin`. The child is ``python -m crmkit.sandbox NAME FILE MEGABYTES``; it
writes what it is doing, and at last what it found, to FILE as JSON lines. So a plugin that prints,
loops, eats memory or ends the process is still named with the place where it did so.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from ..errors import PluginError
from .faults import PluginFault, faults_of
from .limits import MEGABYTES_SETTING, SECONDS_SETTING, Limits
from .manifest import Manifest
from .verdict import Verdict, make_verdict

# Above all rooms, because it opens a workspace; it is started here and never imported.
CHILD = "crmkit.sandbox"


@frozen
class Checked:
    """What a check found.

    Attributes:
        faults: all faults, those that depend on other plugins included.
        verdict: what may be kept; None where the plugin could not be judged by itself, because
            something that it requires is missing or faulty, or the machine was too busy.
    """

    faults: tuple[PluginFault, ...]
    verdict: Verdict | None


def check_plugin(name: str, manifests: Mapping[str, Manifest]) -> Checked:
    """Loads a plugin in a child process, calls each of its hooks once, and says what is wrong.

    The built-ins and what it requires are loaded with it.

    Args:
        name: an installed plugin.
        manifests: the plugins there are.

    Raises:
        ConfigError: if a limit in the environment is no positive number.
        PluginError: if no child process can be started at all.
    """
    manifest = manifests[name]
    limits = Limits.set()
    stated = [PluginFault(name, "manifest", fault) for fault in manifest.faults]
    if stated and manifest.stated:
        return Checked(tuple(stated), make_verdict(manifest, stated, among=manifests))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crmkit-check-") as folder:
        report = Path(folder, "report.jsonl")
        ended = _run(name, report, limits)
        lines = _lines(report)
    took = time.monotonic() - started
    last = lines[-1] if lines else {}
    if "faults" not in last:
        at = next((line["at"] for line in reversed(lines) if "at" in line), "start")
        faults = [*stated, PluginFault(name, "limit", _death(ended, at, limits))]
        if ended.machine_was_at_fault:
            return Checked(tuple(faults), None)
        return Checked(
            tuple(faults),
            make_verdict(manifest, faults, seconds=took, limits=limits, among=manifests),
        )
    faults = [PluginFault(*parts) for parts in last["faults"]]
    own = [*stated, *faults_of(name, faults)]
    if any(fault.phase in ("requires", "installed") for fault in own):
        return Checked(tuple(own), None)
    verdict = make_verdict(
        manifest, own, hooks=last["hooks"], claims=last["claims"], seconds=took, limits=limits,
        among=manifests,
    )  # fmt: skip
    return Checked(tuple(own), verdict)


@frozen
class _Ended:
    """How the child ended.

    Attributes:
        status: as :class:`subprocess.Popen` gives it; None if its time ran out.
        seconds: how long it had.
        ran: seconds that it had a processor.
        waited: seconds that it was ready to run and no processor was free; 0 where nobody says.
    """

    status: int | None
    seconds: float
    ran: float = 0.0
    waited: float = 0.0

    @property
    def machine_was_at_fault(self) -> bool:
        """Whether the plugin may be sound: it hardly got to run, or the system ended the child."""
        if self.status is None:
            return self.ran < self.seconds / 4 < self.waited
        return self.status == -signal.SIGKILL  # no limit of ours does that; a lack of memory does


def _run(name: str, report: Path, limits: Limits) -> _Ended:
    """Runs the child to its end, or until its time has run out."""
    paths = [str(Path(path).absolute()) for path in sys.path]
    # One thread each: thread stacks count against the limit of address space.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", "-m", CHILD, name, str(report), str(int(limits.megabytes))]
    try:
        # Our own interpreter and module; the plugin's name was found among the installed ones.
        child = subprocess.Popen(  # noqa: S603
            command,
            cwd=report.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise PluginError(name, "check", f"cannot start {sys.executable!r}: {error}.") from error
    ran = waited = 0.0
    try:
        in_time = _has_ended(child.pid, limits.seconds)
        if not in_time:
            ran, waited = _processor_seconds(child.pid)
    finally:
        # The whole group, so that nothing that the plugin started outlives the check. The child has
        # not been reaped yet, so its number cannot have become that of another group.
        with contextlib.suppress(PermissionError):  # macOS says so of a group that has ended
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
    return _Ended(status if in_time else None, limits.seconds, ran, waited)


def _processor_seconds(pid: int) -> tuple[float, float]:
    """How long a process had a processor, and how long it waited for one; zeros if nobody says."""
    try:
        # Linux: nanoseconds on a processor, nanoseconds waiting for one, number of turns.
        ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
        return int(ran) / 1e9, int(waited) / 1e9
    except (OSError, ValueError):
        return 0.0, 0.0


def _has_ended(pid: int, seconds: float) -> bool:
    """Waits until a child has ended, without reaping it; false if that takes longer."""
    until = time.monotonic() + seconds
    pause = 0.002
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        left = until - time.monotonic()
        if left <= 0:
            return False
        pause = min(pause * 1.5, 0.05)
        time.sleep(min(pause, left))
    return True


def _lines(report: Path) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    try:
        for text in report.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if isinstance(line, dict):
                out.append(line)
    except (OSError, ValueError):
        pass  # killed while writing: what came before still says where it was
    return out


def _death(ended: _Ended, at: str, limits: Limits) -> str:
    where = f"during {at}"
    if ended.status is None:
        said = f"was still busy {where} after {limits.seconds:g} s and was ended ({SECONDS_SETTING} sets this)"
        if ended.machine_was_at_fault:
            said += (
                f"; for {ended.waited:.1f} s of them the machine had no processor free, so nothing "
                "was decided: check again when it is less busy"
            )
        return said
    if ended.status < 0:
        name = signal.Signals(-ended.status).name
        return (
            f"ended the process by {name} {where}; it may have needed more than "
            f"{limits.megabytes:g} MB ({MEGABYTES_SETTING} sets this)"
        )
    return f"ended the process with status {ended.status} {where}"
