"""Glossary of the report: each term in plain English, with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term of the glossary. words: beginnings of the names of numbers that it explains; source: author and year."""

    name: str
    means: str
    words: tuple[str, ...]
    source: str = ""


GLOSSARY: Mapping[str, Term] = {
    "generator": Term("Generator", "The network that makes images out of random numbers.", ()),
    "samples": Term("Samples", "Images that the generator made for this report. Nobody picked them.", ("samples",)),
    "training": Term("Training images", "The real images that the generator learned from.", ("training",)),
    "holdout": Term(
        "Held-out images",
        "Real images that were put aside before training. How near they are to the training images shows what is "
        "normal for images that are certainly no copies.",
        (
            "holdout",
            "held",
        ),
    ),
    "features": Term(
        "Features",
        "A few hundred or thousand numbers that a network (the extractor) computes from an image. Images that look "
        "alike have features that lie close together. What the extractor does not see, no number based on it can show.",
        ("features",),
    ),
    "ruler": Term(
        "Ruler",
        "How far the samples are from the real images, in units of a damage that everybody can picture: the same real "
        "images cut into 4 x 4 tiles and shuffled are at 1, held-out images at 0. It is a KID over a KID.",
        ("ruler",),
    ),
    "interval": Term(
        "Interval",
        "The two numbers in brackets. Measured again with other images of the same kind, the true value would lie "
        "between such two numbers 95 times in 100.",
        ("interval",),
    ),
    "fid": Term(
        "FID (Frechet distance)",
        "How far the cloud of the samples' features is from the cloud of the real images', comparing only their "
        "centres and their widths. 0 is best. It falls with the number of images, so it can be compared only "
        "between equal numbers of them.",
        ("fid", "frechet"),
        "Heusel and others, 2017",
    ),
    "kid": Term(
        "KID (kernel distance)",
        "Another distance between the two clouds, fair to small numbers of images: for two halves of one set it is 0 "
        "on average, and may come out slightly below.",
        ("kid",),
        "Binkowski and others, 2018",
    ),
    "precision": Term(
        "Precision",
        "Of 100 samples, how many fall where real images lie. It says how real they look, not how varied they are.",
        ("precision", "fidelity"),
        "Kynkaanniemi and others, 2019",
    ),
    "recall": Term(
        "Recall",
        "Of 100 real images, how many fall where samples lie. It says how much of the variety is covered.",
        ("recall",),
        "Kynkaanniemi and others, 2019",
    ),
    "density": Term(
        "Density",
        "Like precision, but counting how many real images each sample lies close to; odd images disturb it less. "
        "About 1 is as good as real; it may be above.",
        ("density",),
        "Naeem and others, 2020",
    ),
    "coverage": Term(
        "Coverage",
        "Of 100 real images, how many have a sample closer than their own nearest real neighbours.",
        ("coverage",),
        "Naeem and others, 2020",
    ),
    "kinds": Term(
        "Kinds missing",
        "Images fall into groups by their features. Groups that samples visit less than half as often as real images "
        "do are counted, and compared with real images from which a known share of the kinds was taken away: as if so "
        "many kinds were missing.",
        ("kinds_missing", "layouts_missing", "power_third", "power_half", "power_three"),
        "in the manner of Richardson and Weiss, 2018",
    ),
    "support": Term(
        "Effective number of different images",
        "How many different images the generator has in it, estimated from how often two samples are nearly the same "
        "(as shared birthdays tell the length of the year).",
        ("support", "effective", "birthday", "different_pictures", "images_noticed"),
        "Arora, Risteski and Zhang, 2018",
    ),
    "duplicates": Term(
        "Near duplicate",
        "Two images closer together than almost any two real ones.",
        ("duplicate", "largest_group"),
    ),
    "variety": Term(
        "Variety",
        "How many kinds of images there are among the samples, over how many there are among the real images: 1 is "
        "as varied as real.",
        ("variety", "mean_difference"),
    ),
    "authenticity": Term(
        "Authenticity",
        "The share of samples that are farther from their nearest training image than that image is from its own "
        "nearest neighbour. Copies are not.",
        ("authenticity", "authentic"),
        "Alaa and others, 2022",
    ),
    "ct": Term(
        "C_T",
        "A test of whether samples lie closer to the training images than held-out images do. Far below 0 means "
        "copying.",
        ("c_t", "ct"),
        "Meehan, Chaudhuri and Dasgupta, 2020",
    ),
    "p": Term(
        "p value",
        "How often a generator that does nothing wrong would give a result at least this suspicious. Small is "
        "suspicious: 0.01 is once in a hundred.",
        ("p_value", "p value", "p "),
    ),
    "power": Term(
        "Power",
        "How likely this test would have noticed copies, had there been some. A test of little power that finds "
        "nothing says little.",
        ("power", "would have noticed"),
    ),
    "is": Term(
        "Inception score",
        "High when a classifier is sure of each sample and the samples are of many classes. It never looks at the "
        "real images.",
        ("inception",),
        "Salimans and others, 2016",
    ),
    "lpips": Term(
        "LPIPS",
        "How different two images look to people, learned from their judgements. Larger between samples means more "
        "variety.",
        ("lpips",),
        "Zhang and others, 2018",
    ),
    "spectrum": Term(
        "Spectrum",
        "How much of an image is coarse shape and how much fine detail. Networks that enlarge images step by step "
        "often leave too little fine detail, or a fine regular pattern (a checkerboard).",
        ("spectrum", "high_freq", "high freq"),
        "Odena and others, 2016; Durall and others, 2020",
    ),
    "checkerboard": Term(
        "Checkerboard",
        "A fine regular pattern of light and dark over an image, as many networks leave it when they enlarge images "
        "step by step. Its strength is in decibels: 3 are twice as strong, 10 ten times.",
        ("checkerboard",),
        "Odena and others, 2016",
    ),
    "phases": Term(
        "Random phases",
        "A real image taken apart into waves, each of which is moved at random: its colours and its amount of fine "
        "detail stay, and nothing is in its place.",
        (),
    ),
    "layout": Term(
        "Layout",
        "Parts in their places: a roof above a wall. A classifier that learned real images from the same cut into "
        "tiles and shuffled says in which samples it sees one.",
        ("layout",),
    ),
    "flaw": Term(
        "Common flaw",
        "What all samples have in common, and the real images nearest to them have not: a tint, a pattern, a blur.",
        ("common_flaw",),
    ),
    "blend": Term(
        "Blend",
        "A sample that lies between two training images, far nearer to a mean of both than to either.",
        ("blend",),
    ),
    "twin": Term(
        "Twin",
        "A held-out image that is as near to a training image as a copy is, such as the same photo stored twice. "
        "Among many of them copies cannot be told.",
        ("held_out_twins", "twin"),
    ),
    "rough": Term(
        "Rough copies",
        "Copies of training images that are as flawed as the samples are. They are planted on purpose, to see how "
        "surely the search would notice a network that copies badly.",
        ("rough",),
    ),
    "protocol": Term(
        "Protocol",
        "Everything that makes two numbers comparable: the extractor, how many images, which ones, their size. Numbers "
        "of different protocols must never be put side by side.",
        ("protocol",),
    ),
}


def explains(name: str) -> str | None:
    """The key of the term that explains a number called `name`: the longest of its words that the name begins with."""
    asked = name.lower()
    fits = [(len(word), key) for key, term in GLOSSARY.items() for word in term.words if asked.startswith(word)]
    return max(fits)[1] if fits else None
