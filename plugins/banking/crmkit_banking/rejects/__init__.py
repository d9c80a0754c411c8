"""Reject inference: what would have become of those who were declined, by parcelling."""
