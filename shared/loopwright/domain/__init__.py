"""Ids, hashing, enumerations and pure rules that every room shares: no I/O, no clock."""
