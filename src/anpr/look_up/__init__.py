"""Looking a vehicle up: the question, the sites that are asked, and what their answers say together."""
