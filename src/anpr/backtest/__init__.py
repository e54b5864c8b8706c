"""A list against past or simulated traffic: what it would find, and what it would cost."""
