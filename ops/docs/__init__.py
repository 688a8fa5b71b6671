"""The parts of the documentation that follow from the code: `python -m ops.docs` writes them into `docs/`."""
