"""Looks for newly listed vehicles among the sightings of a site: those that passed before they were listed."""
