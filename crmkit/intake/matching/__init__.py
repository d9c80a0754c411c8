"""Which records are one person: match keys in, scored pairs with evidence out."""
