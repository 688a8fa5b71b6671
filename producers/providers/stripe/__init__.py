"""Stripe: payment intents, refunds and disputes over the official SDK, and what its webhooks say.

    adapter.py      the Provider: one small flow for each operation
    calls.py        what each request carries
    answers.py      what Stripe's objects mean for us
    failures.py     what its errors, and no answer at all, mean for us
    declines.py     decline code -> our reason
    currencies.py   how Stripe counts money
    transport.py    the SDK's HTTP client: our time-outs, no proxy, no retry
    webhooks.py     the WebhookScheme; events.py: event -> message

Why an authorization takes two requests, and what is certain when: docs/adr/0014-stripe-and-adyen.md.
"""
