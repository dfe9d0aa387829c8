"""All parts, one after the other; `--write docs/speed.md` puts the table there. See the package's docstring."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks import cyclegan, engine, evaluation, loader, r3gan, report, startup, step, wgan_gp

PARTS = {
    **{"startup": startup, "engine": engine, "loader": loader, "step": step, "evaluation": evaluation},
    **{"wgan_gp": wgan_gp, "cyclegan": cyclegan, "r3gan": r3gan},
}


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    figures = [figure for part in PARTS.values() for figure in part.measure(chosen.quick)]
    found = report.give_out(figures, chosen.json)
    if chosen.write is not None:
        report.write_between(chosen.write, report.markdown(figures, found))


if __name__ == "__main__":
    main()
