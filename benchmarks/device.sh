#!/usr/bin/env bash
# Measure gansmith on this machine's accelerator: is it right, how fast is it, what does it make of images in two minutes?
#   benchmarks/device.sh [--data FILE] [--weights FILE] [--wheels FOLDER] [--out FOLDER] [--minutes 8] [--device cuda]
# Needs Python 3.11 or later with torch, and no package index. PYTHON chooses the interpreter.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PYTHONPATH="$root/src:$root${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 exec "${PYTHON:-python3}" -m benchmarks.device "$@"
