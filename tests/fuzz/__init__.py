"""Mistaken command lines, settings and files, drawn from a seed, and what must hold for each of them.

    python tests/fuzz --count 300 --seed 0          # as continuous integration does
    python tests/fuzz --count 100000 --seconds 3600 --seed 7
    python tests/fuzz --seed 7 --only 1234 --keep   # one again, with the folder that it ran in

world      valid files of every kind, and odd ones    values   what a parameter or a field may be told, right and wrong
commands   command lines, from the tree of commands   settings YAML files
hostile    files that are damaged or lie (blind, structures)   process  one invocation in a fork, under limits
oracles    what must hold afterwards
"""
