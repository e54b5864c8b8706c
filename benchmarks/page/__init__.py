"""From the kept results to the tables and plots of docs/benchmarks.md and README.md."""
