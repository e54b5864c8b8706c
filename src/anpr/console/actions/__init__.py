"""The commands of an officer on an incident, and how their actions are published."""
