"""Rules of the code base's structure, each held by a test over the parsed sources."""
