"""Tests a list on past or simulated traffic: what it would find, and what it would cost."""
