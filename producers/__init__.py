"""What leaves or enters by another door: outbox relay, scheduler, provider gateways, upstream client."""
