"""Hydration: the one owner of feature values at request time; reads projections, computes nothing from raw events."""
