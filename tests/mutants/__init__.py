"""Small errors put into the code on purpose: each must make a test fail that claims to show it.

`python -m tests.mutants` runs them; CONTRIBUTING.md tells how to write one.
"""
