"""Trying to break GeneFace, the same way for the same seed: damaged input of every kind, and kill -9 at any moment.

python -m tests.campaign                       # all of it; its table is in docs/reliability.md
python -m tests.campaign --minutes 2           # as much as fits; what CI does (tests/test_campaign.py)
python -m tests.campaign --only bundles --tries 500 --seed 7
python -m tests.campaign --only bundles --number 123 --seed 7   # one try again, with its traceback
"""
