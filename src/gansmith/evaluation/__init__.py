"""Judging images: metrics and tests on feature matrices, usable without any run.

    from gansmith.evaluation import fid, kid
    fid(real_features, fake_features)

The names below are found in the files they are named after when they are first used.
"""
