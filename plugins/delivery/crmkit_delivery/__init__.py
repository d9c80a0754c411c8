"""The delivery plugin: declares nothing in this version."""
