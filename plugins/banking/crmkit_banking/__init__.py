"""The banking plugin: declares nothing in this version."""
