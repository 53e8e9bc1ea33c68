"""What the jobs of the write side do, and the workers that do them."""
