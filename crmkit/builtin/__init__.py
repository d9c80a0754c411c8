"""What every vertical wants, written as plugins on the same public hooks as any industry's."""
