"""Traffic of the three ports as their cameras would report it, with the truth beside it."""
