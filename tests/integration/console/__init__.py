"""The web console, over real HTTP and Azurite."""
