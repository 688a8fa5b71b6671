"""How providers sign webhooks: pure functions over the raw bytes, the headers, the secrets and the time.

    stripe.py             Stripe-Signature: t=...,v1=...         signed time, tolerance both ways
    standard_webhooks.py  webhook-id, -timestamp, -signature     signed time, tolerance both ways
    adyen.py              HmacSignature over the body, or an HMAC in each notification item; no signed time
    gocardless.py         Webhook-Signature over the body; no signed time

Each has `verify(body, headers, secrets, now)`, which answers `Genuine` or `Forged` and never raises for what a sender
did. A secret that cannot be a key raises `ValueError`, which does not repeat it. Why these are ours and not the
providers' own libraries: docs/adr/0015-webhook-ingress.md.
"""
