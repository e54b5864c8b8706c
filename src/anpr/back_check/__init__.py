"""New entries are looked for among the sightings of a site: what has passed before they were listed."""
