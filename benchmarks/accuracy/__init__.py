"""How well detectors find what truly happened: scenarios x detectors -> one table, JSON, plots, docs/accuracy.md."""
