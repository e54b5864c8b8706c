"""What the cameras of a site saw: every read, kept in SQL, exact after any crash, found by the engine's keys."""
