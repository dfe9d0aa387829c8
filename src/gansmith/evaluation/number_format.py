"""Number formatting for people: three significant digits, narrow spaces between thousands, `71 (66 to 75)`."""

from __future__ import annotations

import math

from gansmith.evaluation.types import Number

NARROW = "\u202f"  # a narrow space at which no line breaks
MINUS = "\u2212"
_RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_TINY, _HUGE = 1e-4, 1e9  # outside of these, powers of ten


def decimals(*values: float, digits: int = 3) -> int:
    """The places after the point that show the largest of `values` with `digits` significant ones; whole numbers: 0."""
    finite = [value for value in values if math.isfinite(value)]
    if all(value == round(value) for value in finite):
        return 0
    largest = max(abs(value) for value in finite)
    return max(0, digits - 1 - int(f"{largest:.{digits - 1}e}".partition("e")[2]))


def number(value: float, places: int | None = None) -> str:
    """`12345.6` -> `12 300`; whole numbers in full; `places` after the point unless None; NaN is `not known`."""
    if math.isnan(value):
        return "not known"
    if math.isinf(value):
        return "no limit" if value > 0 else f"{MINUS}no limit"
    if value != 0 and not _TINY <= abs(value) < _HUGE and (places is None or places > 6 or abs(value) >= _HUGE):
        return _power(value)
    if places is None:
        places = decimals(value)
        if value != round(value) and places == 0:
            value = float(f"{value:.2e}")
    text = f"{abs(value):,.{places}f}".replace(",", NARROW)
    return f"{MINUS}{text}" if value < 0 and text.strip("0.") else text


def for_terminals(text: str) -> str:
    """`text` with commas between thousands and hyphens for minus signs, as every other line of a terminal has them.

    >>> for_terminals(number(-33_000))
    '-33,000'
    """
    return text.replace(NARROW, ",").replace(MINUS, "-")


def percent(share: float) -> str:
    """Of a share: two significant digits below ten per cent, else whole; no powers of ten, and no minus before zero.

    >>> percent(0.123), percent(0.0123), percent(1.1), percent(0.00001), percent(-0.0)
    ('12 %', '1.2 %', '110 %', 'less than 0.01 %', '0 %')
    """
    hundred = 100 * share
    if 0 < abs(hundred) < 0.01:
        return "less than 0.01 %" if share > 0 else "0 %"
    return f"{hundred:,.0f} %" if abs(share) >= 0.0995 else f"{hundred + 0.0:.2g} %".replace("-", MINUS)


def counted(count: float, noun: str, plural: str = "") -> str:
    """A count and its noun, in the singular for one.

    >>> counted(1, "sample"), counted(300, "sample"), counted(2, "copy", "copies")
    ('1 sample', '300 samples', '2 copies')
    """
    return f"{number(count)} {noun if count == 1 else plural or f'{noun}s'}"


def duration(seconds: float) -> str:
    """Seconds in words, as exactly as a forecast is: two units at most.

    >>> duration(42.4), duration(95), duration(60 * 80), duration(86_400 * 3.1)
    ('42 seconds', '2 minutes', '1 hour 20 minutes', '3 days 2 hours')
    """
    if seconds < 89.5:
        return counted(max(1, round(seconds)), "second")
    minutes = round(seconds / 60)
    for unit, size, below, part in (("day", 1440, "hour", 60), ("hour", 60, "minute", 1)):
        if minutes >= size:
            whole, rest = divmod(round(minutes / part), size // part)
            return counted(whole, unit) + (f" {counted(rest, below)}" if rest else "")
    return counted(minutes, "minute")


def _power(value: float) -> str:
    mantissa, _, exponent = f"{abs(value):.2e}".partition("e")
    return f"{MINUS if value < 0 else ''}{mantissa} \u00d7 10{str(int(exponent)).translate(_RAISED)}"


def interval(bounded: Number, *, in_per_cent: bool = False) -> str:
    """`71 (66 to 75)`, `at least 66` where nothing bounds it from above, `71 (at most 75)`, or `71` where there is no
    interval or one of no width. One count of places for all three; in_per_cent: as `percent` writes shares."""
    low = None if bounded.low is None or not math.isfinite(bounded.low) else bounded.low
    high = None if bounded.high is None or not math.isfinite(bounded.high) else bounded.high
    if not math.isfinite(bounded.value) and low is None and high is None:
        return number(bounded.value)
    known = [value for value in (bounded.value, low, high) if value is not None and math.isfinite(value)]
    places = None if max(map(abs, known)) >= 1000 else decimals(*known)

    def written(value: float) -> str:
        return percent(value) if in_per_cent else number(value, places)

    text = written(bounded.value) if math.isfinite(bounded.value) else "not known"
    if low is not None and high is not None:
        return text if low == high == bounded.value else f"{text} ({written(low)} to {written(high)})"
    if low is not None:
        return f"at least {written(low)}"
    return text if high is None else f"{text} (at most {written(high)})"
