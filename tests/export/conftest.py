"""A run on images whose folder and files have names that occur nowhere else, and its exports."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image

from exporting import EACH, SIDE, Exported, runtime_like
from gansmith.export.write import export
from gansmith.judge.audit_run import evaluate
from gansmith.runs.train import train


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    root = tmp_path_factory.mktemp("exported")
    data = root / "holiday_snaps_of_aunt_zelda"
    rng = np.random.default_rng(0)
    for name in ("beach", "harbour"):
        (data / name).mkdir(parents=True)
        for number in range(EACH):
            pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(data / name / f"IMG_zq{number:04}.png")
    small: dict[str, Any] = {"size": SIDE, "images": 32, "batch": 16, "device": "cpu", "holdout": 0.35}
    networks = {"name": "dcgan", "width": 4, "conditional": True}
    run = train(data, out=str(root / "run"), generator=networks, discriminator=networks, **small)
    evaluate(run.path, features="pixels", samples=20, repeats=1, device="cpu")
    files = {"program": root / "a.pt2", "folder": root / "a"}
    if find_spec("onnxruntime") and find_spec("onnxscript"):
        files["onnx"] = root / "a.onnx"
        files["html"] = root / "a.html"
    runtime = runtime_like(root / "package")
    for form, path in files.items():
        export(run, form, path, licence="cc-by-4.0", runtime=runtime)
    return Exported(run, data, files)
