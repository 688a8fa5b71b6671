"""Payment rules by what arrives: commands in `checkout.py`, facts, providers' answers, timers in `expiry.py`."""
