"""What other libraries and written-out loops say, with their conventions noted."""
