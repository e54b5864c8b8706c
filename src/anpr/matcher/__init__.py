"""The matcher of a site: reads in, alerts out."""
