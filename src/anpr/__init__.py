"""Number-plate watchlist alerts for the UK controls at Calais, Coquelles and Dunkerque."""
