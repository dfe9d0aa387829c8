"""What must hold after an invocation, whatever it was told.

traceback  no traceback or warning of Python in the output     status   0, 1, 2, or 128 + the signal that ended it
time       it ends by itself, or soon after it is told to      memory   at most 4 GiB, of it and its children
clobbered  no file of the user's is changed or lost            broken   no file or folder that a refused command began
stale      no temporary file, no lock where nothing is         children nothing of it goes on running
message    an error has one, of at most 40 lines               escape   nothing raw that a terminal obeys or cannot show
executed   no code in a file runs                              absent   what a successful command writes is there
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path

from fuzz.process import MEMORY, Ended

NAMES = [
    "traceback",
    "status",
    "time",
    "memory",
    "clobbered",
    "broken",
    "stale",
    "children",
    "message",
    "escape",
    "executed",
    "absent",
]
LINES = 40
CACHES = re.compile(r"(^|/)[0-9a-f]{32}[^/]*$")  # the lock of a pixel cache stays beside it
WARNINGS = r"^.*(?:Deprecation|User|Runtime|Future|Resource|DecompressionBomb)Warning: .*"
_WORKS = {"train", "resume"}  # they write into the run that they are told, and what they did stays when they fail


def snapshot(folder: Path) -> dict[str, str]:
    """What is at each path below `folder`: a digest of a file, or what else it is. Names that are no text included."""
    found = {}
    for root, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            path = os.path.join(root, name)  # noqa: PTH118  (bytes)
            mode = os.lstat(path).st_mode
            relative = os.fsdecode(path[len(os.fsencode(folder)) + 1 :])
            if stat.S_ISLNK(mode):
                found[relative] = "link " + os.fsdecode(os.readlink(path))  # noqa: PTH115
            elif stat.S_ISREG(mode):
                found[relative] = _digest(path, mode)
            else:
                found[relative] = "folder" if stat.S_ISDIR(mode) else "special"
    return found


def _digest(path: bytes, mode: int) -> str:
    information = os.lstat(path)
    if information.st_size > 2**26:  # sparse
        return f"file of {information.st_size}"
    if not mode & 0o400:
        return f"closed file of {information.st_size}, {information.st_mtime_ns}"
    with open(path, "rb") as file:  # noqa: PTH123  (bytes)
        return hashlib.blake2b(file.read(), digest_size=12).hexdigest()


def faults(
    argv: list[str], folder: Path, before: dict[str, str], ended: Ended, output: bytes, errors: bytes
) -> dict[str, str]:
    """oracle -> what is wrong."""
    after = snapshot(folder)
    wrong = _said(argv, ended, output, errors)
    allowed = {0, 1, 2} | ({143, 130} if ended.told else set())
    if ended.killed:
        wrong["time"] = ended.killed
    elif ended.told and ended.worked < ended.seconds / 20 and not _names_a_pipe(argv, folder):
        wrong["time"] = f"waited for {ended.seconds:.0f} s, and worked for {ended.worked:.1f} s"
    elif ended.status not in allowed:
        wrong["status"] = str(ended.status)
    if ended.peak > MEMORY:
        wrong["memory"] = f"{ended.peak / 2**30:.1f} GiB"
    if ended.orphans:
        wrong["children"] = "; ".join(ended.orphans)
    if any(path.rpartition("/")[2] == "executed" for path in after):
        wrong["executed"] = "a pickle was loaded"
    wrong |= _changes(argv, before, after, ended)
    if ended.status == 0 and not ended.told:
        wrong |= _absent(argv, folder)
    return wrong


def _said(argv: list[str], ended: Ended, output: bytes, errors: bytes) -> dict[str, str]:
    wrong: dict[str, str] = {}
    text = (output + b"\n" + errors).decode("utf-8", "backslashreplace")
    if "Traceback (most recent call last)" in text:
        wrong["traceback"] = _last_frame(errors.decode("utf-8", "backslashreplace"))
    elif warned := re.search(WARNINGS, text, re.M):
        wrong["traceback"] = warned[0][:300]
    lines = [line for line in (errors if errors.strip() else output).splitlines() if line.strip()]
    if ended.status not in (0, 143) and not lines:
        wrong["message"] = "none"
    elif ended.status and len(lines) > LINES and "--json" not in argv and "traceback" not in wrong:
        wrong["message"] = f"{len(lines)} lines"
    if raw := re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]", output + errors):
        wrong["escape"] = repr((output + errors)[max(0, raw.start() - 60) : raw.end() + 20])
    elif _not_text(output + errors):
        wrong["escape"] = "bytes that are not UTF-8"
    return wrong


def _names_a_pipe(argv: list[str], folder: Path) -> bool:
    """Settings may come from another program: `--config <(make-settings)` waits for it."""
    return "--config" in argv and any(Path(os.path.join(folder, w)).is_fifo() for w in argv if len(w) < 200)  # noqa: PTH118


def _not_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def _last_frame(text: str) -> str:
    """`file:line in function: the last line`, of the innermost frame of ours."""
    ours = re.findall(r'File "[^"]*?/(gansmith/[^"]+)", line (\d+), in (\S+)', text)
    raised = re.findall(r'^  File "[^\n]*\n(?:    [^\n]*\n|  \[[^\n]*\n)*^([^ \n][^\n]*)', text, re.M)
    last = raised[-1] if raised else text.strip().splitlines()[-1]
    where = "{}:{} in {}".format(*ours[-1]) if ours else "?"
    return f"{where}: {last[:300]}"


def _changes(argv: list[str], before: dict[str, str], after: dict[str, str], ended: Ended) -> dict[str, str]:
    wrong: dict[str, str] = {}
    command = next((word for word in argv if not word.startswith("-")), "")
    runs = {p.rpartition("/")[0] for p in (*before, *after) if p.endswith(("/experiment.yaml", "/checkpoints"))}
    changed = [path for path, what in before.items() if after.get(path) != what and not path.startswith("cache/")]
    if command in _WORKS:
        own = re.compile(
            r"(checkpoints|samples|model)(/|$)|events\.jsonl|progress\.webp|curves\.svg|experiment\.yaml|\.lock"
        )
        changed = [
            p for p in changed if not any(p.startswith(f"{r}/") and own.match(p[len(r) + 1 :]) for r in runs if r)
        ]
    if command == "evaluate" and ended.status == 0:
        changed = [p for p in changed if "/audit/" not in p]
    if "--force" in argv:
        changed = [p for p in changed if not any(p.startswith(word.rstrip("/")) for word in argv)]
    if changed:
        wrong["clobbered"] = ", ".join(map(repr, changed[:4]))
    new = sorted(set(after) - set(before))
    stale = [path for path in new if path.endswith(".tmp") or path.rpartition("/")[2].startswith("tmp")]
    locks = [path for path in new if path.endswith(".lock") and not CACHES.search(path)]
    stale += [path for path in locks if path.rpartition("/")[0] not in runs]
    if stale and not ended.killed:
        wrong["stale"] = ", ".join(map(repr, stale[:4]))
    if ended.status not in (0, 130, 143) and not ended.killed:
        begun = [
            p
            for p in new
            if p not in (*stale, *locks) and not p.startswith(("cache", "home")) and "__pycache__" not in p
        ]
        if command in _WORKS:  # a training that began leaves its run
            began = {p.rpartition("/")[0] for p in after if p.endswith("/events.jsonl") and after[p] != EMPTY}
            begun = [
                p for p in begun if not any(p == r or p.startswith(f"{r}/") or r.startswith(f"{p}/") for r in began)
            ]
        if command == "translate":  # the images that can be read are written
            begun = [p for p in begun if after[p] == EMPTY]
        if begun:
            wrong["broken"] = ", ".join(map(repr, begun[:4]))
    return wrong


EMPTY = hashlib.blake2b(b"", digest_size=12).hexdigest()


def _absent(argv: list[str], folder: Path) -> dict[str, str]:
    """A file or folder that --out names is there and whole."""
    if {"--help", "-h", "--version", "--dry-run"} & set(argv):
        return {}
    named = [argv[i + 1] for i, word in enumerate(argv[:-1]) if word == "--out"] + [
        word.partition("=")[2] for word in argv if word.startswith("--out=")
    ]
    for name in named[-1:]:
        path = folder / name
        if name.startswith("~"):
            continue
        if not path.exists():
            return {"absent": repr(name)}
        if path.is_file() and (problem := _unreadable(path)):
            return {"broken": f"{name}: {problem}"}
    return {}


def _unreadable(path: Path) -> str:
    from PIL import Image

    try:
        if path.suffix in (".png", ".jpg", ".webp", ".gif"):
            with Image.open(path) as image:
                image.load()
        elif path.suffix == ".json":
            json.loads(path.read_text())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if path.stat().st_size else "empty"
