"""Tables that find the entries a read may match. Pure."""
