"""What a refusal must say: its type, and the facts in it, whatever the sentence round them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gansmith.errors import ExperimentError, GansmithError


@contextmanager
def refused(*facts: object, error: type[GansmithError] = ExperimentError) -> Iterator[None]:
    """Inside, an error of exactly this type is raised, in whose message each of `facts` stands as words of its own."""
    with pytest.raises(error) as caught:
        yield
    assert caught.type is error
    for fact in facts:
        assert re.search(rf"(?<!\w){re.escape(str(fact))}(?!\w)", str(caught.value)), (fact, str(caught.value))
