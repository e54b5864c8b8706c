"""Incidents: the fold over alerts, actions and list changes, and the feed that fills it."""
