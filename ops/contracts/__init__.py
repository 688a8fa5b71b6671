"""What others may rely on, written down.

`json_schemas.py` and `asyncapi.py` say what the code says, `compatibility.py` what may change after a
release, `files.py` keeps `docs/` so.
"""
