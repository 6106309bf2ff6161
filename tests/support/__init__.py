"""What tests share: waiting for a condition, and a whole core against a simulator."""
