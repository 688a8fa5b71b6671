"""Payment rules, by what arrives: `checkout.py` commands, `recorded.py` facts, `provider_results.py` answers, `expiry.py` timers."""
