"""Adyen: payments and their modifications over its Checkout API, and what its webhooks say.

    adapter.py      the Provider
    calls.py        what each request carries, and the references under which its webhook comes back
    answers.py      what Adyen's responses mean for us
    refusals.py     refusal reason -> our reason
    currencies.py   how Adyen counts money
    transport.py    the official SDK's services over our HTTP client: our time-outs, no proxy, no retry
    webhooks.py     the WebhookScheme; events.py: event code -> message

Adyen decides late: a capture, a void, an increase or a refund is taken on, and a webhook says how it ended. It cannot
be asked: docs/adr/0014-stripe-and-adyen.md.
"""
