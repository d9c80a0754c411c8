"""Credit applications: what is known of them, the card, and the policy."""
