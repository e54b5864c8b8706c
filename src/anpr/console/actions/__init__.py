"""What an officer may do about an incident, and how it is published."""
