"""The webhook ingress: `POST /webhooks/{provider}/{account}`, verified, kept, answered, published; docs/webhooks.md.

limits.py      what one request, and all together, may cost; and the reading of a body within that
connections.py connections that say nothing, slowly or without end
endpoints.py   which endpoints there are, with their schemes and secrets
refusals.py    every reason to say no, with its status, and a log that a flood cannot fill
publishing.py  from a genuine body to what is kept and published
storage.py     the group commit: many requests, one transaction
app.py         one request from its first byte to its answer
server.py      the role
"""
