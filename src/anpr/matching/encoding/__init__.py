"""Plates and entries as arrays of numbers and bytes. Pure."""
