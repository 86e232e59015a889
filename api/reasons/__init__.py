"""Why an item stands where it does."""
