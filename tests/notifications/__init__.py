"""Who is told what: routing, digests, quiet hours, escalation, wordings, deliveries."""
