"""Commands that the advice of an audit names, ready to paste, each with its cost at the run's own pace.

(commands, forecast) is the way to do a step; both are empty where the subject is files, of which no run is known.
"""

from __future__ import annotations

from collections.abc import Collection

from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.number_format import duration
from gansmith.system.paths import shell_word

Way = tuple[tuple[str, ...], str]
POLICY = "translation,cutout"  # of DiffAugment; with colours too 500 photographs came to .75 on the ruler, not .61
_FORECAST_UNKNOWN = "add --dry-run to see how long it takes"


def twice(run: RunFacts) -> int:
    """Twice the images, of the run or of what it was asked for, to two digits.

    >>> twice(RunFacts("runs/a", "photos", 60_032, asked=60_000))
    120000
    """
    return int(float(f"{2 * max(run.asked or 0, run.images):.1e}"))


def longer(run: RunFacts, images: int) -> Way:
    """The run continued to `images` in all.

    >>> longer(RunFacts("runs/a", "photos", 60_000, seconds=120), 120_000)
    (('gansmith resume runs/a --images 120000',), "about 2 minutes more, at the run's own pace")
    """
    seconds = run.time_for(max(0, images - run.images))
    forecast = _FORECAST_UNKNOWN if seconds is None else f"about {duration(seconds)} more, at the run's own pace"
    off = " --set stop.settled=0" if run.settled else ""
    return (f"gansmith resume {shell_word(run.path)} --images {images}{off}",), "" if seconds is None else forecast


def with_best(run: RunFacts | None) -> Way:
    """A new run on the same images as training without a recipe does it, which measured best: its recipe, widths,
    precision, mirroring and length. Its pace is not known.

    >>> print(with_best(RunFacts("runs/a", "photos", 640, best_recipe="dcgan_few", time=90))[0][0])
    gansmith train photos --time 90s --out runs/a-dcgan_few
    """
    if run is None or run.best_recipe is None:
        return (), ""
    size = ["--size", run.size] if run.size else []
    length = ["--time", f"{run.time:g}s"] if run.time else []
    out = ["--out", shell_word(f"{run.path}-{run.best_recipe}")]
    return (" ".join(["gansmith train", shell_word(run.data), *size, *length, *out]),), _FORECAST_UNKNOWN


def changed(run: RunFacts | None, suffix: str, *words: str, images: int | None, times: float = 1) -> Way:
    """A new run with the settings of this one, changed by `words`, to `images`; an image takes `times` as long."""
    if run is None:
        return (), ""
    config, out = shell_word(f"{run.path}/experiment.yaml"), shell_word(f"{run.path}-{suffix}")
    length = [] if images is None else ["--images", str(images)]
    command = " ".join(["gansmith train --config", config, *words, *length, "--out", out])
    seconds = None if images is None else run.time_for(images * times)
    if seconds is None:
        return (command,), _FORECAST_UNKNOWN
    upper = "up to" if times > 1 else "about"
    return (command,), f"{upper} {duration(seconds)}, at the run's own pace"


def started(run: RunFacts, start: str) -> Way:
    """A new run on the same images that begins with the weights of `start`."""
    size = ["--size", run.size] if run.size else []
    length = ["--images", str(max(run.images, run.asked or 0))]
    out = ["--out", shell_word(f"{run.path}-{start}")]
    return (
        " ".join(["gansmith train", shell_word(run.data), "--from", start, *size, *length, *out]),
    ), _FORECAST_UNKNOWN


def augmented(run: RunFacts | None) -> Way:
    """A new run whose discriminator sees images moved and cut; the way of none where they are augmented already.

    >>> print(augmented(RunFacts("runs/a", "photos", 640))[0][0])
    gansmith train --config runs/a/experiment.yaml --set augment=diffaugment --set augment.policy=translation,cutout \
--images 640 --out runs/a-augmented
    """
    if run is None or run.augment:
        return (), ""
    words = ("--set", "augment=diffaugment", "--set", f"augment.policy={POLICY}")
    return changed(run, "augmented", *words, images=max(run.images, run.asked or 0))


def grouped(run: RunFacts | None) -> Way:
    """A new run that holds out images together with those like them.

    >>> print(grouped(RunFacts("runs/a", "photos", 640))[0][0])
    gansmith train --config runs/a/experiment.yaml --holdout-by similar --images 640 --out runs/a-grouped
    """
    images = None if run is None else max(run.images, run.asked or 0)
    return changed(run, "grouped", "--holdout-by", "similar", images=images)


def evaluate(run: RunFacts | None, *words: str, without: Collection[str] = ()) -> tuple[str, ...]:
    """The same weights of the run evaluated again, with the options of this time but for those in `words` or `without`.

    >>> evaluate(RunFacts("runs/a", "photos", 640), "--samples", "2000")
    ('gansmith evaluate runs/a --samples 2000',)
    """
    if run is None:
        return ()
    weights = [] if run.checkpoint is None else ["--checkpoint", shell_word(run.checkpoint)]
    weights += ["--raw"] if run.raw and "--raw" not in without else []
    pairs = zip(run.options[::2], run.options[1::2], strict=True)
    kept = [f"{name} {shell_word(value)}" for name, value in pairs if name not in (*words, *without)]
    return (" ".join(["gansmith evaluate", shell_word(run.path), *weights, *kept, *words]),)


def sample(run: RunFacts | None) -> tuple[str, ...]:
    """A large sheet of samples, and a blind test.

    >>> print(*sample(RunFacts("my runs/a", "photos", 640)), sep="\\n")
    gansmith sample 'my runs/a' --seeds 0-255 --out grid.png
    gansmith blindtest 'my runs/a'
    """
    if run is None:
        return ()
    path = shell_word(run.path)
    return f"gansmith sample {path} --seeds 0-255 --out grid.png", f"gansmith blindtest {path}"


def install_features(run: RunFacts | None) -> str:
    """The weights of a network that the run was not trained on."""
    trained_on_it = run is not None and "mobilenet" in run.own_networks
    return f"gansmith features install {'vgg' if trained_on_it else 'mobilenet'}"
