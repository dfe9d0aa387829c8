"""What a page that stays open over a whole training costs it.

    python -m benchmarks.page_watched [--pairs 3] [--images 10k] [--recipe dcgan_digits]

Each pair is two trainings of the same run, one without a page and one that a page watches, in turns of order. A page is
`gansmith explore` and a client that asks as the view of an open run does: it listens to what changes, and reads the
sheets, the records and the newest sheet at most every 1.5 seconds. Processor seconds are of the training's process and
of the server's while it trains: they hardly depend on what else the machine does, wall time does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.page import ask, served

EVERY = 1.5  # seconds between two readings, as in the page
RUN = "watched"


class Cost(NamedTuple):
    """Processor seconds of a training, seconds that it took, processor seconds of the page's server meanwhile; requests
    that the page sent."""

    training: float
    seconds: float
    page: float = 0.0
    requests: int = 0


def train(out: Path, images: str, recipe: str) -> float:
    """Processor seconds of a training of handwritten digits by one thread."""
    words = ["train", "digits", "--recipe", recipe, "--images", images, "--set", "threads=1", "--no-ruler"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "gansmith", *words, "--out", str(out)],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"the training ended with status {process.returncode}: {said.read()[-2000:]}")
    return used.ru_utime + used.ru_stime


def watch(port: int, token: str, over: threading.Event, sent: list[str]) -> None:
    """Ask as the view of an open run does, until `over`. The paths asked go to `sent`."""
    stream = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    stream.request("GET", "/api/live", headers={"Authorization": f"Bearer {token}"})
    events, last, seen = stream.getresponse(), 0.0, None
    while not over.is_set():
        line = events.readline()
        if not line.startswith(b"data:"):
            continue
        change = json.loads(line[5:])
        sign = (change.get("images"), change.get("sheet"))
        if change.get("name") != RUN or sign == seen or time.monotonic() - last < EVERY:
            continue
        seen, last = sign, time.monotonic()
        paths = ["sheets", "records?most=2000", *([] if sign[1] is None else [f"sheets/{sign[1]}"])]
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=600)  # an idle one is closed by the server
        for path in paths:
            ask(asking, token, f"/api/runs/{RUN}/{path}")
        asking.close()
        sent += paths


def watched(images: str, recipe: str) -> Cost:
    """A training that a page watches from its first moment to its last."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        with served(runs) as (port, token, process):
            over, sent = threading.Event(), list[str]()
            client = threading.Thread(target=watch, args=(port, token, over, sent), daemon=True)
            client.start()
            time.sleep(3)  # the server imports what the first image needs: that is no part of watching
            before, begun = process.cpu_times(), time.monotonic()
            training = train(runs / RUN, images, recipe)
            after, seconds = process.cpu_times(), time.monotonic() - begun
            over.set()
            return Cost(training, seconds, after.user + after.system - before.user - before.system, len(sent))


def alone(images: str, recipe: str) -> Cost:
    """The same without a page."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        return Cost(train(Path(folder) / RUN, images, recipe), time.monotonic() - begun)


def main() -> None:
    """Print a line for each pair, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--images", default="10k")
    parser.add_argument("--recipe", default="dcgan_digits")
    given = parser.parse_args()
    shares, changes = [], []
    for number in range(given.pairs):
        order = (alone, watched) if number % 2 == 0 else (watched, alone)
        costs = {one: one(given.images, given.recipe) for one in order}
        with_page, without = costs[watched], costs[alone]
        shares.append(100 * with_page.page / with_page.training)
        changes.append(100 * (with_page.training / without.training - 1))
        print(
            f"pair {number}: training {without.training:.1f} s alone, {with_page.training:.1f} s watched "
            f"({changes[-1]:+.1f} %), in {without.seconds:.0f} and {with_page.seconds:.0f} s; the page's server "
            f"{with_page.page:.2f} s ({shares[-1]:.2f} %), {with_page.requests} requests; "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    print(
        f"medians of {given.pairs}: the server {median(shares):.2f} % of the training's processor time; the "
        f"training itself {median(changes):+.1f} %"
    )


if __name__ == "__main__":
    main()
