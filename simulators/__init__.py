"""Simulates the traffic of the three ports as their cameras would report it, together with the ground truth."""
