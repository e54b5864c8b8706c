"""What travels on the topics, and the names by which everybody knows it. Pure."""
