"""The engines that analysis SQL runs on, and which one a name means."""
