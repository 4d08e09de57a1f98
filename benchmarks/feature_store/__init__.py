"""The feature store's jobs beside Feast's."""
