"""Is the audit right? It is asked about subjects whose truth is known, made of real images that it never saw.

    python -m benchmarks.judge --data ../shared/data --weights mobilenet_v2.pth            # what is missing
    python -m benchmarks.judge ... --sets cifar10,signs --parts quality --splits 3          # a few
    python -m benchmarks.judge --write docs/evaluation.md                                    # the table, from the file

A trial is one part, one set, one condition and one split: the set's images are dealt by the split's number to training,
held-out and unseen ones, the condition makes samples of the unseen ones (or, for copies, of the training images), and
`sides_of`, `evidence_of` and `answer_all` answer, as in `gansmith evaluate`. Splits of one set overlap: with 1,500 of
2,000 images in each, most are in most.

    subjects.py    sets of real images, dealt
    textures.py    a set of textures, drawn by a program
    conditions.py  what is done to samples, and which verdicts are right
    memory.py      features of single images, remembered from one trial to the next
    trial.py       one trial;  trials.jsonl: a line each, which a later call goes on with
    table.py       the tables of the documentation
"""
