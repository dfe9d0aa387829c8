"""Seeds derived from what they are for."""

from __future__ import annotations

import itertools

import pytest
import torch

from gansmith.system.seeding import generator, mix, seed_all, seeded


def splitmix(*words: int) -> int:
    """An independent SplitMix64 (Steele, Lea, Flood 2014, Figure 17) run over the words, as `mix` documents it."""
    mask = 2**64 - 1
    golden = 0x9E3779B97F4A7C15
    state = golden
    for word in words:
        z = (state + word * golden + golden) % 2**64
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        state = z ^ (z >> 31)
    return state // 2


@pytest.mark.parametrize("words", [(0,), (1,), (0, 0), (7, 1, 0, 3), (2**63, 5), (123456789, 0, 2)])
def test_mix_is_splitmix(words: tuple[int, ...]) -> None:
    assert mix(*words) == splitmix(*words)


def test_the_reference_value_of_splitmix64() -> None:
    """The published generator, started at seed 0, gives 0xE220A8397B1DCDAF first: our state after golden + 0."""
    assert mix(-1) == 0xE220A8397B1DCDAF >> 1  # golden + (-1) * golden + golden is golden


def test_seeds_never_change() -> None:
    """A run resumed with a later version must draw the same numbers."""
    assert mix(0, 7, 1, 0, 3) == splitmix(0, 7, 1, 0, 3)
    assert mix(5, "a", 1) == splitmix(5, 0xE8B7BE43 | 1 << 32, 1)  # crc32 of "a", kept apart from small integers


def test_every_part_and_its_place_matter() -> None:
    seeds = [mix(*parts) for parts in itertools.product(range(4), repeat=4)]
    assert len(set(seeds)) == 4**4
    assert mix(0) != mix(0, 0)
    assert mix("flip", 1) != mix("epoch", 1)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_bits_are_even() -> None:
    """Neighbouring steps share about half of their bits: 63 bits, 2,000 pairs, well within 5 standard deviations."""
    differing = [bin(mix(0, k) ^ mix(0, k + 1)).count("1") for k in range(2000)]
    mean = sum(differing) / len(differing)
    assert abs(mean - 31.5) < 5 * (63**0.5 / 2) / 2000**0.5


def test_generator_is_seeded_by_mix() -> None:
    expected = torch.rand(5, generator=torch.Generator().manual_seed(mix(3, "x")))
    torch.testing.assert_close(torch.rand(5, generator=generator(3, "x")), expected, rtol=0, atol=0)


def test_seeded_leaves_the_global_state_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    with seeded(1, "network"):
        first = torch.rand(3)

    def fail() -> None:
        with seeded(1, "network"):
            torch.testing.assert_close(torch.rand(3), first, rtol=0, atol=0)
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(2, "network"):
        assert not torch.equal(torch.rand(3), first)


def test_seed_all_gives_the_numbers_of_torch_manual_seed() -> None:
    with seeded(0):
        for number in (0, 7, 2**63 - 1):
            torch.manual_seed(number)
            expected = torch.rand(5)
            seed_all(number, torch.device("cpu"))
            torch.testing.assert_close(torch.rand(5), expected, rtol=0, atol=0)
