"""Measurements of crmkit against the bare libraries, in one run and as ratios.

``make bench`` runs them all; ``python -m benchmarks.startup`` runs one.
"""
