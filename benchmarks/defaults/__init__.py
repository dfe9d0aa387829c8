"""Which settings make the best images of one's own? Cells of equal processor time, measured and looked at.

A cell is (set, count of images, size, candidate, seed, seconds): one training for that much time of one core, its
samples' place on the ruler, and its sheet. `candidates` names the settings, `sets` the images, `cell` trains and
measures, `verdicts` writes the tables, `__main__` goes through a list of cells and on with what is missing.
"""
