"""The parts one after the other, from the standard library alone: nothing here needs what may be missing."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from benchmarks.device import needs

ROOT = Path(__file__).parents[2]
PARTS: Mapping[str, int] = {  # seconds, where the whole has six and a half minutes; their shares of any other time
    "right": 95,
    "fast": 120,
    "captured": 42,
    "compiled": 36,
    "judge": 22,
    "training": 65,
}
_RESERVE = 10.0  # seconds, for what lies between the parts
_CARD = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,temperature.gpu,power.draw,utilization.gpu,memory.used"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every part ended by itself without an error, else 1."""
    begun = time.monotonic()
    chosen = options(arguments)
    out = chosen.out
    out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"version": 1, "command": sys.argv[1:] if arguments is None else list(arguments)}
    report |= {"minutes": chosen.minutes, "quick": chosen.quick, "date": time.strftime("%Y-%m-%d"), "parts": {}}
    with tempfile.TemporaryDirectory() as temporary, (out / "device.log").open("w", encoding="utf-8") as log:
        report["packages"] = needs.provide(ROOT / "pyproject.toml", chosen.wheels, Path(temporary) / "packages")
        for line in needs.words(report["packages"]):
            say(line, log)
        write(report, out)
        if report["packages"]["missing"]:
            return 1
        environment = {**os.environ, "PYTHONPATH": path(Path(temporary) / "packages")}
        environment["GANSMITH_CACHE"] = str(Path(temporary) / "cache")
        end = begun + 60 * chosen.minutes - _RESERVE
        for number, name in enumerate(chosen.parts):
            rest = sum(PARTS[later] for later in chosen.parts[number:])
            limit = max(5.0, (end - time.monotonic()) * PARTS[name] / rest)
            run_part(name, chosen, report, limit=limit, environment=environment, log=log)
        say(summary(report), log)
    return 0 if all(done["status"] == "done" for done in report["parts"].values()) else 1


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="device.sh", description="Measure gansmith on this machine's accelerator.")
    parser.add_argument("--data", type=Path, metavar="FILE", help="images that gansmith reads; random ones without it")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="MobileNetV2's; random ones without it")
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="packages to install where one is missing")
    parser.add_argument("--out", type=Path, default=Path("device"), metavar="FOLDER", help="where the results go")
    parser.add_argument("--minutes", type=float, default=8.0, help="for everything")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to rehearse")
    parser.add_argument("--commit", metavar="NAME", help="of the source, where there is no git to ask")
    parser.add_argument("--quick", action="store_true", help="toy sizes: to see that it runs")
    parser.add_argument("--parts", default=",".join(PARTS), help="which of them, separated by commas")
    chosen = parser.parse_args(arguments)
    chosen.parts = chosen.parts.split(",")
    for name in chosen.parts:
        if name not in PARTS:
            parser.error(f"there is no part {name!r}; there are: {', '.join(PARTS)}")
    for name in ("data", "weights", "wheels", "out"):
        place = getattr(chosen, name)
        if place is not None:
            setattr(chosen, name, place.resolve())
            if name != "out" and not place.exists():
                parser.error(f"--{name}: there is no {place}")
    return chosen


def run_part(
    name: str,
    chosen: argparse.Namespace,
    report: dict[str, Any],
    *,
    limit: float,
    environment: Mapping[str, str],
    log: IO[str],
) -> None:
    """Run one part in a process of its own, at most `limit` seconds; its results so far are kept whatever happens."""
    file = Path(environment["GANSMITH_CACHE"]).parent / f"{name}.json"
    command = command_of(name, file, chosen, limit)
    say(f"== {name}: at most {limit:.0f} s", log)
    done: dict[str, Any] = {"limit": round(limit, 1), "card before": card()}
    report["parts"][name] = done
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        while process.poll() is None and time.monotonic() - begun < limit:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
            done["results"] = results_of(file)
            write(report, chosen.out)
        cut = process.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it may have left processes of its own
        process.wait()
        said.seek(0)
        text = said.read()
    log.write(text)
    done["seconds"] = round(time.monotonic() - begun, 1)
    done["status"] = "cut" if cut else "done" if process.returncode == 0 else f"failed ({process.returncode})"
    if done["status"] != "done":
        done["last words"] = text.splitlines()[-40:]
    done["card after"] = card()
    done["results"] = results_of(file)
    if "machine" in done["results"]:
        report.setdefault("machine", done["results"].pop("machine"))
        report["machine"]["commit"] = chosen.commit or report["machine"].get("commit", "unknown")
    write(report, chosen.out)
    say(f"   {done['status']} after {done['seconds']} s", log)
    for error, lines in done["results"].get("errors", {}).items():
        say(f"   error in {error}: {lines[-1] if lines else ''}", log)
    if done["status"] != "done":
        say("\n".join(f"   | {line}" for line in text.splitlines()[-12:]), log)


def command_of(name: str, results: Path, chosen: argparse.Namespace, limit: float) -> list[str]:
    """The process that a part is."""
    command = [sys.executable, "-m", f"benchmarks.device.{name}", "--results", str(results)]
    command += ["--seconds", f"{limit:.0f}", "--out", str(chosen.out), "--device", chosen.device]
    for key in ("data", "weights"):
        if getattr(chosen, key) is not None:
            command += [f"--{key}", str(getattr(chosen, key))]
    return [*command, *(["--quick"] if chosen.quick else [])]


def results_of(file: Path) -> dict[str, Any]:
    """What a part has written so far."""
    try:
        results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return results


def card() -> dict[str, str] | None:
    """What nvidia-smi says of the first card's clocks, temperature and load; None where it is not to be had."""
    command = ["nvidia-smi", f"--query-gpu={_CARD}", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(zip(_CARD.split(","), (value.strip() for value in said.splitlines()[0].split(",")), strict=False))


def path(packages: Path) -> str:
    """PYTHONPATH of the parts: what was installed for them first."""
    return os.pathsep.join([str(packages), str(ROOT / "src"), str(ROOT), *os.environ.get("PYTHONPATH", "").split(":")])


def write(report: Mapping[str, Any], out: Path) -> None:
    temporary = out / "device.json.part"
    temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    temporary.replace(out / "device.json")


def summary(report: Mapping[str, Any]) -> str:
    """The last lines of the output: each part's state, and the section for docs/speed.md where it can be made."""
    lines = [f"{name}: {done['status']}, {done['seconds']} s" for name, done in report["parts"].items()]
    from benchmarks.device import table

    try:
        lines.append(table.markdown(report))
    except Exception as error:  # the JSON is what counts
        lines.append(f"no table: {type(error).__name__}: {error}")
    return "\n".join(lines)


def say(line: str, log: IO[str]) -> None:
    print(line, flush=True)
    log.write(f"{line}\n")
    log.flush()


if __name__ == "__main__":
    sys.exit(main())
