"""Milliseconds that ``import studio.engine`` takes beyond NumPy's own import.

Run ``python tests/benchmarks/import_time.py [--rounds N]`` from the project's folder. Each round is
a fresh process; the median counts. The aim is less than 150 ms.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

AIM = 150
ROOT = Path(__file__).parents[2]
PROGRAM = """
import time
import numpy
start = time.perf_counter()
import studio.engine
print(1e3 * (time.perf_counter() - start))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    times = [
        float(
            subprocess.run(
                [sys.executable, "-c", PROGRAM],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(rounds)
    ]
    print(f"import studio.engine: {statistics.median(times):.0f} ms beyond NumPy (aim: {AIM})")
    print(f"fastest {min(times):.0f}, slowest {max(times):.0f}, {rounds} rounds")


if __name__ == "__main__":
    main()
