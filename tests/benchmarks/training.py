"""Milliseconds per training step of the engine and of whichever peers are installed.

Run ``python tests/benchmarks/training.py [--only NAME …] [--rounds N] [--avx2] [--scale]``. The
frameworks train the same workload by turns, an epoch each, another one first in each round, so that
a change of the machine's speed meets all of them; the best round counts. Short epochs have more
rounds, as what disturbs a machine for a moment may fill one. Memory is what training added to the
process at its peak.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peers import PEERS
from rich.console import Console
from rich.table import Table
from scale import scale
from workloads import WORKLOADS, Workload

AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}
"""Has all but NumPy do without AVX-512, which most laptops don't have."""

SECONDS = 40
"""Rounds go on until so much time has gone by."""


@dataclass(frozen=True)
class Figures:
    """What was measured of one framework on one workload."""

    step: float
    first: float
    memory: float


def installed() -> list[str]:
    """The frameworks that can be imported here; the engine first."""
    needs = {"torch": ["torch"], "studio": []}
    return [
        peer
        for peer in PEERS
        if all(
            importlib.util.find_spec(module)
            for module in needs.get(peer, ["keras", peer.removeprefix("keras-")])
        )
    ]


def without_avx512() -> dict[str, str]:
    """The environment in which frameworks use no more than AVX2."""
    kernels = re.findall(r"AVX512\w+|X86_V4", str(np.lib.introspect.opt_func_info()))
    return AVX2 | {"NPY_DISABLE_CPU_FEATURES": " ".join(sorted(set(kernels)))}


def measure(
    workload: Workload, peers: list[str], rounds: int, settings: dict[str, str]
) -> dict[str, Figures]:
    """Train by turns and take each framework's best epoch.

    Args:
        workload: what is trained.
        peers: the frameworks.
        rounds: how many epochs count at least.
        settings: environment variables for all of them.
    """
    script = str(Path(__file__).with_name("peers.py"))
    processes = {
        peer: subprocess.Popen(
            [sys.executable, script, peer, workload.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | settings,
        )
        for peer in peers
    }

    def say(peer: str, word: str) -> None:
        stream = processes[peer].stdin
        assert stream is not None
        print(word, file=stream, flush=True)

    def hear(peer: str) -> str:
        stream = processes[peer].stdout
        assert stream is not None
        line = stream.readline().strip()
        if not line:
            raise RuntimeError(f"{peer} ended while training {workload.name}")
        return line

    for peer in peers:
        hear(peer)
    best = dict.fromkeys(peers, float("inf"))
    turn, begun = 0, time.monotonic()
    while turn <= rounds or time.monotonic() - begun < SECONDS:
        first = turn % len(peers)
        for peer in peers[first:] + peers[:first]:
            say(peer, "epoch")
            seconds = float(hear(peer))
            # The first epoch compiles and warms up; it only counts for the time to the first step.
            if turn:
                best[peer] = min(best[peer], seconds)
        turn += 1
    figures: dict[str, Figures] = {}
    for peer in peers:
        say(peer, "end")
        first, peak = map(float, hear(peer).split())
        figures[peer] = Figures(best[peer] / workload.steps * 1000, first, peak)
        processes[peer].wait()
    return figures


def report(results: dict[str, dict[str, Figures]], peers: list[str]) -> None:
    """Print three tables: time per step, time to the first step, peak memory."""
    console = Console(width=130)
    others = peers[1:]
    table = Table(title="ms/step (× = how many times as long as the engine)")
    for heading in ("workload", *peers, "best peer / engine"):
        table.add_column(heading, justify="left" if heading == "workload" else "right")
    first = Table(title="ms from fit to the first finished step")
    peak = Table(title="MB that training added at its peak")
    for extra in (first, peak):
        for heading in ("workload", *peers):
            extra.add_column(heading, justify="left" if heading == "workload" else "right")
    for name, figures in results.items():
        own = figures[peers[0]].step
        cells = [f"{figures[peer].step:.3g} ({figures[peer].step / own:.2f}×)" for peer in others]
        fastest = min((figures[peer].step for peer in others), default=float("nan"))
        table.add_row(name, f"{own:.3g}", *cells, f"{fastest / own:.2f}×")
        first.add_row(name, *[f"{figures[peer].first:.3g}" for peer in peers])
        peak.add_row(name, *[f"{figures[peer].memory:.0f}" for peer in peers])
    for finished in (table, first, peak):
        console.print(finished)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of workloads")
    parser.add_argument("--peers", nargs="*", default=installed(), help="frameworks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--avx2", action="store_true", help="without AVX-512, as most laptops")
    parser.add_argument("--scale", action="store_true", help="how cost grows instead")
    arguments = parser.parse_args()
    if arguments.scale:
        scale(Console(width=130))
        return
    chosen = [item for item in WORKLOADS if not arguments.only or item.name in arguments.only]
    results: dict[str, dict[str, Figures]] = {}
    settings = without_avx512() if arguments.avx2 else {}
    for workload in chosen:
        results[workload.name] = measure(workload, arguments.peers, arguments.rounds, settings)
        print(workload.name, results[workload.name], file=sys.stderr, flush=True)
    report(results, arguments.peers)


if __name__ == "__main__":
    main()
