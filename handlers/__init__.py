"""The domain, pure: no clock, randomness, environment, I/O or await. One folder per context.

The same anatomy in each: `model.py` (values), `states.py` (the transition table), `rules.py` (decisions), `postings.py`
(which accounts move).
"""
