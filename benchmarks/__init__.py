"""Measurements side by side; printed and written down, never judged by a test."""
