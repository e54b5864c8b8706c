"""What every process needs: settings, clock, logs, metrics, health, errors."""
