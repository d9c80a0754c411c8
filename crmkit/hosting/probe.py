"""Checking a plugin in a child process with limits of time and memory (D16).

The parent calls :func:`check_plugin`. The child is ``python -m crmkit.hosting.probe NAME FILE``; it
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
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from ..declarations import CUSTOMER, Batch, Committed
from ..errors import ConfigError, PluginError
from .faults import PluginFault, faults_of
from .manifest import Manifest, find_manifests
from .soundness import ADDED
from .standing import requirements_of
from .verdict import Verdict, make_verdict

SECONDS_SETTING, MEGABYTES_SETTING = "CRMKIT_CHECK_SECONDS", "CRMKIT_CHECK_MEGABYTES"
# Importing scikit-learn on a cold disk took 6 s; three times that is no plugin's honest need.
DEFAULT_SECONDS = 20.0
# Address space, not resident memory: the libraries of a scoring plugin map 1.2 GB and touch a tenth.
DEFAULT_MEGABYTES = 2048.0


@frozen
class Checked:
    """What a check found.

    Attributes:
        faults: all faults, those that depend on other plugins included.
        verdict: what may be kept; None where the plugin could not be judged by itself, because
            something that it requires is missing or faulty.
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
    seconds = _limit(SECONDS_SETTING, DEFAULT_SECONDS)
    megabytes = _limit(MEGABYTES_SETTING, DEFAULT_MEGABYTES)
    stated = [PluginFault(name, "manifest", fault) for fault in manifest.faults]
    if stated and manifest.stated:
        return Checked(tuple(stated), make_verdict(manifest, stated))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crmkit-check-") as folder:
        report = Path(folder, "report.jsonl")
        ended = _run(name, report, seconds, megabytes)
        lines = _lines(report)
    took = time.monotonic() - started
    last = lines[-1] if lines else {}
    if "faults" not in last:
        at = next((line["at"] for line in reversed(lines) if "at" in line), "start")
        faults = [*stated, PluginFault(name, "limit", _death(ended, at, seconds, megabytes))]
        return Checked(tuple(faults), make_verdict(manifest, faults, seconds=took))
    faults = [PluginFault(*parts) for parts in last["faults"]]
    own = [*stated, *faults_of(name, faults)]
    if any(fault.phase in ("requires", "installed") for fault in own):
        return Checked(tuple(own), None)
    verdict = make_verdict(manifest, own, hooks=last["hooks"], claims=last["claims"], seconds=took)
    return Checked(tuple(own), verdict)


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


def _run(name: str, report: Path, seconds: float, megabytes: float) -> int | None:
    """Runs the child; returns its exit status, or None if its time ran out."""
    paths = [str(Path(path).absolute()) for path in sys.path]
    # One thread each: thread stacks count against the limit of address space.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-P", "-m", __name__, name, str(report), str(int(megabytes))]
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
    try:
        in_time = _has_ended(child.pid, seconds)
    finally:
        # The whole group, so that nothing that the plugin started outlives the check. The child has
        # not been reaped yet, so its number cannot have become that of another group.
        with contextlib.suppress(PermissionError):  # macOS says so of a group that has ended
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
    return status if in_time else None


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


def _death(ended: int | None, at: str, seconds: float, megabytes: float) -> str:
    where = f"during {at}"
    if ended is None:
        return f"was still busy {where} after {seconds:g} s and was ended ({SECONDS_SETTING} sets this)"
    if ended < 0:
        said = signal.Signals(-ended).name
        return (
            f"ended the process by {said} {where}; it may have needed more than {megabytes:g} MB "
            f"({MEGABYTES_SETTING} sets this)"
        )
    return f"ended the process with status {ended} {where}"


# --- in the child ---------------------------------------------------------------------------------


def main(arguments: list[str]) -> None:
    """The child: checks one plugin and writes the report."""
    name, report, megabytes = arguments
    _limit_memory(int(megabytes))
    with Path(report).open("a", encoding="utf-8", buffering=1) as out:

        def write(line: Mapping[str, Any]) -> None:
            out.write(json.dumps(line, ensure_ascii=True) + "\n")

        write(_probe(name, write))
    # Threads or exit functions that the plugin left behind are not waited for.
    os._exit(0)


def _probe(name: str, write: Any) -> dict[str, Any]:
    from .host import PluginHost

    manifests = find_manifests()
    if not manifests[name].stated:
        # The author is to hear of every other fault too, and not only that the file is missing.
        manifests[name] = evolve(manifests[name], faults=())
    host = PluginHost(manifests, progress=lambda at: write({"at": at}))
    names = {name, *requirements_of(name, manifests)}
    names |= {m.name for m in manifests.values() if m.builtin}
    host.take(sorted(names), deep=[name])
    if name not in host.loaded:
        return {
            "faults": [[f.plugin, f.phase, f.message] for f in host.faults],
            "hooks": [],
            "claims": {},
        }
    one = host.entry(name)
    for hook, arguments in _trials(name, host.catalog, one.hooks):
        write({"at": hook})
        try:
            host.call_alone(name, hook, **arguments)
        except PluginError as error:
            host.faults.append(PluginFault(name, hook, error.reason.rstrip(".")))
    return {
        "faults": [[f.plugin, f.phase, f.message] for f in dict.fromkeys(host.faults)],
        "hooks": one.hooks,
        "claims": one.declared.claims(),
    }


def _trials(
    name: str, catalog: Any, hooks: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each acting hook with arguments that hold no row, as an import of an empty file gives.

    ``block_contacts`` and ``serve_scores`` are not tried: they get the open workspace, and there is
    none here.
    """
    if "check_rows" in hooks:
        for entity, columns in _entities(name, catalog):
            # Any envelope column may be asked for, and has no rows either.
            empty: defaultdict[str, list[Any]] = defaultdict(list, {c: [] for c in columns})
            yield "check_rows", {"batch": Batch(entity=entity, columns=empty, size=0)}
    if "choose_merged_values" in hooks:
        yield "choose_merged_values", {"conflicts": []}
    if "before_stage_moves" in hooks:
        yield "before_stage_moves", {"moves": []}
    if "serve_firings" in hooks:
        yield "serve_firings", {"firings": [], "store": None, "tx": None}
    if "after_commit" in hooks:
        yield "after_commit", {"committed": Committed(tx=0, command="plugin check")}


def _entities(name: str, catalog: Any) -> Iterator[tuple[str, list[str]]]:
    """Each entity that the plugin owns, with its columns; one without columns where it owns none.

    A plugin that declares nothing may still answer, and its answer has to be tried.
    """
    fields = catalog.customer_fields.get(name)
    declared = [(f"{name}.{CUSTOMER}", "customer_fields", fields)] if fields else []
    for kind in ("record_types", "interaction_kinds"):
        declared += [
            (entity, kind, record)
            for entity, record in getattr(catalog, kind).items()
            if catalog.owner(entity) == name
        ]
    if not declared:
        yield f"{name}.{CUSTOMER}", []
    for entity, kind, record in declared:
        yield entity, [*(c.name for c in record.fields.columns), *sorted(ADDED[kind])]


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on this system: the time limit alone holds
        return
    size = megabytes * 1024 * 1024
    _, hardest = resource.getrlimit(resource.RLIMIT_AS)
    if hardest != resource.RLIM_INFINITY:
        size = min(size, hardest)
    resource.setrlimit(resource.RLIMIT_AS, (size, hardest))
    # A plugin that crashes on purpose should not fill the disk with core files.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
