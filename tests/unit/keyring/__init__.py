"""Unit tests of keyring."""
