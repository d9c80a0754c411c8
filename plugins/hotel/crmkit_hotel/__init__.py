"""The hotel plugin: declares nothing in this version."""
