"""Tests a list on past or simulated traffic: which vehicles it would find, and how many alerts it would cost."""
