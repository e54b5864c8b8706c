"""Facts about plates, countries and cameras, written as data: each file names its source. Pure."""
