"""The demo: samples, and the emulator of a checkout."""
