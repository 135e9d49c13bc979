"""From the start of a process to its first answer, for somebody who is logged out; Flask alone is 1.0."""

import statistics
import subprocess
import sys
import time

from benchmarks.apps import CONTESTANTS
from benchmarks.tables import STARTUP

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 15


def main() -> None:
    """Measure, and print one table: medians of interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for _ in range(ROUNDS + 1):  # the first one fills the caches of compiled modules
        for name, measured in times.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks.apps", name], check=True)  # noqa: S603
            measured.append(time.perf_counter() - start)
    medians = {name: statistics.median(measured[1:]) for name, measured in times.items()}
    base = medians["Flask and its session"]
    print(
        STARTUP.filled(
            [name, f"{median / base:.2f}", f"{(median - base) * 1e3:.0f}"] for name, median in medians.items()
        )
    )


if __name__ == "__main__":
    main()
