"""Measurements, as ratios beside a floor in one run. Nothing here is a test."""
