"""The page's server, measured: what an answer costs beside the image itself, and what fifty clients at once need.

    python -m benchmarks.page RUN [--count 60]       # a table; a run of its own is best, on a machine with nothing else

Each pair of numbers is taken in turn in one run: `gansmith explore` answers over one connection that stays open, and in
this process the same image is rendered and written as PNG. RUN is copied, so that nothing of it changes.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

CLIENTS = 50


@contextmanager
def served(runs: Path) -> Iterator[tuple[int, str, psutil.Process]]:
    """Port, token and process of `gansmith explore RUNS`."""
    words = [sys.executable, "-m", "gansmith", "explore", str(runs), "--no-browser", "--port", "0", "--read-only"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address, _, token = process.stdout.readline().strip().partition("/?token=")
        try:
            yield int(address.rpartition(":")[2]), token, psutil.Process(process.pid)
        finally:
            process.terminate()


def ask(connection: http.client.HTTPConnection, token: str, path: str) -> tuple[float, bytes]:
    """Seconds of an answer, and its body."""
    begin = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - begin
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
    return seconds, body


def measure(run: Path, count: int) -> list[tuple[str, str]]:
    """The table's rows."""
    from gansmith.runs.run import Run
    from gansmith.web.asked import Point
    from gansmith.web.pictures import sampled

    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        for name in ("first", "second"):
            shutil.copytree(run, runs / name)
        opened = Run(runs / "first")
        renderer = opened.renderer(device="cpu")
        with served(runs) as (port, token, process):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            first, _ = ask(connection, token, "/api/runs/first/image?seed=0")
            second, _ = ask(connection, token, "/api/runs/second/image?seed=0")
            pairs, used, own = [], sum(process.cpu_times()[:2]), 0.0
            for seed in range(count):
                over, body = ask(connection, token, f"/api/runs/first/image?seed={seed}")
                begin, computed = time.perf_counter(), time.process_time()
                made = sampled(opened, renderer, Point(seed, str(seed)), truncation=None, label=None).data
                pairs.append((over, time.perf_counter() - begin))
                own += time.process_time() - computed
                assert made == body
            each, own = (sum(process.cpu_times()[:2]) - used) / count, 1000 * own / count
            before = process.memory_info().rss
            seconds, most = crowd(port, token, process)
    over, alone = (1000 * median(times) for times in zip(*pairs, strict=True))
    return [
        ("first image after the start of the server", f"{first:.2f} s"),
        ("first image of another run", f"{1000 * second:.0f} ms"),
        ("a warm image: answer / render and PNG alone", f"{over:.1f} ms / {alone:.1f} ms, {over - alone:+.1f} ms"),
        ("processor time of the server for each / of render and PNG alone", f"{1000 * each:.1f} / {own:.1f} ms"),
        (f"{CLIENTS} clients, an image each", f"{seconds:.2f} s in all"),
        ("memory of the server before / at most meanwhile", f"{before / 2**20:.0f} / {most / 2**20:.0f} MiB"),
    ]


def crowd(port: int, token: str, process: psutil.Process) -> tuple[float, int]:
    """Seconds until fifty clients at once each had an image; the most memory of the server meanwhile, in bytes."""

    def client(number: int) -> None:
        ask(http.client.HTTPConnection("127.0.0.1", port), token, f"/api/runs/first/image?seed={1000 + number}")

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    begin, most = time.perf_counter(), process.memory_info().rss
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, process.memory_info().rss)
        time.sleep(0.01)
    return time.perf_counter() - begin, most


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--count", type=int, default=60)
    given = parser.parse_args()
    print(f"{given.run}, {given.count} images, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    for name, value in measure(given.run, given.count):
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
