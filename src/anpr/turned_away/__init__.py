"""Turned away here, known there: a vehicle that was turned away at one port is listed at all others for a day."""
