"""Structures that are well formed and wrong: headers, cards, lists, checkpoints, archives."""

from __future__ import annotations

import copy
import gzip
import io
import json
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from fuzz.blind import flip
from fuzz.settings import ODD as VALUES
from fuzz.settings import nodes
from fuzz.settings import write as write_settings
from fuzz.world import World


def _mutated(rng: random.Random, plain: Any) -> Any:
    """A structure with one to three values replaced, lost, doubled or put deeper."""
    whole = [copy.deepcopy(plain)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = nodes(whole)
        container, key = rng.choice(places if rng.random() < 0.8 else places[:1] or [(whole, 0)])
        how = rng.randrange(5)
        if how < 3 or container is whole:
            container[key] = copy.deepcopy(rng.choice(VALUES))
        elif how == 3:
            del container[key]
        else:
            container[key] = [container[key]] if rng.random() < 0.5 else {"a": container[key]}
    return whole[0]


def _dumped(plain: Any) -> str:
    """As JSON, with what JSON does not know as text."""

    def plainer(one: Any) -> Any:
        if isinstance(one, dict):
            return {
                str(k) if not isinstance(k, (str, int, float, bool, type(None))) else k: plainer(v)
                for k, v in one.items()
            }
        return [plainer(each) for each in one] if isinstance(one, (list, tuple)) else one

    return json.dumps(plainer(plain), default=repr)


def _json(rng: random.Random, path: Path, world: World) -> None:
    path.write_text(_dumped(_mutated(rng, json.loads(path.read_text()))))


def _jsonl(rng: random.Random, path: Path, world: World) -> None:
    """Lines of the events: changed, doubled, torn, moved, of another kind."""
    lines = path.read_bytes().splitlines(keepends=True)
    at = rng.randrange(len(lines))
    torn = [
        b"null\n",
        b"[1]\n",
        b"{}\n",
        b"\xff\xfe\n",
        b'{"step": "a"}\n',
        b"3\n",
        b'{"step": 1e999}\n',
        b"\n",
        b"{" * 9000,
    ]
    how = rng.randrange(5)
    if how == 0:
        lines[at] = rng.choice(torn)
    elif how == 1:
        lines[at] = (_dumped(_mutated(rng, json.loads(lines[at]))) + "\n").encode()
    elif how == 2:
        lines.insert(at, rng.choice(lines))
    elif how == 3:
        lines[at] = lines[at][: rng.randrange(len(lines[at]))]
    else:
        rng.shuffle(lines)
    path.write_bytes(b"".join(lines))


def _yaml(rng: random.Random, path: Path, world: World) -> None:
    settings = yaml.safe_load(path.read_text())
    write_settings(rng, path, world, settings if isinstance(settings, dict) else {})


def _safetensors(rng: random.Random, path: Path, world: World) -> None:
    """The header of a model file: the card, shapes, offsets, or the length of itself."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header, rest = json.loads(data[8 : 8 + length]), data[8 + length :]
    how = rng.randrange(4)
    if how < 2:
        card = json.loads(header["__metadata__"]["gansmith"])
        header["__metadata__"]["gansmith"] = _dumped(_mutated(rng, card))
    elif how == 2:
        name = rng.choice(sorted(k for k in header if k != "__metadata__"))
        header[rng.choice((name, "else"))] = _mutated(rng, header[name])
    text = _dumped(header).encode()
    stated = len(text) if how < 3 else rng.choice((0, 1, 2**40, 2**63, len(text) + 7))
    path.write_bytes(struct.pack("<Q", stated) + text + rest)


def _checkpoint(rng: random.Random, path: Path, world: World) -> None:
    """A checkpoint with values lost or replaced: numbers, tensors, whole players."""
    import torch

    if rng.random() < 0.1:
        return _code(rng, path, world)
    state = torch.load(path, weights_only=True)
    for _ in range(rng.choice((1, 1, 2))):
        container, key = rng.choice([(c, k) for c, k in nodes(state) if not isinstance(c, tuple)])
        how = rng.randrange(5)
        if how == 0:
            del container[key]
        elif how == 1 and isinstance(container[key], torch.Tensor):
            changed = (
                torch.zeros(0),
                torch.full_like(container[key], 7),
                container[key].double(),
                torch.zeros(3, 5, 7),
            )
            container[key] = rng.choice(changed)
        else:
            container[key] = copy.deepcopy(rng.choice([v for v in VALUES if not isinstance(v, bytes)]))
    torch.save(state, path)
    return None


class _Payload:
    def __reduce__(self) -> Any:
        return os.mkdir, ("executed",)


def _code(rng: random.Random, path: Path, world: World) -> None:
    """A pickle that makes a folder when it is loaded."""
    import torch

    if path.suffix == ".pt":
        torch.save({"players": _Payload()}, path)
    else:
        import numpy as np

        np.save(path, np.array([_Payload()], dtype=object), allow_pickle=True)


def _npy(rng: random.Random, path: Path, world: World) -> None:
    """The header of an array: its shape, type or order."""
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = data[10 : 10 + length].decode("latin-1")
    shape = rng.choice(
        (
            "()",
            "(-1, 8, 8, 3)",
            "(0, 8, 8, 3)",
            "(4, 0, 0, 3)",
            "(99999999999, 8, 8, 3)",
            "(2, 2)",
            "(12, 32, 32, 3, 1)",
        )
    )
    kind = rng.choice(("<f4", "|O", "<c16", "<U9", "|b1", "<M8[s]", ">i8", "<f2", "|V3", "x"))
    start = header.index("'shape': ") + len("'shape': ")
    how = rng.randrange(4)
    if how == 0:
        header = header[:start] + shape + header[header.index(")", start) + 1 :]
    elif how == 1:
        first = header.index("'descr': ") + len("'descr': ")
        header = header[:first] + repr(kind) + header[header.index(",", first) :]
    elif how == 2:
        header = header.replace("False", rng.choice(("True", "None", "3")))
    else:
        return _code(rng, path, world)
    text = (header.rstrip("\n ") + " " * (length - 1 - len(header.rstrip("\n ")))).encode("latin-1") + b"\n"
    path.write_bytes(data[:8] + struct.pack("<H", len(text)) + text + data[10 + length :])
    return None


def _idx(rng: random.Random, path: Path, world: World) -> None:
    data = bytearray(path.read_bytes())
    at = rng.choice((0, 2, 3, 4, 8, 12))
    size = 4 if at >= 4 else 1
    number = rng.choice((0, 1, 7, 2**31 - 1, 2**31, 2**32 - 1)) if size == 4 else rng.randrange(256)
    data[at : at + size] = number.to_bytes(size, "big")
    path.write_bytes(data)


def _gz(rng: random.Random, path: Path, world: World) -> None:
    path.write_bytes(gzip.decompress(path.read_bytes()))
    if rng.random() < 0.8:
        _idx(rng, path, world)
    data = path.read_bytes() + (bytes(200 * 2**20) if rng.random() < 0.2 else b"")
    path.write_bytes(gzip.compress(data, 1, mtime=0))


def _png(rng: random.Random, path: Path, world: World) -> None:
    """A PNG whose header states another size, depth or kind, with a right checksum."""
    data = bytearray(path.read_bytes())
    if data[1:4] != b"PNG":
        return flip(rng, path, world)
    size = rng.choice(
        ((0, 5), (1, 1), (65_000, 65_000), (13_000, 13_000), (2**31 - 1, 1), (2**31, 2**31), (1, 100_000))
    )
    data[16:24] = struct.pack(">II", *size)
    if rng.random() < 0.3:
        data[24:26] = bytes((rng.choice((1, 2, 16, 99)), rng.choice((0, 2, 3, 4, 6, 9))))
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    return None


def _csv(rng: random.Random, path: Path, world: World) -> None:
    rows = path.read_text().splitlines()
    at = rng.randrange(len(rows))
    cells = rows[at].split(",")
    strange = (
        "",
        "²",
        "20000000",
        "-1",
        "1.5",
        "nan",
        "9" * 4400,
        '"',
        '"a\nb"',
        "../../x.png",
        "/etc/passwd",
        "é",
        "\x1b[31m",
    )
    how = rng.randrange(5)
    if how == 0:
        cells[rng.randrange(len(cells))] = rng.choice((*strange, "pipe.png", "files"))
        rows[at] = ",".join(cells)
    elif how == 1:
        rows[at] = ",".join(cells[:1]) if rng.random() < 0.5 else rows[at] + ",more"
    elif how == 2:
        rows.insert(at, rng.choice(rows))
    elif how == 3:
        rows = [row.replace(",", rng.choice((";", "\t", ",,", "\0"))) for row in rows]
    else:
        del rows[at]
    path.write_bytes("\n".join(rows).encode(rng.choice(("utf-8", "utf-8", "utf-16", "utf-8-sig"))))


def _zip(rng: random.Random, path: Path, world: World) -> None:
    """Entries with names that lead out, twice, encrypted, of another size than is said, bombs."""
    if rng.random() < 0.3:
        data = bytearray(path.read_bytes())
        at = data.rfind(b"PK\1\2")
        offset = at + rng.choice((8, 10, 16, 20, 24, 28, 42))
        data[offset : offset + 4] = rng.randbytes(4) if rng.random() < 0.5 else b"\xff\xff\xff\xff"
        path.write_bytes(data)
        return
    with zipfile.ZipFile(path) as old:
        entries = [(info.filename, old.read(info)) for info in old.infolist()]
    names = (
        "../out.png",
        "/abs.png",
        "a/../b.png",
        "\x1b[31m.png",
        "é.png",
        "x" * 5000 + ".png",
        "folder.png/",
        "C:\\x.png",
    )
    how = rng.randrange(4)
    if how == 0:
        entries.append((rng.choice(names), rng.choice(entries)[1]))
    elif how == 1:
        entries.append(rng.choice(entries))
    elif how == 2:
        entries.append(("bomb.png", bytes(300 * 2**20)))
    else:
        entries = entries[: rng.randrange(len(entries))]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        import warnings

        warnings.simplefilter("ignore")
        for name, content in entries:
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    path.write_bytes(made.getvalue())


STRUCTURES: dict[str, Callable[[random.Random, Path, World], None]] = {
    **{".json": _json, ".jsonl": _jsonl, ".yaml": _yaml, ".safetensors": _safetensors, ".npy": _npy, ".idx": _idx},
    **{".png": _png, ".gz": _gz, ".csv": _csv, ".zip": _zip},
    ".pt": _checkpoint,
}
