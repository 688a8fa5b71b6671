"""Accounting periods: until when the books are closed, and where what comes late is booked."""
