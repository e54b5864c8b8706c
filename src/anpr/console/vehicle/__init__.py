"""Looking a vehicle up at every port, and what the page shows of it."""
