"""Expected vehicles are looked for among the sightings of the port where they are due."""
